//! A store in a folder of its own, and what tests do with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use event_listener::Listener;
use meanwhile_core::{
    Ending, EventId, EventListener, Exit, ExitStatus, Milestone, Notification, NotificationQueue,
    Owner, Spec, TaskId,
};
use meanwhile_queue::{Notice, Store, StoreOptions, TaskRecord};
use tempfile::TempDir;

use crate::child::me;

/// Longer than any test.
pub(crate) const LEASE: Duration = Duration::from_secs(600);

/// Long enough for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Warnings of a store that works.
pub(crate) const NOTHING: [&str; 0] = [];

/// What the store had to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// For [`StoreOptions::warn`].
    pub(crate) fn sink(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let said = self.clone();
        move |problem| said.0.lock().unwrap().push(problem.to_owned())
    }
}

/// A folder for a store, in one that goes when it is dropped.
pub(crate) fn new() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    (folder, state)
}

/// Opens the store in `folder`; nobody's processes are left to be stopped.
pub(crate) fn open(folder: &Path) -> (Store, Warnings) {
    let warnings = Warnings::default();
    let store = StoreOptions::new(folder, |orphans| vec![0; orphans.len()])
        .warn(warnings.sink())
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

/// Records the launch of `spec` under a new id, as `Tasks` does.
pub(crate) fn launch(store: &Store, spec: &Spec) -> TaskId {
    let task = TaskId::random();
    let milestone = Milestone::Launched {
        spec,
        command: &spec.command(),
        at: SystemTime::now(),
    };
    store.record(task, milestone);
    task
}

/// Records the launch of a command for `owner`.
pub(crate) fn launch_for(store: &Store, owner: &Owner) -> TaskId {
    launch(store, &Spec::shell("make").owner(owner.clone()))
}

/// An exit with code 0.
pub(crate) fn completed() -> Exit {
    Exit::new(Ending::of(ExitStatus::Code(0)))
}

/// An ending of a task that nobody launched.
pub(crate) fn ending(owner: &Owner) -> Notification {
    ending_of(TaskId::random(), owner)
}

/// The ending of `task`.
pub(crate) fn ending_of(task: TaskId, owner: &Owner) -> Notification {
    Notification::ended(task, owner.clone(), "make", completed())
}

pub(crate) fn ids(items: &[Notification]) -> Vec<EventId> {
    items.iter().map(|item| item.event_id).collect()
}

/// The tasks whose endings a drain of everything has.
pub(crate) fn drain(store: &Store, owner: &Owner) -> Vec<TaskId> {
    let items = store.drain(owner, usize::MAX, LEASE);
    items.iter().map(|item| item.task_id).collect()
}

/// Drains and acknowledges everything.
pub(crate) fn take(store: &Store, owner: &Owner) -> Vec<TaskId> {
    let items = store.drain(owner, usize::MAX, LEASE);
    store.acknowledge(owner, &ids(&items));
    items.iter().map(|item| item.task_id).collect()
}

/// What the store has of a task that it must have.
pub(crate) fn record_of(store: &Store, task: TaskId) -> TaskRecord {
    store.task(task).unwrap().expect("the task is recorded")
}

/// Removes the folder of a store. A program that uses it may put something there in the middle of that; then it is done
/// again, as a person would.
pub(crate) fn remove(state: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = fs::remove_dir_all(state) {
        let is_filled = error.kind() == io::ErrorKind::DirectoryNotEmpty;
        assert!(is_filled && Instant::now() < deadline, "{error}");
    }
}

/// Waits for wake-ups alone until `holds`: a missed one is not made up for.
pub(crate) fn woken_until(store: &Store, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let listener = store.listen_to_all();
        if holds() {
            return;
        }
        let woken = listener.wait_deadline(deadline);
        assert!(woken.is_some(), "nothing woke it");
    }
}

pub(crate) fn notice_of(store: &Store, task: TaskId) -> Notice {
    record_of(store, task).notice
}

pub(crate) fn tasks_of(count: usize, store: &Store) -> Vec<TaskId> {
    (0..count).map(|_| launch_for(store, &me())).collect()
}

pub(crate) fn push_all(store: &Store, tasks: &[TaskId]) {
    for task in tasks {
        store.push(ending_of(*task, &me()));
    }
}

pub(crate) fn database(state: &Path) -> PathBuf {
    state.join("store.db")
}

pub(crate) fn said(warnings: &Warnings, what: &str) -> bool {
    warnings.all().iter().any(|line| line.contains(what))
}

/// Whether work goes on in it, and is found later.
pub(crate) fn works(store: &Store) {
    let folder = store.folder().to_owned();
    let [told, read] = [launch_for(store, &me()), launch_for(store, &me())];
    push_all(store, &[read]);
    assert!(take(store, &me()).contains(&read));
    push_all(store, &[told]);
    store.sync(PATIENCE).unwrap();
    let (again, warnings) = open(&folder);
    assert_eq!(
        warnings.all(),
        [""; 0],
        "it was opened again without a word"
    );
    assert_eq!(take(&again, &me()), [told]);
    assert_eq!(notice_of(&again, read), Notice::Told);
}
