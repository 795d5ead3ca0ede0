//! A backend whose tasks run until they are stopped, and no processes.

use std::sync::{Arc, Mutex};

use meanwhile_core::{
    Capabilities, EndedBy, Ending, ExitStatus, Lifecycle, NoOutput, Output, Report, Spec, Stop,
    Task,
};

/// Starts each task at once; a stop ends it at once.
#[derive(Debug, Default)]
pub(crate) struct Manual;

impl Manual {
    /// A stop after which the task has completed by itself.
    pub(crate) fn completes() -> Stop {
        Stop::by(EndedBy::Itself)
    }
}

impl Lifecycle for Manual {
    fn launch(&self, _: Arc<Spec>, report: Report) -> Box<dyn Task> {
        report.started();
        Box::new(Running(Mutex::new(Some(report))))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none().with_commands()
    }
}

#[derive(Debug)]
struct Running(Mutex<Option<Report>>);

impl Task for Running {
    fn stop(&self, stop: Stop) {
        let status = match stop.by {
            EndedBy::Itself => ExitStatus::Code(0),
            _ => ExitStatus::Signal(stop.signal.unwrap_or(15)),
        };
        let report = self.0.lock().unwrap().take();
        if let Some(report) = report {
            report.exited(Ending::of(status).ended_by(stop.by));
        }
    }

    fn output(&self) -> Arc<dyn Output> {
        Arc::new(NoOutput)
    }
}
