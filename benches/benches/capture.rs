//! What it costs to capture much output.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, capture};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    capture(&mut Rows::new(&mut criterion));
    criterion.final_summary();
}
