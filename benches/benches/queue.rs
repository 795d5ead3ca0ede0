//! What it costs to pass the endings of tasks on to the agent's next turn.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{Rows, queue};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    queue(&mut Rows::new(&mut criterion));
    criterion.final_summary();
}
