//! What `docs/implementing-a-backend.md` shows is code that compiles and passes the checks.

#![allow(clippy::unwrap_used, reason = "in a test, a panic says enough")]

use std::fs;
use std::path::Path;

/// Where its code is from.
const SOURCES: [&str; 5] = [
    "examples/job_threads/main.rs",
    "examples/job_threads/checks.rs",
    "src/lib.rs",
    "benches/speed.rs",
    "../../exec-thread/src/lib.rs",
];

#[test]
fn the_guide_quotes_what_is_there() {
    let guide = lines_of("../../docs/implementing-a-backend.md");
    let sources = SOURCES.map(lines_of);
    let mut quotes = 0;
    for quote in guide.split(|line| line == "```rust").skip(1) {
        let quote = quote.split(|line| line == "```").next().unwrap();
        let is_quote_of =
            |source: &Vec<String>| source.windows(quote.len()).any(|part| part == quote);
        assert!(
            sources.iter().any(is_quote_of),
            "in none of {SOURCES:?}:\n{}",
            quote.join("\n")
        );
        quotes += 1;
    }
    assert!(quotes > 0, "the guide shows no code");
}

/// Without their indentation.
fn lines_of(path: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| line.trim().to_owned()).collect()
}
