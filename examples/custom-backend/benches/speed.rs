//! What a sandbox costs, by the benchmarks of meanwhile itself.

use criterion::Criterion;
use custom_backend::Sandboxed;
use meanwhile_benches::custom;
use meanwhile_thread::ThreadBackend;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    match Sandboxed::new(ThreadBackend::new(), env!("CARGO_MANIFEST_DIR")) {
        Ok(sandboxed) => custom(&mut criterion, "sandboxed", sandboxed),
        Err(error) => eprintln!("SKIPPED, as there is no sandbox: {error}"),
    }
    criterion.final_summary();
}
