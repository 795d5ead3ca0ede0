//! The checks that every backend passes, on a sandbox.

mod common;

use std::path::Path;
use std::sync::Arc;

use meanwhile_core::{Capabilities, Lifecycle, Report, Spec, Task};

meanwhile_testkit::backend!(sandboxed);

fn sandboxed() -> Arc<dyn Lifecycle> {
    // The checks run their commands in the folder of this test, and write nothing there.
    match common::sandboxed(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        Some(sandboxed) => Arc::new(sandboxed),
        None => Arc::new(NoSandboxHere),
    }
}

/// Takes the place of a sandbox that is not to be had. It declares nothing, so nothing is demanded of it.
#[derive(Debug)]
struct NoSandboxHere;

impl Lifecycle for NoSandboxHere {
    fn launch(&self, _: Arc<Spec>, _: Report) -> Box<dyn Task> {
        unreachable!("a backend that declares nothing is given nothing")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
    }
}
