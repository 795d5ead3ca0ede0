//! What callers hold: the launching and keeping of all tasks.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::admission::Shared;
use crate::blocking::Deadline;
use crate::record::ToldBy;
use crate::{
    Attached, Handle, Inbox, LaunchError, Lifecycle, NotificationQueue, Owner, Spec, TaskId,
};

/// All tasks of one program: launches them on a backend and has their endings told through a queue.
///
/// Cheap to clone; clones are the same tasks. When the last clone is dropped, every task that still runs is
/// killed, unless [`shutdown`](Self::shutdown) said otherwise; their endings are pushed as those of any
/// other stop. Handles do not count.
///
/// ```no_run
/// # fn backend() -> impl meanwhile_core::Lifecycle { unimplemented!() as std::sync::Arc<dyn meanwhile_core::Lifecycle> }
/// # fn queue() -> impl meanwhile_core::NotificationQueue { unimplemented!() as std::sync::Arc<dyn meanwhile_core::NotificationQueue> }
/// use meanwhile_core::{Owner, Spec, Tasks};
///
/// let tasks = Tasks::new(backend(), queue());
/// let handle = tasks.launch(Spec::shell("npm test"))?;
/// println!("{} runs in the background", handle.id());
/// // ... the agent goes on; at its next turn:
/// for ended in tasks.inbox(Owner::default()).drain().iter() {
///     println!("{}: {}", ended.command, ended.exit.outcome());
/// }
/// # Ok::<(), meanwhile_core::LaunchError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tasks {
    shared: Arc<Shared>,
    _last: Arc<StopOnDrop>,
}

/// What becomes of the tasks when their program ends.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// All are stopped, with this grace, or that of their specs.
    Stop(Option<Duration>),
    /// All run to their end, queued ones too.
    Wait,
    /// What runs is left running, what is queued is stopped, and nothing is stopped later on. A backend of
    /// this process stops supervising them when the process ends.
    Leave,
}

/// How many tasks were not over in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining(pub usize);

impl fmt::Display for Remaining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tasks were not over in time", self.0)
    }
}

impl std::error::Error for Remaining {}

impl Tasks {
    /// Tasks on `lifecycle`, told through `queue`, with the defaults of [`TasksBuilder`].
    pub fn new(lifecycle: impl Lifecycle, queue: impl NotificationQueue) -> Self {
        Self::builder(lifecycle, queue).build()
    }

    /// Likewise, with settings.
    pub fn builder(lifecycle: impl Lifecycle, queue: impl NotificationQueue) -> TasksBuilder {
        TasksBuilder {
            lifecycle: Arc::new(lifecycle),
            queue: Arc::new(queue),
            max_running: usize::MAX,
            keep_ended: TasksBuilder::DEFAULT_KEEP_ENDED,
        }
    }

    /// Launches a task in the background and returns without waiting for its start. Exactly one
    /// notification follows.
    ///
    /// # Errors
    ///
    /// If the spec is invalid, the backend cannot do such work, or a shutdown has begun. Nothing was
    /// launched then, there is no id, and nothing that runs is disturbed.
    pub fn launch(&self, spec: Spec) -> Result<Handle, LaunchError> {
        self.shared.launch(None, spec, ToldBy::Queue)
    }

    /// Likewise, under an id that was drawn and told before, by whoever hands the task over to this program.
    ///
    /// # Errors
    ///
    /// As [`launch`](Self::launch), or if there is a task of this id here.
    pub fn launch_as(&self, id: TaskId, spec: Spec) -> Result<Handle, LaunchError> {
        self.shared.launch(Some(id), spec, ToldBy::Queue)
    }

    /// Launches a task in the foreground: its ending goes to the holder of what is returned, and to the
    /// queue only if that is dropped or detached.
    ///
    /// # Errors
    ///
    /// As [`launch`](Self::launch).
    pub fn launch_attached(&self, spec: Spec) -> Result<Attached, LaunchError> {
        self.shared
            .launch(None, spec, ToldBy::Holder)
            .map(Attached::new)
    }

    /// The task of this id: queued, running, or ended and still kept. `None` for any other id.
    #[must_use]
    pub fn get(&self, id: TaskId) -> Option<Handle> {
        self.shared.get(id)
    }

    /// All tasks, in the order in which they were launched: queued, running, and the ended ones that are
    /// kept.
    #[must_use]
    pub fn list(&self) -> Vec<Handle> {
        self.shared.list()
    }

    /// The inbox of `owner`.
    #[must_use]
    pub fn inbox(&self, owner: Owner) -> Inbox {
        Inbox::new(self.shared.shared_queue(), owner)
    }

    /// How many tasks are queued or running. Unlike [`list`](Self::list) it costs the same however many
    /// there are.
    #[must_use]
    pub fn live(&self) -> usize {
        self.shared.not_over()
    }

    /// What the backend can do.
    #[must_use]
    pub fn capabilities(&self) -> crate::Capabilities {
        self.shared.lifecycle().capabilities()
    }

    /// A reference that does not keep what runs alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakTasks {
        WeakTasks {
            shared: Arc::downgrade(&self.shared),
            last: Arc::downgrade(&self._last),
        }
    }

    /// Begins the end: refuses further launches and treats the tasks as `how` says. Returns at once; see
    /// [`wait_idle`](Self::wait_idle). May be called again, to stop what was waited for.
    pub fn shutdown(&self, how: Shutdown) {
        self.shared.shutdown(how);
    }

    /// Waits until no task is queued or running.
    pub async fn wait_idle(&self) {
        while let Some(listener) = self.shared.listen_if_live() {
            listener.await;
        }
    }

    /// Blocks the thread until no task is queued or running, for at most `bound`.
    ///
    /// # Errors
    ///
    /// Says how many are left when the bound has passed.
    pub fn wait_idle_timeout(&self, bound: Duration) -> Result<(), Remaining> {
        let deadline = Deadline::after(bound);
        while let Some(listener) = self.shared.listen_if_live() {
            if !deadline.wait(listener) {
                let left = self.shared.not_over();
                return if left == 0 {
                    Ok(())
                } else {
                    Err(Remaining(left))
                };
            }
        }
        Ok(())
    }
}

/// [`Tasks`] that may be gone, for threads of their own that must not keep them.
#[derive(Debug, Clone)]
pub struct WeakTasks {
    shared: Weak<Shared>,
    last: Weak<StopOnDrop>,
}

impl WeakTasks {
    /// The tasks, unless the last [`Tasks`] was dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<Tasks> {
        Some(Tasks {
            _last: self.last.upgrade()?,
            shared: self.shared.upgrade()?,
        })
    }
}

/// Dropped with the last [`Tasks`]: nothing is left running without anybody who could stop it.
#[derive(Debug)]
struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Settings of [`Tasks`].
#[derive(Debug)]
pub struct TasksBuilder {
    lifecycle: Arc<dyn Lifecycle>,
    queue: Arc<dyn NotificationQueue>,
    max_running: usize,
    keep_ended: usize,
}

impl TasksBuilder {
    /// How many ended tasks are kept readable by default.
    pub const DEFAULT_KEEP_ENDED: usize = 10_000;

    /// Runs at most this many tasks at once; the others wait as `Queued`, in order. At least one runs.
    #[must_use]
    pub fn max_running(mut self, max: usize) -> Self {
        self.max_running = max.max(1);
        self
    }

    /// Keeps this many ended tasks readable; the oldest are forgotten first. Their notifications are not
    /// touched by that.
    #[must_use]
    pub fn keep_ended(mut self, count: usize) -> Self {
        self.keep_ended = count;
        self
    }

    /// Makes the tasks.
    #[must_use]
    pub fn build(self) -> Tasks {
        let shared = Arc::new(Shared::new(
            self.lifecycle,
            self.queue,
            self.max_running,
            self.keep_ended,
        ));
        let last = Arc::new(StopOnDrop(Arc::clone(&shared)));
        Tasks {
            shared,
            _last: last,
        }
    }
}
