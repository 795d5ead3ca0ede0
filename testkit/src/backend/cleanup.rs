//! What is left when handles, tasks or the whole backend are gone.

use std::time::Duration;

use meanwhile_core::{
    EndedBy, ExitStatus, LaunchErrorKind, Lifecycle, Shutdown, Spec, Stdin, Stop,
};

use super::tree::{SOON, assert_none_alive, held_tree};
use crate::folder::{ANNOUNCE, HOLD};
use crate::process;
use crate::trial::{Needs, Trial};
use crate::wait;

/// Fifty tasks of all kinds leave no zombie and no descriptor, though their records are kept.
pub fn nothing_is_left_behind<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::alone(make, Needs::LocalProcesses) else {
        return;
    };
    // What a backend opens once, it opens here.
    run_fifty(&trial);
    wait::until("no zombie is left behind", || process::zombies().is_empty());
    let before = process::descriptors();
    run_fifty(&trial);
    wait::until("no zombie is left behind", || process::zombies().is_empty());
    wait::until("no descriptor is left behind", || {
        process::descriptors() <= before
    });
}

fn run_fifty(trial: &Trial) {
    let mut handles = Vec::new();
    for _ in 0..10 {
        let input = Stdin::Bytes(vec![b'x'; 1 << 17].into());
        handles.push(trial.launch(Spec::shell("echo to be read; exit 3")));
        handles.push(trial.launch(Spec::shell("cat").stdin(input)));
        handles.push(trial.launch(Spec::program("/no/such/program")));
        let soon = Duration::from_millis(50);
        handles.push(trial.launch(Spec::shell("exec sleep 60").timeout(soon)));
        let stopped = trial.launch(Spec::shell("exec sleep 60"));
        stopped.stop(Stop::by(EndedBy::Agent));
        handles.push(stopped);
    }
    for handle in handles {
        trial.end(&handle);
        trial.text(&handle);
    }
}

/// A task whose handle is dropped runs to its end and is told.
pub fn dropping_handles_changes_nothing<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}\nexit 3")));
    trial.folder.processes(1);
    drop(handle);
    trial.folder.open("gate");
    wait::until("the task is told", || !trial.probe.pushed().is_empty());
    let exit = trial.probe.pushed().remove(0).exit;
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Code(3), EndedBy::Itself)
    );
}

/// When the last `Tasks` is dropped, what runs is killed, the whole of it, and told.
pub fn dropping_tasks_kills<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(held_tree(&trial));
    trial.folder.processes(3);
    let Trial {
        tasks,
        probe,
        folder,
        _turn,
    } = trial;
    drop(tasks);
    wait::until("the task is told", || !probe.pushed().is_empty());
    assert_none_alive(&folder);
    let exit = probe.pushed().remove(0).exit;
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Signal(9), EndedBy::Shutdown)
    );
    drop(handle);
}

/// A shutdown stops what runs and what waits, lets nothing in, and is over in time even if a task
/// does not want to end.
pub fn shutdown_stops_everything_and_is_bounded<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::limited(make, Needs::LocalProcesses, 2) else {
        return;
    };
    let line = format!("trap '' TERM\n{ANNOUNCE}\n{HOLD}");
    let handles: Vec<_> = (0..4).map(|_| trial.launch(trial.here(&line))).collect();
    trial.folder.processes(2);
    trial.tasks.shutdown(Shutdown::Stop(Some(SOON)));
    let refused = trial
        .tasks
        .launch(Spec::shell("true"))
        .expect_err("a shutdown has begun");
    assert_eq!(refused.kind(), LaunchErrorKind::ShuttingDown);
    let idle = trial.tasks.wait_idle_timeout(wait::patience());
    assert_eq!(idle, Ok(()), "the shutdown is not over in time");
    assert_none_alive(&trial.folder);
    for handle in &handles {
        assert_eq!(trial.told(handle).exit.ended_by, EndedBy::Shutdown);
    }
}

/// A shutdown may leave what runs alone: it outlives `Tasks`, and is told when it ends.
pub fn shutdown_may_leave_what_runs<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}\nexit 3")));
    trial.folder.processes(1);
    let Trial {
        tasks,
        probe,
        folder,
        _turn,
    } = trial;
    tasks.shutdown(Shutdown::Leave);
    drop(tasks);
    folder.open("gate");
    wait::until("the task is told", || !probe.pushed().is_empty());
    let exit = probe.pushed().remove(0).exit;
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Code(3), EndedBy::Itself)
    );
}
