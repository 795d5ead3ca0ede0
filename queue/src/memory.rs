//! The queue of one process.

use std::cmp;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meanwhile_core::{EventId, EventListener, Notification, NotificationQueue, Owner};
use meanwhile_core::{TaskId, WakeUp};

use crate::line::Line;

/// A queue in the memory of this process.
///
/// It takes an ending in, and hands all of them out, under one short lock; a drain of everything that is
/// pending costs the same however much that is. Owners come and go: one that has nothing pending, nothing on
/// lease and no listener is forgotten in time.
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
    /// One lock for all of them, and no count of references to a mailbox: each more that producers share would
    /// cost them more than they wait for one another here.
    owners: Mutex<Owners>,
}

#[derive(Debug)]
struct Owners {
    /// Sorted by the names. There are few as a rule, and few names are compared faster than one is hashed.
    mailboxes: Vec<(Owner, Box<Mailbox>)>,
    /// How many there may be before the idle ones are looked for.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Mailbox {
    line: Line,
    /// Shared with those who wake them, which nobody does with the owners locked: a waker is foreign code.
    listeners: Arc<Listeners>,
}

/// Who is to be woken. Most pushes find nobody, and a look at an event takes a lock.
#[derive(Debug, Default)]
struct Listeners {
    event: WakeUp,
    /// How many there ever were.
    came: AtomicU64,
    /// How many of these, the first, have certainly been woken.
    woken: AtomicU64,
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
            mailboxes: Vec::new(),
            sweep_at: Owners::SWEEP_AT_LEAST,
        };
        Self {
            capacity,
            owners: Mutex::new(owners),
        }
    }

    /// Locks. A panic elsewhere does not matter: a line is whole whenever something could panic. The time is taken
    /// with the lock held, so that nobody looks with an older one than an item was given back at.
    fn owners(&self) -> MutexGuard<'_, Owners> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl NotificationQueue for MemoryQueue {
    fn push(&self, notification: Notification) {
        let mut owners = self.owners();
        let mailbox = owners.get_or_insert(&notification.owner);
        mailbox.line.push(notification, self.capacity);
        let waiting = mailbox.waiting();
        drop(owners);
        wake(waiting);
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        self.owners()
            .get(owner)
            .map_or_else(Arc::default, |mailbox| {
                mailbox.line.drain(max, Instant::now(), lease)
            })
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        if let Some(mailbox) = self.owners().get(owner) {
            mailbox.line.acknowledge(events);
        }
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        let waiting = self.owners().get(owner).and_then(|mailbox| {
            let any = mailbox.line.release(events, Instant::now());
            any.then(|| mailbox.waiting()).flatten()
        });
        wake(waiting);
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        if let Some(mailbox) = self.owners().get(owner) {
            mailbox.line.consume(EventId::ended(task));
        }
    }

    fn pending(&self, owner: &Owner) -> usize {
        self.owners()
            .get(owner)
            .map_or(0, |mailbox| mailbox.line.pending(Instant::now()))
    }

    fn listen(&self, owner: &Owner) -> EventListener {
        self.owners().get_or_insert(owner).listeners.add()
    }

    fn keeps_records(&self) -> bool {
        false
    }
}

impl Owners {
    const SWEEP_AT_LEAST: usize = 64;

    fn get(&mut self, owner: &Owner) -> Option<&mut Mailbox> {
        let at = self.find(owner).ok()?;
        Some(&mut self.mailboxes[at].1)
    }

    fn get_or_insert(&mut self, owner: &Owner) -> &mut Mailbox {
        let at = self.find(owner).unwrap_or_else(|_| self.insert(owner));
        &mut self.mailboxes[at].1
    }

    /// Where the mailbox of `owner` is, or has to go.
    fn find(&self, owner: &Owner) -> Result<usize, usize> {
        self.mailboxes.binary_search_by(|(known, _)| {
            // The same name is mostly the same text, and then it is not read: beside it lies the count of its
            // references, to which everybody writes who drops an ending.
            if ptr::eq(known.as_str(), owner.as_str()) {
                cmp::Ordering::Equal
            } else {
                known.cmp(owner)
            }
        })
    }

    /// Forgets the idle ones each time their number may have doubled, so that no owner pays for it twice.
    fn insert(&mut self, owner: &Owner) -> usize {
        if self.mailboxes.len() >= self.sweep_at {
            self.mailboxes.retain(|(_, mailbox)| mailbox.is_in_use());
            self.sweep_at = (self.mailboxes.len() * 2).max(Self::SWEEP_AT_LEAST);
        }
        let (Ok(at) | Err(at)) = self.find(owner);
        self.mailboxes.insert(at, (owner.clone(), Box::default()));
        at
    }
}

impl Mailbox {
    /// Those who are to be woken, if there may be any.
    fn waiting(&self) -> Option<Arc<Listeners>> {
        self.listeners
            .may_wait()
            .then(|| Arc::clone(&self.listeners))
    }

    fn is_in_use(&self) -> bool {
        self.listeners.event.total_listeners() > 0 || !self.line.is_empty()
    }
}

fn wake(waiting: Option<Arc<Listeners>>) {
    if let Some(listeners) = waiting {
        listeners.wake();
    }
}

impl Listeners {
    fn add(&self) -> EventListener {
        let listener = self.event.listen();
        self.came.fetch_add(1, Ordering::Release);
        listener
    }

    /// Whoever listens before he looks at the line, and finds nothing, was counted before the next push.
    fn may_wait(&self) -> bool {
        self.came.load(Ordering::Acquire) != self.woken.load(Ordering::Acquire)
    }

    /// Counts them as woken only then: a push at the same time must not return before.
    fn wake(&self) {
        let came = self.came.load(Ordering::Acquire);
        self.event.notify(usize::MAX);
        self.woken.fetch_max(came, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_that_came_and_went_are_forgotten() {
        let queue = MemoryQueue::new();
        for n in 0..10_000 {
            drop(queue.listen(&Owner::new(format!("session {n}"))));
        }
        let known = queue.owners().mailboxes.len();
        assert!(known <= Owners::SWEEP_AT_LEAST, "{known} are kept");
    }
}
