//! How a program with tasks ends.

mod common;

use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use common::backend::Backend;
use common::{PATIENCE, launch, queue, tasks, told};
use meanwhile_core::{EndedBy, ExitStatus, Handle, Job, JobContext, JobError};
use meanwhile_core::{LaunchErrorKind, Outcome, Remaining, Shutdown, Spec, Stop, Tasks};

/// One task that runs and one that waits for its turn.
fn running_and_waiting(backend: &Backend) -> (Tasks, queue::List, [Handle; 2]) {
    let queue = queue::List::new();
    let tasks = Tasks::builder(backend.clone(), queue.clone())
        .max_running(1)
        .build();
    let handles = ["running", "waiting"].map(|command| launch(&tasks, command));
    (tasks, queue, handles)
}

#[test]
fn after_a_shutdown_has_begun_nothing_is_launched() {
    for how in [Shutdown::Wait, Shutdown::Leave, Shutdown::Stop(None)] {
        let (tasks, backend, _) = tasks();
        tasks.shutdown(how);
        let error = tasks.launch(Spec::shell("make")).unwrap_err();
        assert_eq!(error.kind(), LaunchErrorKind::ShuttingDown);
        assert!(backend.launched().is_empty());
    }
}

#[test]
fn to_stop_is_to_stop_what_runs_and_not_to_start_what_waits() {
    let backend = Backend::obedient();
    let (tasks, _, [running, waiting]) = running_and_waiting(&backend);
    let grace = Some(Duration::from_secs(1));
    tasks.shutdown(Shutdown::Stop(grace));
    assert_eq!(backend.stops(&running), [stop_within(grace)]);
    assert_eq!(waiting.exit().unwrap().status, ExitStatus::NeverStarted);
    for handle in [&running, &waiting] {
        assert_eq!(handle.exit().unwrap().ended_by, EndedBy::Shutdown);
    }
    assert_eq!(backend.launched(), ["running"]);
    assert_eq!(tasks.wait_idle_timeout(Duration::ZERO), Ok(()));
    let mut told = told(&tasks);
    told.sort();
    assert_eq!(told, ["running", "waiting"]);
}

#[test]
fn to_wait_is_to_let_all_run_to_their_end() {
    let backend = Backend::new();
    let (tasks, _, [running, waiting]) = running_and_waiting(&backend);
    tasks.shutdown(Shutdown::Wait);
    assert_eq!(tasks.wait_idle_timeout(Duration::ZERO), Err(Remaining(2)));
    backend.end(&running);
    backend.end(&waiting);
    assert_eq!(tasks.wait_idle_timeout(Duration::ZERO), Ok(()));
    assert!(backend.stops(&running).is_empty());
}

#[test]
fn what_was_waited_for_can_be_stopped_after_all() {
    let backend = Backend::obedient();
    let (tasks, _, [running, _]) = running_and_waiting(&backend);
    tasks.shutdown(Shutdown::Wait);
    tasks.shutdown(Shutdown::Stop(None));
    assert_eq!(backend.stops(&running), [stop_within(None)]);
    assert_eq!(tasks.wait_idle_timeout(PATIENCE), Ok(()));
}

#[test]
fn to_leave_is_to_stop_only_what_waits() {
    let backend = Backend::new();
    let (tasks, queue, [running, waiting]) = running_and_waiting(&backend);
    tasks.shutdown(Shutdown::Leave);
    assert_eq!(waiting.exit().unwrap().outcome(), Outcome::Stopped);
    drop(tasks);
    assert!(backend.stops(&running).is_empty());
    backend.end(&running);
    assert_eq!(queue.len(), 2);
}

#[test]
fn dropping_the_last_tasks_kills_what_runs() {
    let backend = Backend::new();
    let (tasks, queue, [running, waiting]) = running_and_waiting(&backend);
    drop(tasks.clone());
    assert!(backend.stops(&running).is_empty());
    drop(tasks);
    assert_eq!(backend.stops(&running), [stop_within(Some(Duration::ZERO))]);
    assert_eq!(waiting.exit().unwrap().status, ExitStatus::NeverStarted);
    backend.end(&running);
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_task_that_is_being_handed_over_is_stopped_too() {
    let tasks: Arc<OnceLock<Tasks>> = Arc::default();
    let backend = Backend::with({
        let tasks = Arc::clone(&tasks);
        move |_, report| {
            let tasks = tasks.get().expect("it is set before the launch");
            tasks.shutdown(Shutdown::Stop(None));
            Some(report)
        }
    });
    let tasks = tasks.get_or_init(|| Tasks::new(backend.clone(), queue::List::new()));
    let handle = launch(tasks, "make");
    assert_eq!(backend.stops(&handle), [stop_within(None)]);
}

/// Whoever sees that all is over must find every notification: the program may end next.
#[test]
fn it_is_not_idle_before_the_last_end_is_told() {
    let backend = Backend::new();
    let started: Arc<OnceLock<(Tasks, Handle)>> = Arc::default();
    let (seen, idle_at_push) = mpsc::channel();
    let queue = queue::List::with({
        let (started, backend) = (Arc::clone(&started), backend.clone());
        move |ended| {
            let (tasks, running) = started.get().expect("it is set before an end");
            if ended.exit.status == ExitStatus::NeverStarted {
                backend.end(running);
                seen.send(tasks.wait_idle_timeout(Duration::ZERO)).unwrap();
            }
        }
    });
    let tasks = Tasks::builder(backend, queue).max_running(1).build();
    let [running, waiting] = ["running", "waiting"].map(|command| launch(&tasks, command));
    let (tasks, _) = started.get_or_init(|| (tasks, running));

    waiting.stop(Stop::by(EndedBy::User));
    assert_eq!(idle_at_push.recv().unwrap(), Err(Remaining(1)));
    assert_eq!(tasks.wait_idle_timeout(PATIENCE), Ok(()));
}

/// A subagent launches tasks of its own.
#[derive(Debug)]
struct Subagent {
    _tasks: Tasks,
}

#[meanwhile_core::async_trait]
impl Job for Subagent {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

#[test]
fn a_job_that_holds_the_last_tasks_can_be_forgotten() {
    let backend = Backend::new();
    let tasks = Tasks::builder(backend.clone(), queue::List::new())
        .keep_ended(1)
        .build();
    let subagent = Subagent {
        _tasks: tasks.clone(),
    };
    let job = tasks.launch(Spec::job(subagent)).unwrap();
    let other = launch(&tasks, "make");
    let last = launch(&tasks, "make");
    backend.end(&job);
    drop((tasks, job));
    let (done, is_done) = mpsc::channel();
    let backend = backend.clone();
    thread::spawn(move || {
        // Pushes the job out of the list of the ended, and with it the last `Tasks`.
        backend.end(&other);
        let _ = done.send(backend.stops(&last));
    });
    let stops = is_done.recv_timeout(PATIENCE);
    assert_eq!(
        stops.expect("a deadlock"),
        [stop_within(Some(Duration::ZERO))]
    );
}

fn stop_within(grace: Option<Duration>) -> Stop {
    let mut stop = Stop::by(EndedBy::Shutdown);
    stop.grace = grace;
    stop
}
