use std::time::Duration;

use meanwhile_core::{EndedBy, Inbox, Lifecycle, Owner, Spec, Stop, Tasks};
use meanwhile_queue::MemoryQueue;

use super::{Program, Runner};

/// A backend, with its notifications in a [`MemoryQueue`]. An end counts when its notification is drained.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) tasks: Tasks,
    pub(crate) inbox: Inbox,
    /// How many run that do not end by themselves.
    sleepers: usize,
}

impl Ours {
    /// Runs programs on `backend`.
    pub(crate) fn new(backend: impl Lifecycle) -> Self {
        let tasks = Tasks::new(backend, MemoryQueue::new());
        let inbox = tasks.inbox(Owner::default());
        Self {
            tasks,
            inbox,
            sleepers: 0,
        }
    }

    /// Takes note of what has ended by itself, without waiting, and says how many did.
    ///
    /// # Panics
    ///
    /// If one failed.
    pub(crate) fn drain(&self) -> usize {
        let ended = self.inbox.drain();
        for notification in ended.iter() {
            assert_eq!(notification.exit.code(), Some(0), "it must end by itself");
        }
        let count = ended.len();
        ended.acknowledge();
        count
    }
}

impl Runner for Ours {
    fn launch(&mut self, program: Program) {
        if program == Program::Sleep {
            self.sleepers += 1;
        }
        self.tasks
            .launch(Spec::program(program.path()).args(program.args()))
            .expect("the backend runs programs");
    }

    fn ended(&mut self) -> usize {
        self.inbox.wait_blocking();
        self.drain()
    }

    fn room(&self) -> usize {
        self.tasks.capabilities().max_live().unwrap_or(usize::MAX)
    }

    fn stop_all(&mut self) {
        let stop = Stop::by(EndedBy::Agent).grace(Duration::from_secs(5));
        for task in self.tasks.list() {
            if task.exit().is_none() {
                task.stop(stop);
            }
        }
        while self.sleepers > 0 {
            self.inbox.wait_blocking();
            let ended = self.inbox.drain();
            self.sleepers -= ended.len();
            ended.acknowledge();
        }
    }
}
