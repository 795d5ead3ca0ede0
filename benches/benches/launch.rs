//! For how long a launch holds up its caller.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, everybody, launch, runtime};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = runtime();
    launch(&mut Rows::new(&mut criterion), &mut everybody(&runtime));
    criterion.final_summary();
}
