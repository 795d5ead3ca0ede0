//! A backend and a queue that do what a test says.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod backend;
pub(crate) mod queue;

use std::time::Duration;

use meanwhile_core::{Handle, Owner, Spec, Tasks};

/// Far longer than any of this takes: who waits for so long waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Tasks on a backend that runs each of them until the test ends it.
pub(crate) fn tasks() -> (Tasks, backend::Backend, queue::List) {
    tasks_on(backend::Backend::new())
}

pub(crate) fn tasks_on(backend: backend::Backend) -> (Tasks, backend::Backend, queue::List) {
    let queue = queue::List::new();
    let tasks = Tasks::new(backend.clone(), queue.clone());
    (tasks, backend, queue)
}

#[track_caller]
pub(crate) fn launch(tasks: &Tasks, command: &str) -> Handle {
    tasks.launch(Spec::shell(command)).expect("a valid spec")
}

/// The commands of all that is pending for the default owner, drained and acknowledged.
pub(crate) fn told(tasks: &Tasks) -> Vec<String> {
    let drained = tasks.inbox(Owner::default()).drain();
    let commands = drained
        .iter()
        .map(|item| item.command.to_string())
        .collect();
    drained.acknowledge();
    commands
}

/// A job that a backend of these tests never runs.
#[derive(Debug)]
pub(crate) struct Idle;

#[meanwhile_core::async_trait]
impl meanwhile_core::Job for Idle {
    async fn run(&self, _: meanwhile_core::JobContext) -> Result<(), meanwhile_core::JobError> {
        Ok(())
    }
}
