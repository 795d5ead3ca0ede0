//! Living with a tokio runtime: its other processes, its kinds, its end.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use meanwhile_core::{
    EndedBy, Handle, Job, JobContext, JobError, Outcome, Owner, Spec, Tasks, async_trait,
};
use meanwhile_process::LocalOptions;
use meanwhile_queue::MemoryQueue;
use meanwhile_tokio::TokioBackend;
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(30);

fn workers(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(count).enable_all();
    builder.build().expect("a runtime")
}

fn current_thread() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

fn tasks_on(runtime: &Runtime) -> Tasks {
    let backend = TokioBackend::on(runtime.handle().clone(), LocalOptions::default());
    Tasks::new(backend, MemoryQueue::new())
}

/// Blocks until the task has written something, which it does when it runs.
fn wait_for_output(handle: &Handle) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while handle
        .written(Default::default())
        .expect("a readable spool")
        == 0
    {
        assert!(
            std::time::Instant::now() < deadline,
            "the task never began to write"
        );
        std::thread::yield_now();
    }
}

#[test]
fn children_of_tokio_and_ours_keep_their_own_exits() {
    let runtime = workers(2);
    let tasks = tasks_on(&runtime);
    runtime.block_on(async {
        let theirs = (0..50).map(|number: i32| async move {
            let mut command = tokio::process::Command::new("/bin/sh");
            let status = command
                .args(["-c", &format!("exit {number}")])
                .status()
                .await;
            assert_eq!(status.expect("a child of tokio's").code(), Some(number));
        });
        let theirs: Vec<_> = theirs.map(tokio::spawn).collect();
        let ours: Vec<_> = (0..50)
            .map(|number| {
                tasks
                    .launch(Spec::shell(format!("exit {number}")))
                    .expect("a valid spec")
            })
            .collect();
        for (number, handle) in (0..).zip(ours) {
            assert_eq!(handle.wait().await.code(), Some(number));
        }
        for child in theirs {
            child.await.expect("no panic");
        }
    });
}

#[test]
fn a_runtime_of_the_current_thread_does() {
    let runtime = current_thread();
    let tasks = tasks_on(&runtime);
    let handle = tasks.launch(Spec::shell("exit 7")).expect("a valid spec");
    assert_eq!(runtime.block_on(handle.wait()).code(), Some(7));
}

#[test]
fn the_end_of_the_runtime_kills_and_tells() {
    let runtime = workers(1);
    let tasks = tasks_on(&runtime);
    let handle = tasks
        .launch(Spec::shell(
            "trap '' TERM; (trap '' TERM; sleep 1000) & echo up; wait",
        ))
        .expect("a valid spec");
    wait_for_output(&handle);
    drop(runtime);
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!(
        (exit.outcome(), exit.ended_by),
        (Outcome::Stopped, EndedBy::Shutdown)
    );
    assert_eq!((exit.signal(), exit.survivors), (Some(9), 0));
    assert_eq!(tasks.inbox(Owner::default()).drain().len(), 1);
}

/// Waits for ever, without blocking its thread.
#[derive(Debug)]
struct Waits;

#[async_trait]
impl Job for Waits {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        context.write(b"up")?;
        std::future::pending().await
    }
}

#[test]
fn the_end_of_the_runtime_tells_of_all_that_waited_in_it() {
    let runtime = workers(1);
    let tasks = tasks_on(&runtime);
    let shell = || Spec::shell("echo up; sleep 1000");
    let specs = [
        shell(),
        shell().timeout(Duration::from_secs(1000)),
        Spec::job(Waits),
        Spec::job(Waits).timeout(Duration::from_secs(1000)),
    ];
    let handles = specs.map(|spec| tasks.launch(spec).expect("a valid spec"));
    handles.iter().for_each(wait_for_output);
    drop(runtime);
    for handle in handles {
        let exit = handle.wait_timeout(PATIENCE).expect("an end");
        assert_eq!(
            (exit.outcome(), exit.ended_by),
            (Outcome::Stopped, EndedBy::Shutdown)
        );
    }
    assert_eq!(tasks.inbox(Owner::default()).drain().len(), 4);
}

#[test]
fn the_end_of_the_runtime_kills_and_tells_while_one_of_its_threads_is_busy() {
    let runtime = workers(2);
    let tasks = tasks_on(&runtime);
    let (release, released) = mpsc::channel::<()>();
    let (busy, is_busy) = mpsc::channel();
    runtime.spawn(async move {
        busy.send(()).expect("the test waits");
        let _ = released.recv();
    });
    is_busy.recv().expect("a thread of the runtime");
    let spec = Spec::shell("echo up; sleep 1000");
    let handle = tasks.launch(spec).expect("a valid spec");
    wait_for_output(&handle);
    runtime.shutdown_background();
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!((exit.signal(), exit.ended_by), (Some(9), EndedBy::Shutdown));
    drop(release);
}

#[test]
fn the_end_of_a_runtime_that_nobody_drives_kills_and_tells() {
    let runtime = current_thread();
    let tasks = tasks_on(&runtime);
    let spec = Spec::shell("echo up; sleep 1000");
    let handle = tasks.launch(spec).expect("a valid spec");
    wait_for_output(&handle);
    drop(runtime);
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!(exit.ended_by, EndedBy::Shutdown);
}

#[test]
fn a_launch_after_the_end_of_the_runtime_is_told_too() {
    let runtime = workers(1);
    let tasks = tasks_on(&runtime);
    drop(runtime);
    let handle = tasks
        .launch(Spec::shell("sleep 1000"))
        .expect("a valid spec");
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!(
        (exit.outcome(), exit.ended_by),
        (Outcome::Stopped, EndedBy::Shutdown)
    );
}

/// Blocks its thread until it is let go.
#[derive(Debug)]
struct Blocks(Mutex<Receiver<()>>);

#[async_trait]
impl Job for Blocks {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        let released = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(released.recv()?)
    }
}

#[test]
fn a_job_that_blocks_its_thread_holds_up_no_deadline() {
    let runtime = workers(2);
    let tasks = tasks_on(&runtime);
    let (release, released) = mpsc::channel();
    let spec = Spec::job(Blocks(Mutex::new(released)))
        .timeout(Duration::from_millis(50))
        .grace(Duration::ZERO);
    let handle = tasks.launch(spec).expect("a valid spec");
    // It cannot be killed, so it is told as lost when that was tried for long enough.
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!(
        (exit.outcome(), exit.ended_by),
        (Outcome::Lost, EndedBy::Timeout)
    );
    release.send(()).expect("the job still waits");
}
