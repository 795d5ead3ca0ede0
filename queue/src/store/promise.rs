//! Recording a task that another process is about to launch.
//!
//! A program that leaves a supervisor behind need not wait until that one is up: it records the task itself, under a
//! name that the supervisor gets from it. The lock on the name belongs to an open file, and goes with it from process to
//! process; if the supervisor never comes up, nobody holds it any more, and the task is told as lost.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::SystemTime;

use meanwhile_core::{Spec, TaskId};

use super::change::Launched;
use super::error::StoreError;
use super::ownership::Ownership;
use super::shared::Shared;

/// A task that is recorded, and that another process is to launch. Made by [`Store::promise`](super::Store::promise).
///
/// Give that process the [`lock`](Self::lock), and the name and the id with it. It then opens the store by
/// [`StoreOptions::heir`](super::StoreOptions::heir) and calls
/// [`Tasks::launch_as`](meanwhile_core::Tasks::launch_as). If nobody holds the lock any more, because this is dropped and
/// no other process has it, the task is lost, and told as such.
#[derive(Debug)]
pub struct Promise {
    task: TaskId,
    ownership: Ownership,
    shared: Arc<Shared>,
}

/// What the process that launches the task has of its [`Promise`].
#[derive(Debug)]
pub struct Inheritance {
    pub(super) name: String,
    pub(super) lock: File,
}

impl Promise {
    pub(super) fn of(shared: Arc<Shared>, spec: &Spec) -> Result<Self, StoreError> {
        let task = TaskId::random();
        let ownership = shared.claim()?;
        let launched = Launched::of(task, spec, &spec.command(), SystemTime::now());
        let written = shared.with("cannot record the task", |db| {
            launched.write(db, ownership.name())
        });
        if let Err(error) = written {
            ownership.resign();
            return Err(error);
        }
        shared.announce();
        Ok(Self {
            task,
            ownership,
            shared,
        })
    }

    /// The id of the task.
    #[must_use]
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// The name of the process that will have it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.ownership.name()
    }

    /// The open file that the process must hold, as a descriptor that it inherits.
    #[must_use]
    pub fn lock(&self) -> BorrowedFd<'_> {
        self.ownership.lock()
    }

    /// There is no process for it: the task was never launched, and its id is nobody's.
    ///
    /// # Errors
    ///
    /// If that cannot be written. The task is then told as lost.
    pub fn withdraw(self) -> Result<(), StoreError> {
        self.shared.with("cannot withdraw the task", |db| {
            db.execute("DELETE FROM tasks WHERE id = ?1", [self.task.as_str()])
        })?;
        self.ownership.resign();
        self.shared.announce();
        Ok(())
    }
}

impl Inheritance {
    /// From the name, and a descriptor of the lock that this process inherited.
    #[must_use]
    pub fn new(name: impl Into<String>, lock: OwnedFd) -> Self {
        Self {
            name: name.into(),
            lock: lock.into(),
        }
    }
}
