//! How long it takes to get through many short tasks, some of which run at once.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, everybody, runtime, throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = runtime();
    throughput(&mut Rows::new(&mut criterion), &mut everybody(&runtime));
    criterion.final_summary();
}
