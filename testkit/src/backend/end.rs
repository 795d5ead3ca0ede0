//! How a task ended.

use std::time::{Duration, SystemTime};

use meanwhile_core::{
    EndedBy, ExitStatus, Lifecycle, Outcome, OutputLimit, OutputStats, Shutdown, Spec, Stop,
};

use crate::trial::{NOISE, Needs, Trial};

/// The code is that of the leader's wait status, whatever the rest of the tree came to.
pub fn exit_code_is_the_leaders_own<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    for code in [0, 1, 2, 7, 126, 127, 128, 255] {
        let exit = trial.run(Spec::shell(format!("(exit 9) & wait $!; exit {code}")));
        assert_eq!(
            exit.status,
            ExitStatus::Code(code),
            "the code is not the leader's"
        );
        let outcome = if code == 0 {
            Outcome::Completed
        } else {
            Outcome::Failed
        };
        assert_eq!((exit.outcome(), exit.ended_by), (outcome, EndedBy::Itself));
    }
}

/// A task that a signal ended did not exit with a code.
pub fn a_signal_is_told_as_a_signal<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    for signal in [1, 2, 9, 15] {
        let exit = trial.run(Spec::shell(format!("kill -{signal} $$")));
        assert_eq!(
            exit.status,
            ExitStatus::Signal(signal),
            "the signal was not told as it was"
        );
        assert_eq!(
            (exit.outcome(), exit.ended_by),
            (Outcome::Failed, EndedBy::Itself)
        );
    }
}

/// Who ended it is told, for each of those who can.
pub fn who_ended_it_is_told<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let long = || Spec::shell("exec sleep 60");
    let stopped = |by| {
        let handle = trial.launch(long());
        handle.stop(Stop::by(by));
        handle
    };
    let soon = Duration::from_millis(50);
    let mut handles = vec![
        (
            EndedBy::Itself,
            Outcome::Completed,
            trial.launch(Spec::shell("exit 0")),
        ),
        (
            EndedBy::Timeout,
            Outcome::TimedOut,
            trial.launch(long().timeout(soon)),
        ),
        (EndedBy::Agent, Outcome::Stopped, stopped(EndedBy::Agent)),
        (EndedBy::User, Outcome::Stopped, stopped(EndedBy::User)),
        (EndedBy::OutputLimit, Outcome::Stopped, {
            let limit = OutputLimit::stop_after(OutputLimit::MIN);
            trial.launch(Spec::shell(NOISE).output_limit(limit))
        }),
    ];
    for (_, _, handle) in &handles {
        trial.end(handle);
    }
    handles.push((EndedBy::Shutdown, Outcome::Stopped, trial.launch(long())));
    trial.tasks.shutdown(Shutdown::Stop(None));
    for (by, outcome, handle) in handles {
        let exit = trial.end(&handle);
        assert_eq!(
            (exit.ended_by, exit.outcome()),
            (by, outcome),
            "who ended it is not told"
        );
        assert_eq!(trial.told(&handle).exit, exit);
    }
}

/// When it started and ended, and how much it wrote to both streams.
pub fn start_and_end_and_bytes_are_told<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let before = SystemTime::now();
    let exit = trial.run(Spec::shell("printf 12345; printf 678 >&2"));
    let after = SystemTime::now();
    assert_eq!(
        exit.output,
        OutputStats {
            bytes: 8,
            dropped: 0
        },
        "it wrote 5 and 3 bytes"
    );
    let started_at = exit.started_at.expect("a task that ran has a start");
    let times = [before, started_at, exit.ended_at, after];
    assert!(
        times.is_sorted(),
        "start and end are not in order: {times:?}"
    );
    assert!(
        exit.duration > Duration::ZERO,
        "a task that ran took some time"
    );
}
