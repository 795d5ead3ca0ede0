//! The plainest queue that keeps the contract, but for leases that run out.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use meanwhile_core::{EventId, EventListener, Milestone, Notification, NotificationQueue};
use meanwhile_core::{Owner, TaskId, WakeUp};

#[derive(Clone)]
pub(crate) struct List(Arc<Inner>);

struct Inner {
    items: Mutex<Vec<Item>>,
    wake_up: WakeUp,
    /// Called with each notification before it is in the queue.
    on_push: Box<dyn Fn(&Notification) + Send + Sync>,
    /// Called with each task whose launch is recorded.
    on_launch: Box<dyn Fn(TaskId) + Send + Sync>,
    late: Mutex<Option<Notification>>,
}

struct Item {
    notification: Notification,
    leased: bool,
}

impl List {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(on_push: impl Fn(&Notification) + Send + Sync + 'static) -> Self {
        Self::of(on_push, |_| {})
    }

    pub(crate) fn recording(on_launch: impl Fn(TaskId) + Send + Sync + 'static) -> Self {
        Self::of(|_| {}, on_launch)
    }

    fn of(
        on_push: impl Fn(&Notification) + Send + Sync + 'static,
        on_launch: impl Fn(TaskId) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            items: Mutex::default(),
            wake_up: WakeUp::new(),
            on_push: Box::new(on_push),
            on_launch: Box::new(on_launch),
            late: Mutex::default(),
        }))
    }

    /// Pushes this just before the next listener is made: after the look that made somebody listen.
    pub(crate) fn push_late(&self, notification: Notification) {
        *self.late() = Some(notification);
    }

    fn late(&self) -> MutexGuard<'_, Option<Notification>> {
        self.0.late.lock().expect("no test panics with this lock")
    }

    /// How many there are, of all owners, on lease or not.
    pub(crate) fn len(&self) -> usize {
        self.items().len()
    }

    fn items(&self) -> MutexGuard<'_, Vec<Item>> {
        self.0.items.lock().expect("no test panics with this lock")
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("List")
    }
}

impl NotificationQueue for List {
    fn push(&self, notification: Notification) {
        (self.0.on_push)(&notification);
        self.items().push(Item {
            notification,
            leased: false,
        });
        self.0.wake_up.notify(usize::MAX);
    }

    fn drain(&self, owner: &Owner, max: usize, _: Duration) -> Arc<Vec<Notification>> {
        let mut items = self.items();
        let pending = items.iter_mut().filter(|item| item.is_pending(owner));
        let lease = |item: &mut Item| {
            item.leased = true;
            item.notification.clone()
        };
        Arc::new(pending.take(max).map(lease).collect())
    }

    fn acknowledge(&self, _: &Owner, events: &[EventId]) {
        self.items()
            .retain(|item| !(item.leased && events.contains(&item.notification.event_id)));
    }

    fn release(&self, _: &Owner, events: &[EventId]) {
        for item in self.items().iter_mut() {
            if events.contains(&item.notification.event_id) {
                item.leased = false;
            }
        }
        self.0.wake_up.notify(usize::MAX);
    }

    fn consume(&self, _: &Owner, task: TaskId) {
        self.items()
            .retain(|item| item.notification.task_id != task);
    }

    fn pending(&self, owner: &Owner) -> usize {
        let items = self.items();
        items.iter().filter(|item| item.is_pending(owner)).count()
    }

    fn listen(&self, _: &Owner) -> EventListener {
        let late = self.late().take();
        if let Some(late) = late {
            self.push(late);
        }
        self.0.wake_up.listen()
    }

    fn record(&self, task: TaskId, milestone: Milestone<'_>) {
        if let Milestone::Launched { .. } = milestone {
            (self.0.on_launch)(task);
        }
    }
}

impl Item {
    fn is_pending(&self, owner: &Owner) -> bool {
        !self.leased && self.notification.owner == *owner
    }
}
