//! Tasks in the foreground: either the holder tells the end, or the queue does.

mod common;

use std::sync::Mutex;

use common::{backend::Backend, came, launch, race, tasks, told};
use meanwhile_core::{Attached, EndedBy, Handle, Notify, Outcome, Spec, Stop, Tasks};

fn launch_attached(tasks: &Tasks) -> Attached {
    let spec = Spec::shell("make");
    tasks.launch_attached(spec).expect("a valid spec")
}

#[test]
fn the_holder_who_told_the_end_is_the_only_one() {
    let (tasks, backend, queue) = tasks();
    let attached = launch_attached(&tasks);
    backend.end(attached.handle());
    let exit = attached.told().unwrap();
    assert_eq!(exit.outcome(), Outcome::Completed);
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_holder_cannot_tell_before_the_end() {
    let (tasks, backend, queue) = tasks();
    let attached = launch_attached(&tasks).told().unwrap_err();
    backend.end(attached.handle());
    assert!(attached.told().is_ok());
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_task_that_is_detached_before_its_end_is_told_by_the_queue() {
    let (tasks, backend, _) = tasks();
    let handle = launch_attached(&tasks).detach();
    assert!(!handle.is_attached());
    backend.end(&handle);
    assert_eq!(told(&tasks), ["make"]);
}

#[test]
fn a_task_that_is_detached_after_its_end_is_told_by_the_queue() {
    let (tasks, backend, queue) = tasks();
    let attached = launch_attached(&tasks);
    assert!(attached.handle().is_attached());
    backend.end(attached.handle());
    assert_eq!(queue.len(), 0);
    let handle = attached.detach();
    assert!(handle.exit().is_some());
    assert_eq!(told(&tasks), ["make"]);
}

#[test]
fn a_task_whose_holder_is_gone_is_told_by_the_queue() {
    let (tasks, backend, _) = tasks();
    let [before, after] = [launch_attached(&tasks), launch_attached(&tasks)];
    let [first, second] = [&before, &after].map(|attached| attached.handle().clone());
    drop(before);
    backend.end(&first);
    backend.end(&second);
    drop(after);
    assert_eq!(told(&tasks), ["make", "make"]);
}

#[test]
fn a_success_is_not_told_on_detaching_where_only_failures_are_wanted() {
    let (tasks, backend, queue) = tasks();
    let spec = Spec::shell("make").notify(Notify::OnFailure);
    let attached = tasks.launch_attached(spec).unwrap();
    backend.end(attached.handle());
    drop(attached);
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_holder_learns_of_a_task_that_was_stopped_while_it_waited_for_its_turn() {
    let backend = Backend::new();
    let queue = common::queue::List::new();
    let tasks = Tasks::builder(backend, queue.clone())
        .max_running(1)
        .build();
    launch(&tasks, "first");
    let attached = launch_attached(&tasks);
    attached.handle().stop(Stop::by(EndedBy::User));
    assert_eq!(attached.told().unwrap().outcome(), Outcome::Stopped);
    assert_eq!(queue.len(), 0);
}

/// The end and the letting go meet, on two threads, in every way they can.
#[test]
fn whoever_comes_first_exactly_one_of_queue_and_holder_tells() {
    let (tasks, backend, _) = tasks();
    let launch = || {
        let attached = launch_attached(&tasks);
        (attached.handle().clone(), Mutex::new(Some(attached)))
    };
    let end = |(handle, _): &(Handle, _)| backend.end(handle);
    let let_go = |(handle, attached): &(Handle, Mutex<Option<Attached>>), round: usize| {
        let attached = attached.lock().unwrap().take().unwrap();
        let is_told = if round.is_multiple_of(2) {
            attached.told().is_ok()
        } else {
            attached.detach();
            false
        };
        (came(handle), usize::from(is_told))
    };
    race(20_000, launch, end, let_go, |_, told_by_holder| {
        assert_eq!(told_by_holder + told(&tasks).len(), 1);
    });
}
