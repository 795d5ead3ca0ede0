//! Tasks and notifications that outlive a process.

mod backlog;
mod bell;
mod change;
mod clock;
mod control;
mod database;
mod drain;
mod error;
mod forget;
mod options;
mod ownership;
mod pending;
#[cfg(test)]
mod plans;
mod promise;
mod recovery;
mod rescue;
mod rows;
mod schema;
mod shared;
mod task_record;
mod watch;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meanwhile_core::{
    EventId, EventListener, Listener as _, Milestone, Notification, NotificationQueue, Owner, Spec,
    Stop, TaskId, Tasks,
};

use self::change::Change;
use self::shared::Shared;

pub use self::error::{StoreError, StoreErrorKind};
pub use self::forget::Forgotten;
pub use self::options::StoreOptions;
pub use self::promise::{Inheritance, Promise};
pub use self::task_record::{Notice, TaskRecord};

/// A queue and a record of tasks in a folder, which any number of processes share.
///
/// Cheap to clone; clones are the same store. Hand one to [`Tasks`] as its queue: from then on each task is recorded
/// when it is launched, started and over, and whoever opens the folder later, or at the same time, finds it.
///
/// # What survives what
///
/// When [`Tasks::launch`] returns, the launch survives the death of this process at any instruction. So does what was
/// drained, acknowledged, given back or consumed when the call returns. An ending is written by a thread of the store,
/// together with those that came at the same time, and synced to the disk: the backend that pushes it never waits. If
/// the process dies in between, the task is told as lost, by whoever opens the store next. [`sync`](Self::sync) waits
/// until all is safe from a power cut.
///
/// # When nothing can be written
///
/// On a full, failing or locked disk endings stay in memory, are drained from there, and are written as soon as that
/// is possible; [`StoreOptions::warn`] is told. A damaged database is set aside, and told, and a new one takes its place.
///
/// # Dropping
///
/// The last clone writes what can be written, for a few seconds at most, and lets go of its name: what still runs
/// then is taken for lost by the next who opens the store. Tasks hold a clone as long as they run.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
    _last: Arc<CloseOnDrop>,
}

/// Which tasks are asked for.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Those that are not over, and those whose notification is pending.
    Open,
    /// All that are not forgotten.
    All,
}

/// How long a command usually takes.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// The median of the last runs.
    pub duration: Duration,
    /// How many runs it is taken from, five at most.
    pub runs: usize,
}

/// What became of a stop.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSent {
    /// The program that supervises the task has it.
    Passed,
    /// The task had ended before.
    AlreadyEnded,
}

impl Store {
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.shared.folder()
    }

    /// The folder for the output of tasks: [`forget`](Self::forget) removes it from there.
    #[must_use]
    pub fn spool_dir(&self) -> PathBuf {
        self.folder().join("spool")
    }

    /// Whether nothing can be written, because the folder is read-only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.shared.is_read_only()
    }

    /// The task of this id, whoever runs it.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        self.shared.settle();
        self.shared
            .with("cannot read the task", |db| rows::task(db, id))
    }

    /// Tasks of `session`, or of all sessions, in the order in which they were launched.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn tasks(
        &self,
        selection: Selection,
        session: Option<&Owner>,
    ) -> Result<Vec<TaskRecord>, StoreError> {
        self.shared.settle();
        self.shared.with("cannot read the tasks", |db| {
            rows::tasks(db, selection, session)
        })
    }

    /// How long `command` usually takes in the folder `cwd`, a folder as the specs name it. `None` if it did not end by
    /// itself yet.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn usual(&self, command: &str, cwd: Option<&Path>) -> Result<Option<Usual>, StoreError> {
        self.shared.with("cannot read the history", |db| {
            rows::usual(db, command, cwd)
        })
    }

    /// Forgets the tasks that ended at least `age` ago and have no notification pending, with their output. How long
    /// their commands took is kept.
    ///
    /// # Errors
    ///
    /// If the database cannot be read or written, or a file cannot be removed. What was forgotten until then is.
    pub fn forget(&self, age: Duration) -> Result<Forgotten, StoreError> {
        self.shared.settle();
        self.shared.forget(age, &self.spool_dir())
    }

    /// Blocks until all that was pushed and recorded so far is safe on the disk, for at most `bound`.
    ///
    /// # Errors
    ///
    /// If it is not by then; the reason, if there is more to it than a slow disk.
    pub fn sync(&self, bound: Duration) -> Result<(), StoreError> {
        let deadline = Instant::now().checked_add(bound);
        if self.shared.backlog.is_held() {
            self.shared.start_writer();
        }
        match self.shared.backlog.wait_until_durable(deadline) {
            // What was written at once, past the line, is synced here.
            Ok(()) => self.shared.sync_log(),
            Err(problem) => Err(StoreError::new(
                StoreErrorKind::Busy,
                problem.unwrap_or_else(|| "the disk did not take everything in time".to_owned()),
            )),
        }
    }

    /// Is notified when anything changes, by whichever process, and when one of them dies. Look again between the call
    /// and the waiting. A lease that runs out changes nothing, and nobody is told.
    ///
    /// The first call starts to listen to other processes; their dead are then recovered without being asked for.
    #[must_use]
    pub fn listen_to_all(&self) -> EventListener {
        self.shared.watch();
        self.shared.changed.listen()
    }

    /// Ends the tasks of programs that died as lost, once what is left of them is stopped. Says which.
    ///
    /// # Errors
    ///
    /// If the database cannot be read or written: what is left to do is done at the next call.
    pub fn recover(&self) -> Result<Vec<TaskId>, StoreError> {
        self.shared.recover()
    }

    /// Lets other processes of this user stop `tasks`, until the store is dropped.
    ///
    /// # Errors
    ///
    /// If the socket for it cannot be made.
    pub fn serve(&self, tasks: &Tasks) -> Result<(), StoreError> {
        self.shared.serve(tasks)
    }

    /// Records a task that another process is about to launch, so that this one need not wait for it.
    ///
    /// # Errors
    ///
    /// If it cannot be recorded. Then there is no such task.
    pub fn promise(&self, spec: &Spec) -> Result<Promise, StoreError> {
        Promise::of(Arc::clone(&self.shared), spec)
    }

    /// Has a task stopped by whichever process supervises it. Returns when that has it, not when it is over.
    ///
    /// A process that was only just started is waited for, some seconds at most.
    ///
    /// # Errors
    ///
    /// If there is no such task, or the process that supervises it does not answer.
    pub fn stop(&self, id: TaskId, stop: Stop) -> Result<StopSent, StoreError> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let changed = self.listen_to_all();
            // What is left by a program that died a moment ago is stopped by this.
            let recovered = self.recover();
            let Some(task) = self.task(id)? else {
                let action = format!("there is no task {id}");
                return Err(StoreError::new(StoreErrorKind::UnknownTask, action));
            };
            if task.exit.is_some() {
                return Ok(StopSent::AlreadyEnded);
            }
            match self.shared.ask_to_stop(id, stop) {
                Ok(()) => return Ok(StopSent::Passed),
                Err(error) if changed.wait_deadline(deadline).is_none() => {
                    return Err(recovered.err().unwrap_or(error));
                }
                Err(_) => {}
            }
        }
    }
}

impl NotificationQueue for Store {
    fn push(&self, notification: Notification) {
        self.shared.submit(Change::Pushed(Box::new(notification)));
        self.shared.changed.notify(usize::MAX);
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        Arc::new(self.shared.drain(owner, max, lease))
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        self.shared.write_or_submit(Change::Told {
            owner: owner.clone(),
            events: events.to_vec(),
        });
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        self.shared.write_or_submit(Change::Released {
            owner: owner.clone(),
            events: events.to_vec(),
        });
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        self.acknowledge(owner, &[EventId::ended(task)]);
    }

    fn pending(&self, owner: &Owner) -> usize {
        self.shared.pending(owner)
    }

    fn listen(&self, _: &Owner) -> EventListener {
        self.listen_to_all()
    }

    fn record(&self, task: TaskId, milestone: Milestone<'_>) {
        let Some(change) = Change::of(task, milestone) else {
            return;
        };
        match change {
            // There before its id is known to anybody: nothing waits in line that concerns it.
            Change::Launched(_) => self.shared.write_ahead_or_submit(change),
            change => self.shared.submit(change),
        }
    }
}

/// Dropped with the last clone of a store.
#[derive(Debug)]
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
