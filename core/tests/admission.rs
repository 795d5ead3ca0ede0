//! Which tasks are handed to the backend, when, and in which order.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use common::backend::Backend;
use common::{launch, queue, tasks, tasks_on, told};
use meanwhile_core::{Capabilities, EndedBy, Ending, ExitStatus, Handle, LaunchErrorKind, Outcome};
use meanwhile_core::{Spec, State, Stop, TaskId, Tasks};

fn at_most(max: usize, backend: &Backend) -> Tasks {
    Tasks::builder(backend.clone(), queue::List::new())
        .max_running(max)
        .build()
}

fn launch_all(tasks: &Tasks, commands: &[&str]) -> Vec<Handle> {
    let launch = |command: &&str| launch(tasks, command);
    commands.iter().map(launch).collect()
}

#[test]
fn at_a_limit_tasks_wait_and_start_later_in_order() {
    let backend = Backend::new();
    let tasks = at_most(2, &backend);
    let handles = launch_all(&tasks, &["a", "b", "c", "d", "e"]);
    assert_eq!(backend.launched(), ["a", "b"]);
    assert_eq!(handles[2].state(), State::Queued);
    assert_eq!(tasks.live(), 5);
    backend.end(&handles[1]);
    assert_eq!(backend.launched(), ["a", "b", "c"]);
    backend.end(&handles[0]);
    backend.end(&handles[2]);
    assert_eq!(backend.launched(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn the_limit_of_the_backend_counts_too() {
    let can = Capabilities::none().with_commands().with_max_live(1);
    let backend = Backend::new().able(can);
    let tasks = at_most(2, &backend);
    launch_all(&tasks, &["a", "b"]);
    assert_eq!(backend.launched(), ["a"]);
}

#[test]
fn at_least_one_task_runs() {
    let backend = Backend::new();
    let tasks = at_most(0, &backend);
    launch_all(&tasks, &["a", "b"]);
    assert_eq!(backend.launched(), ["a"]);
}

#[test]
fn a_waiting_task_can_be_stopped_and_is_told() {
    let backend = Backend::new();
    let tasks = at_most(1, &backend);
    let handles = launch_all(&tasks, &["a", "b", "c"]);
    handles[1].stop(Stop::by(EndedBy::User));
    let exit = handles[1].exit().unwrap();
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::NeverStarted, EndedBy::User)
    );
    assert_eq!(exit.started_at, None);
    assert_eq!(told(&tasks), ["b"]);
    backend.end(&handles[0]);
    assert_eq!(backend.launched(), ["a", "c"]);
}

/// The task of which a backend or a queue is just told.
fn listed(tasks: &OnceLock<Tasks>, id: TaskId) -> Handle {
    let handle = tasks.get().and_then(|tasks| tasks.get(id));
    handle.expect("it is listed")
}

#[test]
fn stops_that_come_during_the_hand_over_are_passed_on() {
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let politely = Stop::by(EndedBy::Agent);
    let at_once = Stop::by(EndedBy::User).grace(Duration::ZERO);
    let backend = Backend::with({
        let tasks = Arc::clone(&tasks);
        move |_, report| {
            let handle = listed(&tasks, report.id());
            handle.stop(politely);
            handle.stop(at_once);
            assert_eq!(handle.state(), State::Stopping);
            Some(report)
        }
    });
    let tasks = tasks.get_or_init(|| Tasks::new(backend.clone(), queue::List::new()));
    let handle = launch(tasks, "make");
    assert_eq!(backend.stops(&handle), [politely, at_once]);
    assert_eq!(handle.state(), State::Stopping);
}

#[test]
fn a_stop_overtakes_none_that_was_kept() {
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let [first, second, third] = [EndedBy::Agent, EndedBy::User, EndedBy::Shutdown].map(Stop::by);
    let backend = Backend::with({
        let tasks = Arc::clone(&tasks);
        move |_, report| {
            let handle = listed(&tasks, report.id());
            handle.stop(first);
            handle.stop(second);
            Some(report)
        }
    });
    let came_third = AtomicBool::new(false);
    let backend = backend.calling({
        let tasks = Arc::clone(&tasks);
        move |id| {
            // Just when the first one was passed on.
            if !came_third.swap(true, Ordering::Relaxed) {
                listed(&tasks, id).stop(third);
            }
        }
    });
    let tasks = tasks.get_or_init(|| Tasks::new(backend.clone(), queue::List::new()));
    let handle = launch(tasks, "make");
    assert_eq!(backend.stops(&handle), [first, second, third]);
}

#[test]
fn a_backend_that_panics_at_a_kept_stop_gets_the_next_one() {
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let [first, second, later] = [EndedBy::Agent, EndedBy::User, EndedBy::Shutdown].map(Stop::by);
    let backend = Backend::with({
        let tasks = Arc::clone(&tasks);
        move |_, report| {
            let handle = listed(&tasks, report.id());
            handle.stop(first);
            handle.stop(second);
            Some(report)
        }
    });
    let has_panicked = AtomicBool::new(false);
    let backend = backend.calling(move |_| {
        assert!(
            has_panicked.swap(true, Ordering::Relaxed),
            "a backend's code"
        );
    });
    let tasks = tasks.get_or_init(|| Tasks::new(backend.clone(), queue::List::new()));
    let handle = launch(tasks, "make");
    handle.stop(later);
    assert_eq!(backend.stops(&handle), [first, second, later]);
}

#[test]
fn a_stop_that_comes_while_the_launch_is_recorded_does_not_wait_for_room() {
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let queue = queue::List::recording({
        let tasks = Arc::clone(&tasks);
        move |task| {
            let handle = listed(&tasks, task);
            if handle.spec().command() == "stopped" {
                handle.stop(Stop::by(EndedBy::User));
            }
        }
    });
    let backend = Backend::new();
    let builder = Tasks::builder(backend.clone(), queue).max_running(1);
    let tasks = tasks.get_or_init(|| builder.build());
    let handles = launch_all(tasks, &["running", "stopped", "next"]);
    let exit = handles[1].exit().expect("it waits for the end of another");
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::NeverStarted, EndedBy::User)
    );
    assert_eq!(told(tasks), ["stopped"]);
    backend.end(&handles[0]);
    assert_eq!(backend.launched(), ["running", "next"]);
}

#[test]
fn stops_are_passed_on_to_a_running_task_until_it_ended() {
    let (tasks, backend, _) = tasks();
    let handle = launch(&tasks, "make");
    let stop = Stop::by(EndedBy::Agent);
    handle.stop(stop);
    handle.stop(stop);
    backend.end(&handle);
    handle.stop(stop);
    assert_eq!(backend.stops(&handle), [stop, stop]);
}

#[test]
fn ten_thousand_tasks_that_end_within_launch_do_not_recurse() {
    const MANY: usize = 10_000;
    let backend = Backend::with(|spec, report| {
        if spec.command() == "first" {
            return Some(report);
        }
        report.exited(Ending::failed_to_start("no", None));
        None
    });
    let queue = queue::List::new();
    let tasks = Tasks::builder(backend.clone(), queue.clone())
        .max_running(1)
        .build();
    let first = launch(&tasks, "first");
    for _ in 0..MANY {
        launch(&tasks, "next");
    }
    assert_eq!(tasks.live(), MANY + 1);
    backend.end(&first);
    assert_eq!((tasks.live(), queue.len()), (0, MANY + 1));
}

#[test]
fn many_threads_launch_and_end_at_once() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    let backend = Backend::new();
    let tasks = at_most(3, &backend);
    thread::scope(|scope| {
        let (ended_by, ends) = mpsc::channel::<Handle>();
        for _ in 0..THREADS {
            let (tasks, ended_by) = (tasks.clone(), ended_by.clone());
            scope.spawn(move || {
                for _ in 0..EACH {
                    ended_by.send(launch(&tasks, "make")).unwrap();
                }
            });
        }
        drop(ended_by);
        // In the order of the hand-over some are not with the backend yet: they come back later.
        let mut waiting: Vec<Handle> = ends.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|handle| match backend.try_report(handle) {
                Some(report) => {
                    report.exited(Ending::of(ExitStatus::Code(0)));
                    false
                }
                None => true,
            });
            assert!(waiting.len() < before, "nothing more is started");
        }
    });
    assert_eq!(tasks.live(), 0);
    assert_eq!(told(&tasks).len(), THREADS * EACH);
}

fn panicking() -> Backend {
    Backend::with(|spec, report| {
        assert!(spec.command() != "panic", "a backend's mistake");
        Some(report)
    })
}

#[test]
fn a_panic_in_the_backend_is_told_as_lost() {
    let (tasks, _, _) = tasks_on(panicking());
    let handle = launch(&tasks, "panic");
    assert_eq!(handle.exit().unwrap().outcome(), Outcome::Lost);
    assert_eq!(told(&tasks), ["panic"]);
}

#[test]
fn a_panic_in_the_backend_does_not_hold_up_those_who_wait() {
    let backend = panicking();
    let tasks = at_most(1, &backend);
    let handles = launch_all(&tasks, &["first", "panic", "next"]);
    backend.end(&handles[0]);
    assert_eq!(backend.launched(), ["first", "panic", "next"]);
}

#[test]
fn a_report_that_outlives_a_panic_in_launch_still_ends_the_task() {
    let taken = Arc::new(Mutex::new(None));
    let backend = Backend::with({
        let taken = Arc::clone(&taken);
        move |_, report| {
            *taken.lock().expect("held for a moment") = Some(report);
            panic!("a backend's mistake");
        }
    });
    let (tasks, _, _) = tasks_on(backend);
    let handle = launch(&tasks, "make");
    let report = taken.lock().unwrap().take().unwrap();
    assert_eq!(handle.exit(), None);
    report.exited(Ending::of(ExitStatus::Code(0)));
    assert_eq!(handle.exit().unwrap().outcome(), Outcome::Completed);
    assert_eq!(tasks.live(), 0);
}

#[test]
fn tasks_are_listed_in_the_order_of_their_launches() {
    let backend = Backend::new();
    let tasks = at_most(2, &backend);
    let handles = launch_all(&tasks, &["a", "b", "c", "d"]);
    backend.end(&handles[1]);
    let listed: Vec<_> = tasks
        .list()
        .iter()
        .map(|task| task.spec().command())
        .collect();
    assert_eq!(listed, ["a", "b", "c", "d"]);
    assert_eq!(
        tasks.get(handles[1].id()).unwrap().exit(),
        handles[1].exit()
    );
}

#[test]
fn only_so_many_ended_tasks_are_kept_and_the_oldest_are_forgotten_first() {
    let (backend, queue) = (Backend::new(), queue::List::new());
    let tasks = Tasks::builder(backend.clone(), queue.clone())
        .keep_ended(2)
        .build();
    let handles = launch_all(&tasks, &["a", "b", "c", "d"]);
    for ended in [2, 0, 3] {
        backend.end(&handles[ended]);
    }
    let listed: Vec<_> = tasks.list().iter().map(Handle::id).collect();
    assert_eq!(listed, [handles[0].id(), handles[1].id(), handles[3].id()]);
    assert!(tasks.get(handles[2].id()).is_none());
    assert!(handles[2].exit().is_some());
    assert_eq!(queue.len(), 3);
}

#[test]
fn a_task_may_have_an_id_that_was_promised_and_no_other_has_it() {
    let (tasks, backend, queue) = tasks();
    let promised = TaskId::random();
    let handle = tasks.launch_as(promised, Spec::shell("make")).unwrap();
    assert_eq!(handle.id(), promised);
    let error = tasks.launch_as(promised, Spec::shell("make")).unwrap_err();
    assert_eq!(error.kind(), LaunchErrorKind::Taken);
    backend.end(&handle);
    assert_eq!(queue.len(), 1);
}
