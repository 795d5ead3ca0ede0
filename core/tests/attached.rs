//! Tasks in the foreground: either the holder tells the end, or the queue does.

mod common;

use std::sync::{Barrier, Mutex};
use std::thread;

use common::{backend::Backend, launch, tasks, tasks_on, told};
use meanwhile_core::{Attached, EndedBy, Exit, Notify, Outcome, Spec, Stop, Tasks};

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
    const ROUNDS: usize = 5000;
    let (tasks, backend, _) = tasks_on(Backend::new());
    let (start, end) = (Barrier::new(2), Barrier::new(2));
    let running = Mutex::new(None);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                start.wait();
                let handle = running.lock().unwrap().take().unwrap();
                backend.end(&handle);
                end.wait();
            }
        });
        for round in 0..ROUNDS {
            let attached = launch_attached(&tasks);
            *running.lock().unwrap() = Some(attached.handle().clone());
            start.wait();
            let told_by_holder = let_go(attached, round);
            end.wait();
            let told_by_queue = told(&tasks).len();
            assert_eq!(told_by_queue + usize::from(told_by_holder.is_some()), 1);
        }
    });
}

/// Lets go after a while that differs a little from round to round.
fn let_go(attached: Attached, round: usize) -> Option<Exit> {
    for _ in 0..round % 64 * 16 {
        std::hint::spin_loop();
    }
    if round.is_multiple_of(2) {
        attached.detach();
        return None;
    }
    attached.told().ok()
}
