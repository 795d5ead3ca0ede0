//! The promises of every backend.

use std::sync::LazyLock;

use meanwhile_process::LocalOptions;
use meanwhile_tokio::TokioBackend;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime of one thread")
});

meanwhile_testkit::backend!(|| TokioBackend::on(RUNTIME.handle().clone(), LocalOptions::default()));
