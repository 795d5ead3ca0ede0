//! A queue that remembers what was pushed, for looking at what a backend makes `Tasks` say.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meanwhile_core::{
    EventId, EventListener, Milestone, Notification, NotificationQueue, Owner, ProcessId, TaskId,
    WakeUp,
};

/// Remembers every push and hands nothing out. Cheap to clone; clones are the same probe.
#[derive(Clone, Default)]
pub(crate) struct Probe(Arc<Inner>);

#[derive(Default)]
struct Inner {
    pushed: Mutex<Vec<Notification>>,
    leaders: Mutex<HashMap<TaskId, ProcessId>>,
    at_push: Mutex<Option<Box<AtPush>>>,
    wake_up: WakeUp,
}

type AtPush = dyn FnMut(&Notification) + Send;

impl Probe {
    /// All that was pushed, in order.
    pub(crate) fn pushed(&self) -> Vec<Notification> {
        lock(&self.0.pushed).clone()
    }

    /// What was pushed about `task`.
    pub(crate) fn pushed_about(&self, task: TaskId) -> Vec<Notification> {
        let mut pushed = self.pushed();
        pushed.retain(|notification| notification.task_id == task);
        pushed
    }

    /// The process that leads `task`, once the backend has said so.
    pub(crate) fn leader_of(&self, task: TaskId) -> Option<ProcessId> {
        lock(&self.0.leaders).get(&task).copied()
    }

    /// Has `look` look around at the moment of each push. It runs on the backend's thread, where a panic
    /// would be lost: it has to send what it sees.
    pub(crate) fn at_push(&self, look: impl FnMut(&Notification) + Send + 'static) {
        *lock(&self.0.at_push) = Some(Box::new(look));
    }
}

impl NotificationQueue for Probe {
    fn push(&self, notification: Notification) {
        if let Some(look) = &mut *lock(&self.0.at_push) {
            look(&notification);
        }
        lock(&self.0.pushed).push(notification);
        self.0.wake_up.notify(usize::MAX);
    }

    fn drain(&self, _: &Owner, _: usize, _: Duration) -> Arc<Vec<Notification>> {
        Arc::default()
    }

    fn acknowledge(&self, _: &Owner, _: &[EventId]) {}

    fn release(&self, _: &Owner, _: &[EventId]) {}

    fn consume(&self, _: &Owner, _: TaskId) {}

    fn pending(&self, _: &Owner) -> usize {
        0
    }

    fn listen(&self, _: &Owner) -> EventListener {
        self.0.wake_up.listen()
    }

    fn record(&self, task: TaskId, milestone: Milestone<'_>) {
        if let Milestone::Started {
            leader: Some(leader),
            ..
        } = milestone
        {
            lock(&self.0.leaders).insert(task, leader);
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.pushed().len()).finish()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
