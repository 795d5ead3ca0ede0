//! A backend that is not among ours, in the same benches: here the one on threads, with a single spawner.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::custom;
use meanwhile_process::LocalOptions;
use meanwhile_thread::ThreadBackend;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let one_spawner = LocalOptions::default().spawners(1);
    custom(
        &mut criterion,
        "one spawner",
        ThreadBackend::with_options(one_spawner),
    );
    criterion.final_summary();
}
