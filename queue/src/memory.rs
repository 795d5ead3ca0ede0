//! The queue of one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use meanwhile_core::{EventId, EventListener, Notification, NotificationQueue, Owner};
use meanwhile_core::{TaskId, WakeUp};

use crate::line::Line;

/// A queue in the memory of this process.
///
/// It takes an ending in, and hands all of them out, under one short lock an owner; a drain of everything
/// that is pending costs the same however much that is. Owners come and go: one that has nothing pending,
/// nothing on lease and no listener is forgotten in time.
///
/// # Bounds
///
/// Up to its capacity (10,000 by default) the queue keeps the endings of each owner whole, on lease or not.
/// An ending that comes on top is kept too, but shortened: 80 characters of the command and of the reason why
/// it could not be started, and no description. Beside its owner's name and the path of its output that is
/// about 1 KiB at most. Nothing is dropped, and `push` never waits for room.
///
/// # Leases
///
/// A lease that runs out wakes nobody, for there is no timer here: the next look at
/// [`pending`](NotificationQueue::pending), and the next drain, find the ending again.
///
/// ```
/// use std::time::Duration;
/// use meanwhile_core::{Ending, Exit, ExitStatus, Notification, NotificationQueue, Owner, TaskId};
/// use meanwhile_queue::MemoryQueue;
///
/// let queue = MemoryQueue::new();
/// let owner = Owner::default();
/// let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
/// queue.push(Notification::ended(TaskId::random(), owner.clone(), "make", exit));
///
/// let batch = queue.drain(&owner, usize::MAX, Duration::from_secs(60));
/// assert_eq!((batch.len(), queue.pending(&owner)), (1, 0));
///
/// queue.release(&owner, &[batch[0].event_id]);
/// assert_eq!(queue.pending(&owner), 1);
/// ```
#[derive(Debug)]
pub struct MemoryQueue {
    capacity: usize,
    owners: RwLock<Owners>,
}

#[derive(Debug)]
struct Owners {
    mailboxes: HashMap<Owner, Arc<Mailbox>>,
    /// How many there may be before the idle ones are looked for.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Mailbox {
    line: Mutex<Line>,
    wake_up: WakeUp,
}

impl MemoryQueue {
    /// How many endings of one owner are kept whole by default.
    pub const DEFAULT_CAPACITY: usize = 10_000;

    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// An empty queue that keeps this many endings of one owner whole.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let owners = Owners {
            mailboxes: HashMap::new(),
            sweep_at: Owners::SWEEP_AT_LEAST,
        };
        Self {
            capacity,
            owners: RwLock::new(owners),
        }
    }

    fn mailbox(&self, owner: &Owner) -> Option<Arc<Mailbox>> {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        owners.mailboxes.get(owner).cloned()
    }

    fn mailbox_or_new(&self, owner: &Owner) -> Arc<Mailbox> {
        self.mailbox(owner).unwrap_or_else(|| {
            let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
            owners.get_or_insert(owner)
        })
    }
}

impl Default for MemoryQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl NotificationQueue for MemoryQueue {
    fn push(&self, notification: Notification) {
        let mailbox = self.mailbox_or_new(&notification.owner);
        mailbox.line().push(notification, self.capacity);
        mailbox.wake_up.notify(usize::MAX);
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        self.mailbox(owner).map_or_else(Arc::default, |mailbox| {
            mailbox.line().drain(max, Instant::now(), lease)
        })
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        if let Some(mailbox) = self.mailbox(owner) {
            mailbox.line().acknowledge(events);
        }
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        if let Some(mailbox) = self.mailbox(owner) {
            let any = mailbox.line().release(events, Instant::now());
            if any {
                mailbox.wake_up.notify(usize::MAX);
            }
        }
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        if let Some(mailbox) = self.mailbox(owner) {
            mailbox.line().consume(EventId::ended(task));
        }
    }

    fn pending(&self, owner: &Owner) -> usize {
        self.mailbox(owner)
            .map_or(0, |mailbox| mailbox.line().pending(Instant::now()))
    }

    fn listen(&self, owner: &Owner) -> EventListener {
        self.mailbox_or_new(owner).wake_up.listen()
    }
}

impl Owners {
    const SWEEP_AT_LEAST: usize = 64;

    /// Forgets the idle ones each time their number may have doubled, so that no owner pays for it twice.
    fn get_or_insert(&mut self, owner: &Owner) -> Arc<Mailbox> {
        if self.mailboxes.len() >= self.sweep_at {
            self.mailboxes.retain(|_, mailbox| mailbox.is_in_use());
            self.sweep_at = (self.mailboxes.len() * 2).max(Self::SWEEP_AT_LEAST);
        }
        Arc::clone(self.mailboxes.entry(owner.clone()).or_default())
    }
}

impl Mailbox {
    /// Locks. A panic elsewhere does not matter: a line is whole whenever something could panic.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asked with all owners locked, when nobody can get at the mailbox anew. Who got at it before, and is
    /// about to push or to listen, still counts in its references.
    fn is_in_use(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1 || self.wake_up.total_listeners() > 0 || !self.line().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_many_come_and_go(queue: &MemoryQueue) {
        for n in 0..10_000 {
            drop(queue.listen(&Owner::new(format!("session {n}"))));
        }
    }

    #[test]
    fn owners_that_came_and_went_are_forgotten() {
        let queue = MemoryQueue::new();
        let_many_come_and_go(&queue);
        let known = queue.owners.read().unwrap().mailboxes.len();
        assert!(known <= Owners::SWEEP_AT_LEAST, "{known} are kept");
    }

    #[test]
    fn a_mailbox_that_somebody_is_about_to_push_to_is_kept() {
        let (queue, owner) = (MemoryQueue::new(), Owner::default());
        let mailbox = queue.mailbox_or_new(&owner);
        let_many_come_and_go(&queue);
        assert!(Arc::ptr_eq(&mailbox, &queue.mailbox_or_new(&owner)));
    }
}
