//! What tasks cost that are there at the same time.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, everybody, runtime, scale, scale_cell};

fn main() {
    let runtime = runtime();
    if scale_cell(|| everybody(&runtime)) {
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    scale(&mut Rows::new(&mut criterion), &everybody(&runtime));
    criterion.final_summary();
}
