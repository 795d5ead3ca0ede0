//! What a backend is: the two traits to implement for a new one.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::{EndedBy, Output, Report, Spec};

/// A backend: carries tasks through their phases.
///
/// # For callers
///
/// Hand it to [`Tasks`](crate::Tasks); nobody else calls it. Dropping the last reference to a backend while
/// its tasks run does not end them: [`Tasks::shutdown`](crate::Tasks::shutdown) does.
///
/// # For implementers
///
/// - `launch` must not block and must not fail. What the operating system refuses, now or later, is an
///   [`Ending`](crate::Ending) of status `FailedToStart`, given to [`Report::exited`].
/// - Every report must be consumed by [`Report::exited`]. One that is dropped ends its task as `Lost`.
/// - A backend of local processes must name the leader of each task by [`Report::started_as`], so that its remains are
///   found if this program dies.
/// - The deadline, the grace and the stop are decided by a [`Supervision`](crate::Supervision): feed it
///   events, carry out its actions.
/// - Tasks must be started in the order of the calls.
/// - The checks of `meanwhile-testkit` are this contract in runnable form.
pub trait Lifecycle: Debug + Send + Sync + 'static {
    /// Starts `spec` and returns its control half, without waiting for the start.
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task>;

    /// What this backend can do.
    fn capabilities(&self) -> Capabilities;
}

/// A shared backend is a backend.
#[deny(clippy::missing_trait_methods)]
impl<L: Lifecycle + ?Sized> Lifecycle for Arc<L> {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        (**self).launch(spec, report)
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }
}

/// The control half of one live task.
///
/// Dropping it neither stops nor forgets the task.
///
/// # For implementers
///
/// `stop` must not block, may be called any number of times from any thread, also before the start and
/// after the end, and must reach the whole tree. A later stop may shorten the grace, never lengthen it; the
/// first one says who ended the task.
pub trait Task: Debug + Send + Sync + 'static {
    /// Asks for the end of the task.
    fn stop(&self, stop: Stop);

    /// The task's output. It must stay readable after the task ended and this control half is gone.
    fn output(&self) -> Arc<dyn Output>;
}

/// How a task is to be stopped, and by whom.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Who asks.
    pub by: EndedBy,
    /// The time between the polite signal and the last one; `None` for what the spec says.
    pub grace: Option<Duration>,
    /// The number of the polite signal; `None` for SIGTERM.
    pub signal: Option<i32>,
}

impl Stop {
    /// Politely, with the grace of the spec.
    #[must_use]
    pub fn by(by: EndedBy) -> Self {
        Self {
            by,
            grace: None,
            signal: None,
        }
    }

    /// With this grace; zero kills at once.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// By the signal of this number, and not by SIGTERM. The last one is SIGKILL all the same.
    #[must_use]
    pub fn signal(mut self, signal: i32) -> Self {
        self.signal = Some(signal);
        self
    }
}

/// What a backend can do, declared so that callers get a clear error and checks know what to demand.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    commands: bool,
    jobs: bool,
    local_processes: bool,
    max_live: Option<usize>,
}

impl Capabilities {
    /// A backend that can do nothing yet.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            commands: false,
            jobs: false,
            local_processes: false,
            max_live: None,
        }
    }

    /// It runs shell lines and programs.
    #[must_use]
    pub const fn with_commands(mut self) -> Self {
        self.commands = true;
        self
    }

    /// Its commands are processes of this machine, children of this process, visible to the caller.
    #[must_use]
    pub const fn with_local_processes(mut self) -> Self {
        self.local_processes = true;
        self
    }

    /// It runs [`Job`](crate::Job)s.
    #[must_use]
    pub const fn with_jobs(mut self) -> Self {
        self.jobs = true;
        self
    }

    /// It declines [`Job`](crate::Job)s: for a wrapper around a backend that takes them.
    #[must_use]
    pub const fn without_jobs(mut self) -> Self {
        self.jobs = false;
        self
    }

    /// Its commands are not visible to the caller as processes: for a wrapper that puts them elsewhere.
    #[must_use]
    pub const fn without_local_processes(mut self) -> Self {
        self.local_processes = false;
        self
    }

    /// It can carry this many live tasks; further ones wait in [`Tasks`](crate::Tasks).
    #[must_use]
    pub const fn with_max_live(mut self, max: usize) -> Self {
        self.max_live = Some(max);
        self
    }

    /// Whether it runs shell lines and programs.
    #[must_use]
    pub const fn commands(self) -> bool {
        self.commands
    }

    /// Whether it runs jobs.
    #[must_use]
    pub const fn jobs(self) -> bool {
        self.jobs
    }

    /// Whether its commands are processes of this machine that the caller can see.
    #[must_use]
    pub const fn local_processes(self) -> bool {
        self.local_processes
    }

    /// How many live tasks it can carry; `None` for no limit of its own.
    #[must_use]
    pub const fn max_live(self) -> Option<usize> {
        self.max_live
    }
}
