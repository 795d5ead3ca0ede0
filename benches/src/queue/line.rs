//! Lines of notifications, behind one face.

use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex};

use meanwhile_core::{Drained, Inbox, Notification, NotificationQueue, Owner};
use meanwhile_queue::MemoryQueue;

/// A line of notifications, held where they are taken.
pub(super) trait Line: Sized + 'static {
    /// Held where they are pushed.
    type Entrance: Clone + Send + Sync + 'static;

    /// What a turn took.
    type Batch: Deref<Target = [Notification]>;

    /// A new line to `owner`, with so much room if it is bounded.
    fn open(owner: &Owner, room: usize) -> (Self::Entrance, Self);

    /// Puts `item` at the end, as soon as there is room.
    fn push(entrance: &Self::Entrance, item: Notification);

    /// Takes all there is.
    fn drain(&mut self) -> Self::Batch;

    /// Gets rid of what was taken.
    fn finish(batch: Self::Batch) {
        drop(batch);
    }

    /// Blocks until there is something, takes it, gets rid of it, and says of how many.
    fn receive(&mut self) -> usize;
}

impl Line for Inbox {
    type Entrance = Arc<dyn NotificationQueue>;
    type Batch = Drained;

    fn open(owner: &Owner, _: usize) -> (Self::Entrance, Self) {
        let queue: Self::Entrance = Arc::new(MemoryQueue::new());
        (Arc::clone(&queue), Self::new(queue, owner.clone()))
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.push(item);
    }

    fn drain(&mut self) -> Drained {
        Self::drain(self)
    }

    fn finish(batch: Drained) {
        batch.acknowledge();
    }

    fn receive(&mut self) -> usize {
        self.wait_blocking();
        let batch = Self::drain(self);
        let count = batch.len();
        batch.acknowledge();
        count
    }
}

/// A list behind a lock; all of it is taken at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Guarded(Arc<(Mutex<Vec<Notification>>, Condvar)>);

impl Line for Guarded {
    type Entrance = Self;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, _: usize) -> (Self, Self) {
        let list = Self::default();
        (list.clone(), list)
    }

    fn push(entrance: &Self, item: Notification) {
        let (list, filled) = &*entrance.0;
        let mut list = list.lock().expect("nobody panics in here");
        let was_empty = list.is_empty();
        list.push(item);
        drop(list);
        // One consumer, which sleeps only while the list is empty.
        if was_empty {
            filled.notify_one();
        }
    }

    fn drain(&mut self) -> Vec<Notification> {
        mem::take(&mut *self.0.0.lock().expect("nobody panics in here"))
    }

    fn receive(&mut self) -> usize {
        let (list, filled) = &*self.0;
        let list = list.lock().expect("nobody panics in here");
        let mut list = filled
            .wait_while(list, |list| list.is_empty())
            .expect("nobody panics in here");
        let batch = mem::take(&mut *list);
        drop(list);
        batch.len()
    }
}
