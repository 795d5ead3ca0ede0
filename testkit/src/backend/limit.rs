//! No more at once than is allowed.

use std::time::Duration;

use meanwhile_core::{EndedBy, ExitStatus, Lifecycle, Outcome, State, Stop};

use crate::folder::{ANNOUNCE, HOLD};
use crate::trial::{Needs, Trial};
use crate::wait;

/// Two may run: the third waits as `Queued` until one of them has ended.
pub fn max_running_is_kept<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::limited(make, Needs::LocalProcesses, 2) else {
        return;
    };
    let launch = |n: usize| {
        let gate = format!("gate-{n}");
        trial.folder.make_gate(&gate);
        trial.launch(trial.here(format!("echo {n} >> started; : < {gate}")))
    };
    let handles: Vec<_> = (0..6).map(launch).collect();
    for (ended, handle) in handles.iter().enumerate() {
        let may_run = handles.len().min(ended + 2);
        wait::until("as many run as may", || {
            trial.folder.lines("started").len() >= may_run
        });
        let mut started = trial.folder.lines("started");
        started.sort();
        let first: Vec<_> = (0..may_run).map(|n| n.to_string()).collect();
        assert_eq!(started, first, "more run than may, with {ended} ended");
        assert_eq!(handle.exit(), None, "more run than may: it holds its place");
        if let Some(next) = handles.get(may_run) {
            assert_eq!(next.state(), State::Queued, "more run than may");
        }
        trial.folder.open(&format!("gate-{ended}"));
        assert_eq!(trial.end(handle).code(), Some(0));
    }
}

/// Tasks start in the order in which they were launched.
pub fn tasks_start_in_order<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::limited(make, Needs::LocalProcesses, 1) else {
        return;
    };
    let launch = |n| trial.launch(trial.here(format!("echo {n} >> started")));
    let handles: Vec<_> = (0..20).map(launch).collect();
    for handle in &handles {
        trial.end(handle);
    }
    let order: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(
        trial.folder.lines("started"),
        order,
        "started in another order"
    );
}

/// A task that waits can be stopped: it is told at once and never starts.
pub fn queued_tasks_can_be_stopped<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::limited(make, Needs::LocalProcesses, 1) else {
        return;
    };
    let running = trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}")));
    trial.folder.processes(1);
    let queued = trial.launch(trial.here("echo started >> started"));
    assert_eq!(queued.state(), State::Queued);
    queued.stop(Stop::by(EndedBy::Agent));
    let exit = trial.end(&queued);
    assert_eq!(
        (&exit.status, exit.ended_by),
        (&ExitStatus::NeverStarted, EndedBy::Agent)
    );
    assert_eq!(trial.told(&queued).exit, exit);
    assert_eq!(running.exit(), None, "what runs was disturbed");
    trial.folder.open("gate");
    assert_eq!(trial.end(&running).code(), Some(0));
    assert!(
        trial.folder.lines("started").is_empty(),
        "the stopped task was started"
    );
}

/// Time in the queue is no time of the run.
pub fn deadline_counts_from_the_start_of_the_run<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::limited(make, Needs::LocalProcesses, 1) else {
        return;
    };
    let timeout = Duration::from_secs(1);
    let first = trial.launch(trial.here(HOLD));
    let second = trial.launch(trial.here("exec sleep 60").timeout(timeout));
    wait::until("the deadline would be over", || {
        second
            .launched_at()
            .elapsed()
            .is_ok_and(|waited| waited > timeout)
    });
    assert_eq!(
        second.state(),
        State::Queued,
        "its deadline came while it waited"
    );
    trial.folder.open("gate");
    trial.end(&first);
    let exit = trial.end(&second);
    assert_eq!(exit.outcome(), Outcome::TimedOut);
    assert!(
        exit.duration >= timeout,
        "it had only {:?} to run",
        exit.duration
    );
}
