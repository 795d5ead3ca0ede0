//! A store in a folder of its own.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_core::{
    Ending, EventId, EventListener, Exit, ExitStatus, Milestone, Notification, NotificationQueue,
    Owner, TaskId,
};
use meanwhile_queue::{Store, StoreOptions};
use tempfile::TempDir;

/// Longer than any test.
pub(crate) const LEASE: Duration = Duration::from_secs(600);

/// Long enough for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the store had to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Opens the store in `folder`; nobody's processes are left to be stopped.
pub(crate) fn open(folder: &Path) -> (Store, Warnings) {
    let warnings = Warnings::default();
    let said = warnings.clone();
    let store = StoreOptions::new(folder, |orphans| vec![0; orphans.len()])
        .warn(move |problem| said.0.lock().unwrap().push(problem.to_owned()))
        .open()
        .unwrap();
    (store, warnings)
}

/// A store with the folder that goes when it does.
#[derive(Debug)]
pub(crate) struct InFolder {
    store: Store,
    _folder: TempDir,
}

impl InFolder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: open(&folder.path().join("state")).0,
            _folder: folder,
        }
    }
}

impl NotificationQueue for InFolder {
    fn push(&self, notification: Notification) {
        self.store.push(notification);
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        self.store.drain(owner, max, lease)
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        self.store.acknowledge(owner, events);
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        self.store.release(owner, events);
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        self.store.consume(owner, task);
    }

    fn pending(&self, owner: &Owner) -> usize {
        self.store.pending(owner)
    }

    fn listen(&self, owner: &Owner) -> EventListener {
        self.store.listen(owner)
    }

    fn record(&self, task: TaskId, milestone: Milestone<'_>) {
        self.store.record(task, milestone);
    }
}

/// An ending of a task that nobody launched.
pub(crate) fn ending(owner: &Owner) -> Notification {
    let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
    Notification::ended(TaskId::random(), owner.clone(), "make", exit)
}

pub(crate) fn ids(items: &[Notification]) -> Vec<EventId> {
    items.iter().map(|item| item.event_id).collect()
}
