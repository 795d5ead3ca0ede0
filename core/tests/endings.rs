//! How the end of a task is told: once, whole, and before anybody sees it.

mod common;

use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use common::backend::{Backend, OUTPUT};
use common::{PATIENCE, came, launch, queue, race, tasks, tasks_on, told};
use meanwhile_core::{Capabilities, Handle, Owner, Spec, State, Stop, Stream, Tasks};
use meanwhile_core::{EndedBy, Ending, EventId, ExitStatus, LaunchErrorKind, Notify, Outcome};

#[test]
fn an_end_is_told_once_with_all_that_is_known() {
    let (tasks, backend, _) = tasks();
    let spec = Spec::shell("npm test").description("Run the tests");
    let handle = tasks.launch(spec).unwrap();
    let report = backend.report(&handle);
    report.started();
    let mut ending = Ending::of(ExitStatus::Code(3));
    ending.survivors = 2;
    ending.output.bytes = 6;
    report.exited(ending);

    let told = tasks.inbox(Owner::default()).drain();
    assert_eq!(told.len(), 1);
    let exit = handle.exit().unwrap();
    assert_eq!(told[0].exit, exit);
    assert_eq!(told[0].event_id, EventId::ended(handle.id()));
    assert_eq!(told[0].task_id, handle.id());
    assert_eq!(&*told[0].command, "npm test");
    assert_eq!(told[0].description.as_deref(), Some("Run the tests"));
    assert_eq!(told[0].output_path, handle.output_path(Stream::Stdout));
    assert_eq!((exit.code(), exit.survivors), (Some(3), 2));
    assert_eq!((exit.output.bytes, exit.ended_by), (6, EndedBy::Itself));
    assert_eq!(exit.outcome(), Outcome::Failed);
    assert!(exit.started_at.unwrap() <= exit.ended_at);
}

#[test]
fn a_task_is_queued_then_running_then_stopping_then_ended() {
    let (tasks, backend, _) = tasks();
    let handle = launch(&tasks, "make");
    assert_eq!(handle.state(), State::Queued);
    let report = backend.report(&handle);
    report.started();
    assert!(matches!(handle.state(), State::Running(_)));
    handle.stop(Stop::by(EndedBy::User));
    assert_eq!(handle.state(), State::Stopping);
    report.exited(Ending::of(ExitStatus::Signal(15)).ended_by(EndedBy::User));
    assert_eq!(handle.state(), State::Ended(handle.exit().unwrap()));
    assert_eq!(handle.state().as_str(), "stopped");
}

#[test]
fn a_report_that_is_dropped_ends_the_task_as_lost() {
    let (tasks, backend, _) = tasks();
    let handle = launch(&tasks, "make");
    drop(backend.report(&handle));
    let exit = handle.exit().unwrap();
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Lost, EndedBy::Unknown)
    );
    assert_eq!(told(&tasks), ["make"]);
}

#[test]
fn the_notification_is_pushed_before_the_exit_is_published() {
    let (seen, exit_at_push) = mpsc::channel();
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let queue = queue::List::with({
        let tasks = Arc::clone(&tasks);
        move |ended| {
            let handle = tasks.get().and_then(|tasks| tasks.get(ended.task_id));
            seen.send(handle.expect("it is listed").exit()).unwrap();
        }
    });
    let backend = Backend::new();
    let tasks = tasks.get_or_init(|| Tasks::new(backend.clone(), queue));
    let handle = launch(tasks, "make");
    backend.end(&handle);
    assert_eq!(exit_at_push.recv().unwrap(), None);
    assert!(handle.exit().is_some());
}

#[test]
fn whoever_is_woken_by_the_end_finds_the_notification() {
    let (tasks, backend, _) = tasks();
    let inbox = tasks.inbox(Owner::default());
    let wait = |handle: &Handle, _| {
        let came = came(handle);
        let exit = handle.wait_timeout(PATIENCE);
        (came, exit.map(|_| inbox.pending()))
    };
    race(
        5000,
        || launch(&tasks, "make"),
        |handle| backend.end(handle),
        wait,
        |_, found| {
            assert_eq!(found, Some(1));
            inbox.drain().acknowledge();
        },
    );
}

#[test]
fn an_end_within_launch_is_told_with_its_output() {
    let at_once = |_: &Spec, report: meanwhile_core::Report| {
        report.exited(Ending::failed_to_start("no such program: nmp", Some(2)));
        None
    };
    let (tasks, _, _) = tasks_on(Backend::with(at_once));
    let handle = launch(&tasks, "nmp test");
    assert_eq!(handle.exit().unwrap().outcome(), Outcome::FailedToStart);
    let told = tasks.inbox(Owner::default()).drain();
    assert!(told[0].output_path.is_some());
    assert_eq!(told[0].output_path, handle.output_path(Stream::Stdout));
}

/// A task may be over on another thread before `launch` has returned on this one.
#[test]
fn whoever_sees_the_exit_can_read_the_output_however_short_the_task() {
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let (seen, read) = mpsc::channel();
    let backend = Backend::with({
        let tasks = Arc::clone(&tasks);
        move |_, report| {
            let handle = tasks.get().and_then(|tasks| tasks.get(report.id()));
            let handle = handle.expect("it is listed");
            let ends = thread::spawn(|| report.exited(Ending::of(ExitStatus::Code(0))));
            ends.join().unwrap();
            if handle.exit().is_some() {
                seen.send(handle.output(Stream::Stdout, 0, 100)).unwrap();
            }
            None
        }
    });
    let tasks = tasks.get_or_init(|| Tasks::new(backend, queue::List::new()));
    let handle = launch(tasks, "true");
    for early in read.try_iter() {
        assert_eq!(early.unwrap().bytes, OUTPUT);
    }
    assert!(handle.exit().is_some());
    let chunk = handle.output(Stream::Stdout, 1, 3).unwrap();
    assert_eq!((chunk.offset, &chunk.bytes[..]), (1, &OUTPUT[1..4]));
    assert!(
        tasks.inbox(Owner::default()).drain()[0]
            .output_path
            .is_some()
    );
}

#[test]
fn a_success_is_not_told_where_only_failures_are_wanted() {
    let (tasks, backend, _) = tasks();
    let launch = |command| {
        let spec = Spec::shell(command).notify(Notify::OnFailure);
        tasks.launch(spec).unwrap()
    };
    backend.end(&launch("true"));
    let failing = backend.report(&launch("false"));
    failing.exited(Ending::of(ExitStatus::Code(1)));
    drop(backend.report(&launch("lost")));
    assert_eq!(told(&tasks), ["false", "lost"]);
}

#[test]
fn each_owner_is_told_of_its_own_tasks() {
    let (tasks, backend, _) = tasks();
    let reviewer = Owner::new("reviewer");
    let spec = Spec::shell("make").owner(reviewer.clone());
    backend.end(&tasks.launch(spec).unwrap());
    assert_eq!(tasks.inbox(Owner::default()).pending(), 0);
    assert_eq!(tasks.inbox(reviewer).pending(), 1);
}

#[test]
fn a_result_that_was_read_is_not_told_again() {
    let (tasks, backend, _) = tasks();
    let [read, unread] = ["read", "unread"].map(|command| launch(&tasks, command));
    backend.end(&read);
    backend.end(&unread);
    read.mark_told();
    assert_eq!(told(&tasks), ["unread"]);
}

#[test]
fn what_is_refused_leaves_neither_id_nor_notification() {
    let only_commands = Capabilities::none().with_commands();
    let (tasks, backend, queue) = tasks_on(Backend::new().able(only_commands));
    let empty = tasks.launch(Spec::shell(" ")).unwrap_err();
    assert_eq!(
        (empty.kind(), empty.field()),
        (LaunchErrorKind::Invalid, Some("command"))
    );
    let job = tasks.launch(Spec::job(common::Idle)).unwrap_err();
    assert_eq!(job.kind(), LaunchErrorKind::Unsupported("jobs"));
    assert!(tasks.list().is_empty() && backend.launched().is_empty());
    assert_eq!(queue.len(), 0);
}
