//! Living with smol: its other processes, an executor of the caller's, its end.

use std::sync::Arc;
use std::time::Duration;

use meanwhile_core::{EndedBy, Outcome, Owner, Spec, Tasks};
use meanwhile_process::LocalOptions;
use meanwhile_queue::MemoryQueue;
use meanwhile_smol::SmolBackend;
use smol::Executor;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn children_of_async_process_and_ours_keep_their_own_exits() {
    let tasks = Tasks::new(SmolBackend::new(), MemoryQueue::new());
    smol::block_on(async {
        let theirs = (0..50).map(|number: i32| async move {
            let mut command = async_process::Command::new("/bin/sh");
            let status = command
                .args(["-c", &format!("exit {number}")])
                .status()
                .await;
            assert_eq!(
                status.expect("a child of async-process").code(),
                Some(number)
            );
        });
        let theirs: Vec<_> = theirs.map(smol::spawn).collect();
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
            child.await;
        }
    });
}

#[test]
fn an_executor_of_the_callers_does() {
    let executor = Arc::new(Executor::new());
    let backend = SmolBackend::on(&executor, LocalOptions::default());
    let tasks = Tasks::new(backend, MemoryQueue::new());
    let handle = tasks.launch(Spec::shell("exit 7")).expect("a valid spec");
    assert_eq!(smol::block_on(executor.run(handle.wait())).code(), Some(7));
}

#[test]
fn the_end_of_the_executor_kills_and_tells() {
    let executor = Arc::new(Executor::new());
    let backend = SmolBackend::on(&executor, LocalOptions::default());
    let tasks = Tasks::new(backend, MemoryQueue::new());
    let command = "trap '' TERM; (trap '' TERM; sleep 1000) & echo up; wait";
    let handle = tasks.launch(Spec::shell(command)).expect("a valid spec");
    smol::block_on(executor.run(async {
        while handle
            .written(Default::default())
            .expect("a readable spool")
            == 0
        {
            smol::future::yield_now().await;
        }
    }));
    drop(executor);
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!(
        (exit.outcome(), exit.ended_by),
        (Outcome::Stopped, EndedBy::Shutdown)
    );
    assert_eq!((exit.signal(), exit.survivors), (Some(9), 0));
    assert_eq!(tasks.inbox(Owner::default()).drain().len(), 1);
}
