//! For how long a launch keeps a runtime from all else that it has to do.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, gap};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    gap(&mut Rows::new(&mut criterion));
    criterion.final_summary();
}
