//! The three backends, with the runtimes that two of them stand on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use meanwhile_core::Lifecycle;
use meanwhile_process::{Containment, LocalOptions};
use meanwhile_smol::SmolBackend;
use meanwhile_thread::ThreadBackend;
use meanwhile_tokio::TokioBackend;
use smol::{Executor, future};
use tokio::runtime;

use crate::args::Backend;
use crate::error::Error;

/// Makes a backend that keeps output in the folder `spool`. Its runtime lives as long as the process.
pub(crate) fn start(backend: Backend, spool: &Path) -> Result<Arc<dyn Lifecycle>, Error> {
    let options = options(spool);
    match backend {
        Backend::Thread => Ok(Arc::new(ThreadBackend::with_options(options))),
        Backend::Tokio => tokio(options).map_err(|error| Error::own("cannot start tokio", error)),
        Backend::Smol => smol(options).map_err(|error| Error::own("cannot start smol", error)),
    }
}

/// Likewise, for a process that is there for one task.
pub(crate) fn for_one_task(spool: &Path) -> ThreadBackend {
    ThreadBackend::with_options(options(spool).spawners(1))
}

fn options(spool: &Path) -> LocalOptions {
    LocalOptions::default()
        .spool_dir(spool)
        .containment(Containment::Cgroup)
}

fn tokio(options: LocalOptions) -> io::Result<Arc<dyn Lifecycle>> {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("tokio")
        .enable_all()
        .build()?;
    let backend = TokioBackend::on(runtime.handle().clone(), options);
    // Dropping a runtime waits for its threads. The process does not, and it is over right after its tasks.
    std::mem::forget(runtime);
    Ok(Arc::new(backend))
}

fn smol(options: LocalOptions) -> io::Result<Arc<dyn Lifecycle>> {
    let executor = Arc::new(Executor::new());
    let backend = SmolBackend::on(&executor, options);
    thread::Builder::new()
        .name("smol".to_owned())
        .spawn(move || smol::block_on(executor.run(future::pending::<()>())))?;
    Ok(Arc::new(backend))
}
