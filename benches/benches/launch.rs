//! What a launch costs on each backend.

#![forbid(unsafe_code)]

use criterion::Criterion;
use meanwhile_benches::{launch, launch_floor};
use meanwhile_process::LocalOptions;
use meanwhile_smol::SmolBackend;
use meanwhile_thread::ThreadBackend;
use meanwhile_tokio::TokioBackend;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime of one thread starts");
    let tokio = TokioBackend::on(runtime.handle().clone(), LocalOptions::default());

    launch_floor(&mut criterion);
    launch(&mut criterion, "thread", ThreadBackend::new());
    launch(&mut criterion, "tokio", tokio);
    launch(&mut criterion, "smol", SmolBackend::new());
    criterion.final_summary();
}
