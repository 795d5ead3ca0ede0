//! Waiting for an end: from async code, on a plain thread, and for a bounded time.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, came, launch, race, tasks, told};
use futures_lite::future;
use meanwhile_core::{Ending, Exit, ExitStatus, Handle, Notification, Outcome, Owner};
use meanwhile_core::{Remaining, TaskId};

/// Whether the future is still waiting after a first look.
fn is_waiting(future: impl Future) -> bool {
    let mut future = std::pin::pin!(future);
    future::block_on(future::poll_once(&mut future)).is_none()
}

#[test]
fn all_sorts_of_waiters_are_woken_by_one_end() {
    let (tasks, backend, _) = tasks();
    let handle = launch(&tasks, "make");
    let mut waits = [handle.wait(), handle.wait()].map(Box::pin);
    assert!(waits.iter_mut().all(is_waiting));
    thread::scope(|scope| {
        let waiters = [
            scope.spawn(|| Some(future::block_on(handle.wait()))),
            scope.spawn(|| Some(handle.wait_blocking())),
            scope.spawn(|| handle.wait_timeout(PATIENCE)),
            scope.spawn(|| handle.wait_timeout(Duration::MAX)),
        ];
        backend.end(&handle);
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), handle.exit());
        }
    });
    assert!(!waits.iter_mut().any(is_waiting));
}

#[test]
fn a_wait_after_the_end_returns_at_once() {
    let (tasks, backend, _) = tasks();
    let handle = launch(&tasks, "make");
    backend.end(&handle);
    assert!(!is_waiting(handle.wait()));
    assert_eq!(handle.wait_blocking().outcome(), Outcome::Completed);
    assert!(handle.wait_timeout(Duration::ZERO).is_some());
}

#[test]
fn a_wait_goes_on_until_the_end_and_can_be_given_up() {
    let (tasks, backend, _) = tasks();
    let handle = launch(&tasks, "make");
    let mut wait = Box::pin(handle.wait());
    for _ in 0..3 {
        assert!(is_waiting(&mut wait));
    }
    assert!(is_waiting(handle.wait()));
    assert_eq!(handle.wait_timeout(Duration::from_millis(1)), None);
    backend.end(&handle);
    assert_eq!(Some(future::block_on(wait)), handle.exit());
}

#[test]
fn an_inbox_waits_until_something_is_pending() {
    let (tasks, backend, _) = tasks();
    let inbox = tasks.inbox(Owner::default());
    let handle = launch(&tasks, "make");
    assert!(is_waiting(inbox.wait()));
    assert!(!inbox.wait_timeout(Duration::from_millis(1)));
    thread::scope(|scope| {
        let waiters = [
            scope.spawn(|| future::block_on(inbox.wait())),
            scope.spawn(|| inbox.wait_blocking()),
            scope.spawn(|| assert!(inbox.wait_timeout(PATIENCE))),
        ];
        backend.end(&handle);
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
    assert!(!is_waiting(inbox.wait()));
}

#[test]
fn what_comes_between_the_look_and_the_listening_is_not_missed() {
    let (tasks, _, queue) = tasks();
    let inbox = tasks.inbox(Owner::default());
    let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
    let ended = |exit| Notification::ended(TaskId::random(), Owner::default(), "make", exit);
    queue.push_late(ended(exit));
    assert!(!is_waiting(inbox.wait()));
}

#[test]
fn an_end_that_meets_the_waiting_is_not_missed() {
    let (tasks, backend, _) = tasks();
    let wait = |handle: &Handle, _| {
        let (came, since) = (came(handle), Instant::now());
        let exit = handle.wait_timeout(PATIENCE);
        (came, (exit, since.elapsed()))
    };
    race(
        20_000,
        || launch(&tasks, "make"),
        |handle| backend.end(handle),
        wait,
        |_, (exit, waited)| {
            assert!(exit.is_some());
            assert!(waited < PATIENCE, "it was not woken");
        },
    );
}

#[test]
fn what_was_drained_and_dropped_goes_back_and_wakes() {
    let (tasks, backend, queue) = tasks();
    let inbox = tasks.inbox(Owner::default());
    for command in ["a", "b", "c"] {
        backend.end(&launch(&tasks, command));
    }
    let drained = inbox.drain();
    let mut wait = Box::pin(inbox.wait());
    assert!(is_waiting(&mut wait));
    drained.acknowledge_first(1);
    assert!(!is_waiting(wait));
    assert_eq!(inbox.drain_up_to(1).len(), 1);
    assert_eq!(told(&tasks), ["b", "c"]);
    assert_eq!(queue.len(), 0);
}

#[test]
fn idle_is_when_no_task_is_queued_or_running() {
    let (tasks, backend, _) = tasks();
    assert!(!is_waiting(tasks.wait_idle()));
    let handles: Vec<Handle> = ["a", "b"].map(|command| launch(&tasks, command)).into();
    let bound = Duration::from_millis(1);
    assert_eq!(tasks.wait_idle_timeout(bound), Err(Remaining(2)));
    backend.end(&handles[0]);
    assert!(is_waiting(tasks.wait_idle()));
    let mut waits = [tasks.wait_idle(), tasks.wait_idle()].map(Box::pin);
    assert!(waits.iter_mut().all(is_waiting));
    thread::scope(|scope| {
        let on_a_thread = scope.spawn(|| tasks.wait_idle_timeout(PATIENCE));
        backend.end(&handles[1]);
        assert_eq!(on_a_thread.join().unwrap(), Ok(()));
    });
    assert!(!waits.iter_mut().any(is_waiting));
}
