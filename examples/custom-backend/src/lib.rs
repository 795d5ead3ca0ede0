#![doc = include_str!("../README.md")]

mod bwrap;
mod error;

use std::path::Path;
use std::sync::Arc;

use meanwhile_core::{
    Capabilities, Ending, Lifecycle, NoOutput, Output, Report, Spec, Stop, Survivors, Task, Work,
};

use crate::bwrap::Bwrap;
pub use crate::error::SandboxError;

/// Runs the commands of another backend in a sandbox; see the [crate] for what that keeps from what.
#[derive(Debug, Clone)]
pub struct Sandboxed<L> {
    inner: L,
    bwrap: Bwrap,
}

impl<L: Lifecycle> Sandboxed<L> {
    /// Wraps `inner`; its commands may write to `folder` and to nothing else.
    ///
    /// Makes a sandbox once to see whether that works, which blocks for some milliseconds. So a program
    /// learns when it starts, and not from each of its tasks, that there is no sandbox to be had.
    ///
    /// # Errors
    ///
    /// If `folder` is not there or is `/`, there is no `bwrap` in the `PATH`, or it cannot make a sandbox.
    pub fn new(inner: L, folder: impl AsRef<Path>) -> Result<Self, SandboxError> {
        Self::with_bwrap(inner, folder, bwrap::look_up())
    }

    /// Likewise, with the `bwrap` at this path.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_bwrap(
        inner: L,
        folder: impl AsRef<Path>,
        program: impl AsRef<Path>,
    ) -> Result<Self, SandboxError> {
        let bwrap = Bwrap::new(program.as_ref(), folder.as_ref())?;
        bwrap.try_out()?;
        Ok(Self { inner, bwrap })
    }

    /// Lets the commands use the network, which they cannot by default.
    #[must_use]
    pub fn with_network(mut self) -> Self {
        self.bwrap.share_network();
        self
    }

    /// The spec that runs what `spec` asks for inside; `None` for work that is no command.
    fn confine(&self, spec: &Spec) -> Option<Spec> {
        let args = self.bwrap.args(spec)?;
        let program = self.bwrap.program().into();
        let mut confined = spec.clone().with_work(Work::Program { program, args });
        // The changes to the environment are among the arguments, for the inside. Outside, nothing of them
        // may hold: with LD_PRELOAD, a command would have its code run by bwrap itself.
        for (key, _) in spec.get_env() {
            confined = match std::env::var_os(key) {
                Some(ours) => confined.env(key, ours),
                None => confined.env_remove(key),
            };
        }
        // What a command leaves behind ends with its sandbox. It could not be counted either: bwrap's own
        // init process, which lives on for a moment after any command, would be one survivor too many.
        Some(confined.survivors(Survivors::Stop))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<L: Lifecycle> Lifecycle for Sandboxed<L> {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        match self.confine(&spec) {
            Some(confined) => self.inner.launch(Arc::new(confined), report),
            // `Tasks` looks at the capabilities first. Whoever does not gets a refusal: no work may ever
            // run outside for want of a way in.
            None => {
                let refusal = Ending::failed_to_start("the sandbox runs commands only", None);
                report.exited(refusal);
                Box::new(NeverStarted)
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        // A job runs in our own process. A command has other process ids inside than its caller sees.
        let inner = self.inner.capabilities();
        inner.without_jobs().without_local_processes()
    }
}

/// The control half of a task that was refused.
#[derive(Debug)]
struct NeverStarted;

impl Task for NeverStarted {
    fn stop(&self, _: Stop) {}

    fn output(&self) -> Arc<dyn Output> {
        Arc::new(NoOutput)
    }
}
