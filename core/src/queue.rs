//! Where endings wait for the agent's next turn.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_listener::{EventListener, Listener};

use crate::blocking::Deadline;
use crate::{EventId, Milestone, Notification, Owner, TaskId};

/// A queue of notifications, each for one owner.
///
/// # For callers
///
/// Take an [`Inbox`]: it pairs a queue with an owner, gives back what was drained and not acknowledged, and
/// waits.
///
/// # For implementers
///
/// - `push` must neither block nor fail nor drop an ending, however full the queue is: coalesce or spill.
///   A queue that writes elsewhere keeps in memory what it could not write yet.
/// - `push` must have made the notification drainable, then woken every listener, before it returns.
/// - Items of one owner must be drained in the order in which they were pushed, and to that owner alone.
/// - A drained item is leased: it must not be drained again before the lease ran out or
///   [`release`](Self::release) gave it back, and must be drained again after, at its old place, under its
///   old event id. [`acknowledge`](Self::acknowledge) and [`consume`](Self::consume) end it for good.
/// - An event id that the queue does not know must be ignored wherever it is named.
pub trait NotificationQueue: Debug + Send + Sync + 'static {
    /// Puts `notification` at the end of its owner's queue.
    fn push(&self, notification: Notification);

    /// Takes up to `max` pending items of `owner`, all at once, and leases them for `lease`.
    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>>;

    /// Forgets these leased items: they were handed over.
    fn acknowledge(&self, owner: &Owner, events: &[EventId]);

    /// Gives these leased items back: the next drain has them again.
    fn release(&self, owner: &Owner, events: &[EventId]);

    /// Forgets the ending of `task`, pending or leased: its result was read elsewhere.
    fn consume(&self, owner: &Owner, task: TaskId);

    /// How many items a drain would take now.
    fn pending(&self, owner: &Owner) -> usize;

    /// Is notified when something becomes pending for `owner`. Look at [`pending`](Self::pending) between
    /// the call and the waiting. A lease that runs out need not notify it: where others may let one run out, look
    /// again when it may have.
    fn listen(&self, owner: &Owner) -> EventListener;

    /// Is told of `task` what is not told by [`push`](Self::push). A queue that outlives this process keeps it, so
    /// that whoever comes after knows what ran; by default it is not kept.
    ///
    /// Nothing waits for a disk in here for long: [`Milestone::Launched`] comes from the launch itself.
    fn record(&self, task: TaskId, milestone: Milestone<'_>) {
        let _ = (task, milestone);
    }

    /// Whether [`record`](Self::record) keeps anything. Only a queue that keeps nothing says `false`: then backends need
    /// not find out who leads a task, and nothing could be found by it later.
    fn keeps_records(&self) -> bool {
        true
    }
}

/// One owner's end of a queue.
///
/// Cheap to clone. Dropping it changes nothing.
#[derive(Debug, Clone)]
pub struct Inbox {
    queue: Arc<dyn NotificationQueue>,
    owner: Owner,
    lease: Duration,
}

impl Inbox {
    /// How long a drained item stays away if its holder neither acknowledges nor gives it back.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(60);

    /// The inbox of `owner` in `queue`.
    #[must_use]
    pub fn new(queue: Arc<dyn NotificationQueue>, owner: Owner) -> Self {
        Self {
            queue,
            owner,
            lease: Self::DEFAULT_LEASE,
        }
    }

    /// Sets the lease. Zero gives an item back to whoever drains next.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Whose inbox it is.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Takes all that is pending.
    #[must_use = "what is not acknowledged goes back into the queue"]
    pub fn drain(&self) -> Drained {
        self.drain_up_to(usize::MAX)
    }

    /// Takes the first `max` that are pending.
    #[must_use = "what is not acknowledged goes back into the queue"]
    pub fn drain_up_to(&self, max: usize) -> Drained {
        let leased_until = Instant::now().checked_add(self.lease);
        let items = self.queue.drain(&self.owner, max, self.lease);
        Drained {
            inbox: self.clone(),
            items,
            leased_until,
            handed_over: 0,
        }
    }

    /// How many items a drain would take now.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.pending(&self.owner)
    }

    /// Waits until something is pending. A lease that runs out need not wake it.
    pub async fn wait(&self) {
        while let Some(listener) = self.listen_if_empty() {
            listener.await;
        }
    }

    /// Blocks the thread until something is pending.
    pub fn wait_blocking(&self) {
        while let Some(listener) = self.listen_if_empty() {
            listener.wait();
        }
    }

    /// Blocks the thread until something is pending, or `timeout` has passed. Says whether something is.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let deadline = Deadline::after(timeout);
        while let Some(listener) = self.listen_if_empty() {
            if !deadline.wait(listener) {
                return self.pending() > 0;
            }
        }
        true
    }

    /// Listens first and looks second, so that no push falls between.
    fn listen_if_empty(&self) -> Option<EventListener> {
        if self.pending() > 0 {
            return None;
        }
        let listener = self.queue.listen(&self.owner);
        (self.pending() == 0).then_some(listener)
    }
}

/// Notifications that were drained, on lease.
///
/// [`acknowledge`](Self::acknowledge) them when they were handed over. Dropped without, they go back into
/// the queue, so that an error on the way loses none.
#[derive(Debug)]
pub struct Drained {
    inbox: Inbox,
    items: Arc<Vec<Notification>>,
    /// `None` lies beyond the end of the clock.
    leased_until: Option<Instant>,
    handed_over: usize,
}

impl Drained {
    /// All of them were handed over.
    pub fn acknowledge(self) {
        let all = self.items.len();
        self.acknowledge_first(all);
    }

    /// The first `count` were handed over; the others go back.
    pub fn acknowledge_first(mut self, count: usize) {
        self.handed_over = count.min(self.items.len());
        let events = ids(&self.items[..self.handed_over]);
        if !events.is_empty() {
            self.inbox.queue.acknowledge(&self.inbox.owner, &events);
        }
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        // By now they may be on somebody else's lease, which is not ours to give back.
        if self
            .leased_until
            .is_some_and(|until| until <= Instant::now())
        {
            return;
        }
        let events = ids(&self.items[self.handed_over..]);
        if !events.is_empty() {
            self.inbox.queue.release(&self.inbox.owner, &events);
        }
    }
}

impl Deref for Drained {
    type Target = [Notification];

    fn deref(&self) -> &[Notification] {
        &self.items
    }
}

fn ids(items: &[Notification]) -> Vec<EventId> {
    items.iter().map(|item| item.event_id).collect()
}

/// A shared queue is a queue.
#[deny(clippy::missing_trait_methods)]
impl<Q: NotificationQueue + ?Sized> NotificationQueue for Arc<Q> {
    fn push(&self, notification: Notification) {
        (**self).push(notification);
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        (**self).drain(owner, max, lease)
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        (**self).acknowledge(owner, events);
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        (**self).release(owner, events);
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        (**self).consume(owner, task);
    }

    fn pending(&self, owner: &Owner) -> usize {
        (**self).pending(owner)
    }

    fn listen(&self, owner: &Owner) -> EventListener {
        (**self).listen(owner)
    }

    fn record(&self, task: TaskId, milestone: Milestone<'_>) {
        (**self).record(task, milestone);
    }

    fn keeps_records(&self) -> bool {
        (**self).keeps_records()
    }
}
