//! A naive queue: one list under one lock.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use meanwhile_core::{
    EventId, EventListener, Notification, NotificationQueue, Owner, TaskId, WakeUp,
};

/// What is wrong with a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    ShowsAPushWithTheNext,
    LastInFirstOut,
    MixesOwners,
    BelievesEveryOwner,
    TakesTooMany,
    LosesOnLease,
    LeasesNothing,
    ChangesTheEventId,
    PutsBackAtTheEnd,
    TakesAcknowledgedForReleased,
    KeepsLeasesForever,
    ForgetsAllOnUnknownEvents,
    DropsWhenFull,
    BlocksWhenFull,
    TellsWhatWasConsumed,
    WakesNobody,
    WakesOne,
    WakesNobodyOnRelease,
}

#[derive(Debug)]
pub(crate) struct NaiveQueue {
    flaw: Flaw,
    items: Mutex<Vec<Item>>,
    never: Condvar,
    wake_up: WakeUp,
}

#[derive(Debug, Clone)]
struct Item {
    notification: Notification,
    /// Not pending before.
    from: Instant,
}

impl NaiveQueue {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            items: Mutex::default(),
            never: Condvar::new(),
            wake_up: WakeUp::new(),
        }
    }

    fn is_pending(&self, item: &Item, owner: &Owner) -> bool {
        let theirs = self.flaw == Flaw::MixesOwners || item.notification.owner == *owner;
        theirs && item.from <= Instant::now()
    }

    fn is_of(&self, item: &Item, owner: &Owner) -> bool {
        self.flaw == Flaw::BelievesEveryOwner || item.notification.owner == *owner
    }

    fn wake(&self) {
        match self.flaw {
            Flaw::WakesNobody => {}
            Flaw::WakesOne => drop(self.wake_up.notify(1)),
            _ => drop(self.wake_up.notify(usize::MAX)),
        }
    }

    fn items(&self) -> MutexGuard<'_, Vec<Item>> {
        self.items
            .lock()
            .expect("nobody panics with the list in hand")
    }

    /// Forgets all of the owner's items that are `over`; a flawed queue takes none for all.
    fn forget(&self, owner: &Owner, over: impl Fn(&Item) -> bool) {
        let mut items = self.items();
        let before = items.len();
        items.retain(|item| !(self.is_of(item, owner) && over(item)));
        if items.len() == before && self.flaw == Flaw::ForgetsAllOnUnknownEvents {
            items.clear();
        }
    }
}

impl NotificationQueue for NaiveQueue {
    fn push(&self, notification: Notification) {
        const ROOM: usize = 10_000;
        let mut items = self.items();
        if items.len() == ROOM {
            match self.flaw {
                Flaw::DropsWhenFull => return,
                Flaw::BlocksWhenFull => {
                    let waiting = self.never.wait_while(items, |items| items.len() == ROOM);
                    items = waiting.unwrap_or_else(PoisonError::into_inner);
                }
                _ => {}
            }
        }
        let now = Instant::now();
        let far = now + Duration::from_secs(3600);
        let late = self.flaw == Flaw::ShowsAPushWithTheNext;
        if let Some(last) = items.last_mut().filter(|_| late) {
            last.from = now;
        }
        items.push(Item {
            notification,
            from: if late { far } else { now },
        });
        drop(items);
        self.wake();
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        let mut items = self.items();
        if self.flaw == Flaw::LastInFirstOut {
            items.reverse();
        }
        let max = if self.flaw == Flaw::TakesTooMany {
            usize::MAX
        } else {
            max
        };
        let until = Instant::now() + lease.min(Duration::from_secs(3600));
        let mut drained = Vec::new();
        for item in items.iter_mut() {
            if drained.len() < max && self.is_pending(item, owner) {
                drained.push(item.notification.clone());
                item.from = match self.flaw {
                    Flaw::LeasesNothing => item.from,
                    Flaw::KeepsLeasesForever => Instant::now() + Duration::from_secs(3600),
                    _ => until,
                };
            }
        }
        if self.flaw == Flaw::LosesOnLease {
            items.retain(|item| !drained.contains(&item.notification));
        }
        if self.flaw == Flaw::LastInFirstOut {
            items.reverse();
        }
        Arc::new(drained)
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        if self.flaw == Flaw::TakesAcknowledgedForReleased {
            return self.release(owner, events);
        }
        let events: HashSet<_> = events.iter().collect();
        self.forget(owner, |item| events.contains(&item.notification.event_id));
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        let mut items = self.items();
        for item in items.iter_mut() {
            if self.is_of(item, owner) && events.contains(&item.notification.event_id) {
                item.from = Instant::now();
                if self.flaw == Flaw::ChangesTheEventId {
                    item.notification.event_id = EventId::ended(TaskId::random());
                }
            }
        }
        if self.flaw == Flaw::PutsBackAtTheEnd {
            items.sort_by_key(|item| events.contains(&item.notification.event_id));
        }
        drop(items);
        if self.flaw != Flaw::WakesNobodyOnRelease {
            self.wake();
        }
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        if self.flaw != Flaw::TellsWhatWasConsumed {
            self.forget(owner, |item| item.notification.task_id == task);
        }
    }

    fn pending(&self, owner: &Owner) -> usize {
        let items = self.items();
        items
            .iter()
            .filter(|item| self.is_pending(item, owner))
            .count()
    }

    fn listen(&self, _: &Owner) -> EventListener {
        self.wake_up.listen()
    }
}
