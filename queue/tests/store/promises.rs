//! Tasks that one process records and another one launches.

use std::path::Path;

use event_listener::Listener;
use meanwhile_core::{NotificationQueue, Spec};
use meanwhile_queue::{Inheritance, Notice, Promise, Store, StoreOptions};

use crate::child::me;
use crate::support::{PATIENCE, drain, ending_of, notice_of, open, record_of, woken_until};

fn spec() -> Spec {
    Spec::shell("make").owner(me())
}

/// The process that the task was promised to: it has the lock as if it had inherited the descriptor.
fn heir(folder: &Path, promise: &Promise) -> Store {
    let lock = promise.lock().try_clone_to_owned().unwrap();
    StoreOptions::new(folder, |orphans| vec![0; orphans.len()])
        .heir(Inheritance::new(promise.name(), lock))
        .open()
        .unwrap()
}

#[test]
fn a_promised_task_lives_with_its_heir() {
    let folder = tempfile::tempdir().unwrap();
    let promise = open(folder.path()).0.promise(&spec()).unwrap();
    let (task, heir) = (promise.task(), heir(folder.path(), &promise));
    drop(promise);

    let (other, _) = open(folder.path());
    assert_eq!(other.recover().unwrap(), [], "its heir has it");
    assert_eq!(record_of(&other, task).status(), "queued");

    heir.push(ending_of(task, &me()));
    assert_eq!(drain(&heir, &me()), [task]);
}

#[test]
fn a_promise_that_nobody_keeps_is_told_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let promise = open(folder.path()).0.promise(&spec()).unwrap();
    let task = promise.task();
    drop(promise);
    let (other, _) = open(folder.path());
    // A child that another test is starting may have a copy of the lock for a moment.
    woken_until(&other, || record_of(&other, task).status() == "lost");
    assert_eq!(notice_of(&other, task), Notice::Pending);
}

#[test]
fn a_store_that_was_closed_lets_go_of_its_name_whoever_has_a_copy_of_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let promise = open(folder.path()).0.promise(&spec()).unwrap();
    drop(heir(folder.path(), &promise));
    let (other, _) = open(folder.path());
    assert_eq!(record_of(&other, promise.task()).status(), "lost");
}

#[test]
fn a_promise_that_is_withdrawn_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let promise = store.promise(&spec()).unwrap();
    let task = promise.task();
    let changed = store.listen_to_all();
    promise.withdraw().unwrap();
    assert!(
        changed.wait_timeout(PATIENCE).is_some(),
        "nobody heard of it"
    );
    assert_eq!(store.task(task).unwrap(), None);
    assert_eq!(store.recover().unwrap(), []);
    let owners = folder.path().join("owners");
    assert_eq!(owners.read_dir().unwrap().count(), 0);
}
