//! How long it takes from a launch until its caller knows of the end.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, everybody, exit, runtime};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = runtime();
    exit(&mut Rows::new(&mut criterion), &mut everybody(&runtime));
    criterion.final_summary();
}
