//! A backend without processes: a task runs until the test ends it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use meanwhile_core::{Capabilities, Chunk, Ending, ExitStatus, Handle, Lifecycle, Output};
use meanwhile_core::{Report, Spec, Stop, Stream, Task, TaskId};

/// What every task has written.
pub(crate) const OUTPUT: &[u8] = b"hello\n";

/// Gets each report within `launch`; what it gives back is kept for the test.
type OnLaunch = dyn Fn(&Spec, Report) -> Option<Report> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Backend(Arc<Stage>);

struct Stage {
    can: Capabilities,
    on_launch: Box<OnLaunch>,
    on_stop: OnStop,
    launched: Mutex<Vec<String>>,
    reports: Mutex<HashMap<TaskId, Report>>,
    stops: Mutex<HashMap<TaskId, Vec<Stop>>>,
}

enum OnStop {
    Remember,
    End,
    /// Remembered, and then this is called.
    Call(Box<dyn Fn(TaskId) + Send + Sync>),
}

impl Backend {
    /// Runs every task until the test ends it.
    pub(crate) fn new() -> Self {
        Self::with(|_, report| Some(report))
    }

    /// Does this within `launch`.
    pub(crate) fn with(
        on_launch: impl Fn(&Spec, Report) -> Option<Report> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Stage {
            can: Capabilities::none().with_commands().with_jobs(),
            on_launch: Box::new(on_launch),
            on_stop: OnStop::Remember,
            launched: Mutex::default(),
            reports: Mutex::default(),
            stops: Mutex::default(),
        }))
    }

    /// Runs every task until it is stopped.
    pub(crate) fn obedient() -> Self {
        Self::new().set(|stage| stage.on_stop = OnStop::End)
    }

    /// Calls this after each stop.
    pub(crate) fn calling(self, on_stop: impl Fn(TaskId) + Send + Sync + 'static) -> Self {
        self.set(|stage| stage.on_stop = OnStop::Call(Box::new(on_stop)))
    }

    pub(crate) fn able(self, can: Capabilities) -> Self {
        self.set(|stage| stage.can = can)
    }

    fn set(mut self, change: impl FnOnce(&mut Stage)) -> Self {
        change(Arc::get_mut(&mut self.0).expect("not in use yet"));
        self
    }

    /// The commands that were launched so far, in order.
    pub(crate) fn launched(&self) -> Vec<String> {
        lock(&self.0.launched).clone()
    }

    /// The write half of a task that runs.
    #[track_caller]
    pub(crate) fn report(&self, handle: &Handle) -> Report {
        let report = self.try_report(handle);
        report.expect("the task was launched and has not ended")
    }

    pub(crate) fn try_report(&self, handle: &Handle) -> Option<Report> {
        lock(&self.0.reports).remove(&handle.id())
    }

    /// Ends a task with code 0.
    #[track_caller]
    pub(crate) fn end(&self, handle: &Handle) {
        self.report(handle).exited(Ending::of(ExitStatus::Code(0)));
    }

    /// The stops that were passed on for a task.
    pub(crate) fn stops(&self, handle: &Handle) -> Vec<Stop> {
        lock(&self.0.stops)
            .get(&handle.id())
            .cloned()
            .unwrap_or_default()
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backend")
    }
}

impl Lifecycle for Backend {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let stage = &self.0;
        lock(&stage.launched).push(spec.command());
        let id = report.id();
        if let Some(report) = (stage.on_launch)(&spec, report) {
            lock(&stage.reports).insert(id, report);
        }
        Box::new(Control {
            backend: self.clone(),
            id,
        })
    }

    fn capabilities(&self) -> Capabilities {
        self.0.can
    }
}

#[derive(Debug)]
struct Control {
    backend: Backend,
    id: TaskId,
}

impl Task for Control {
    fn stop(&self, stop: Stop) {
        let stage = &self.backend.0;
        lock(&stage.stops).entry(self.id).or_default().push(stop);
        match &stage.on_stop {
            OnStop::Remember => {}
            OnStop::End => {
                let report = lock(&stage.reports).remove(&self.id);
                if let Some(report) = report {
                    report.exited(Ending::of(ExitStatus::Signal(15)).ended_by(stop.by));
                }
            }
            OnStop::Call(on_stop) => on_stop(self.id),
        }
    }

    fn output(&self) -> Arc<dyn Output> {
        Arc::new(Written(PathBuf::from(format!("/spool/{}", self.id))))
    }
}

#[derive(Debug)]
struct Written(PathBuf);

impl Output for Written {
    fn read(&self, _: Stream, offset: u64, limit: usize) -> io::Result<Chunk> {
        let rest = OUTPUT.iter().skip(offset as usize).take(limit);
        Ok(Chunk {
            offset,
            bytes: rest.copied().collect(),
        })
    }

    fn written(&self, _: Stream) -> io::Result<u64> {
        Ok(OUTPUT.len() as u64)
    }

    fn path(&self, _: Stream) -> Option<&Path> {
        Some(&self.0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics with this lock")
}
