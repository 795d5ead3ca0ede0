custom_backend := "examples/custom-backend/Cargo.toml"

# All that CI runs, what is quick first.
check: fmt typos deny clippy test alone doc story macos

fmt:
    cargo fmt --all -- --check
    cargo fmt --manifest-path {{custom_backend}} -- --check

typos:
    typos

# Advisories are left out: they need a network, and change while the code does not.
deny:
    cargo deny --locked check bans licenses sources

clippy:
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked --manifest-path {{custom_backend}} --target-dir target --all-targets -- -D warnings

# Every test; the doctests and, once each, the benchmarks are among them.
test:
    cargo test --workspace
    cargo test --manifest-path {{custom_backend}} --target-dir target

# In a build of the whole workspace a crate gets the features that its neighbours ask for; here only its own.
alone:
    for crate in core process thread tokio smol queue testkit agent; do cargo check -p meanwhile-$crate || exit; done
    for backend in thread tokio smol; do cargo nextest run -p meanwhile-$backend || exit; done

doc:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

# The main job as the README has it. The tests of the program look at its result on each backend.
story:
    cargo run --release -- session examples/fix-auth-tests.jsonl > target/story.jsonl
    tail -n 2 target/story.jsonl | grep -q '"status":"completed".* 0 failed'

# No linker and no SDK is needed for this, only the sources of std: `rustup component add rust-src` brings them, and so
# do Debian's packages rustc-web and rust-web-src.
#
# All that is shipped compiles for macOS. No C does, so SQLite is said to be on the system; a check does not link.
macos:
    #!/bin/sh
    for rustc in rustc /usr/bin/rustc; do
        if [ -d "$($rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then
            RUSTC=$rustc RUSTC_BOOTSTRAP=1 SQLITE3_LIB_DIR=target exec cargo check -Z build-std=std,panic_abort \
                --target aarch64-apple-darwin --target-dir target/macos --workspace --exclude meanwhile-benches \
                --no-default-features --features meanwhile-queue/store
        fi
    done
    echo "macOS is not checked: no toolchain here has the sources of std"
