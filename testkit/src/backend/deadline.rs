//! A deadline is a promise.

use std::time::Duration;

use meanwhile_core::{EndedBy, Lifecycle, Outcome, Spec};

use super::tree::{SOON, assert_none_alive};
use crate::folder::{ANNOUNCE, HOLD, STUBBORN_MEMBER};
use crate::trial::{Needs, Trial};

/// At the deadline the whole tree is stopped, and the notification says why.
pub fn timeout_stops_the_tree_and_says_so<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("{ANNOUNCE}\n{STUBBORN_MEMBER}\n{HOLD}");
    give_enough_time(|timeout| {
        let handle = trial.launch(trial.here(&line).timeout(timeout).grace(SOON));
        let exit = trial.end(&handle);
        assert_none_alive(&trial.folder);
        let said = (exit.ended_by, exit.outcome());
        assert_eq!(said, (EndedBy::Timeout, Outcome::TimedOut));
        assert!(
            exit.duration >= timeout,
            "stopped after {:?}",
            exit.duration
        );
        assert_eq!(trial.told(&handle).exit, exit);
        trial.folder.lines("pids").len() >= 2
    });
}

/// A task that answers its deadline with code 0 has timed out all the same.
///
/// For local processes: what else stands between a task and its backend may not pass the code on.
pub fn a_timeout_is_told_whatever_the_code<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
    give_enough_time(|timeout| {
        let exit = trial.run(Spec::shell(line).timeout(timeout));
        assert_eq!(
            exit.outcome(),
            Outcome::TimedOut,
            "a timeout was told as {exit:?}"
        );
        exit.code() == Some(0)
    });
}

/// What was written before the deadline is there after it.
pub fn output_before_the_timeout_is_kept<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    give_enough_time(|timeout| {
        let spec = trial.here("echo so far; echo >> written; exec sleep 600");
        let handle = trial.launch(spec.timeout(timeout));
        let exit = trial.end(&handle);
        assert_eq!(exit.outcome(), Outcome::TimedOut);
        let has_written = !trial.folder.lines("written").is_empty();
        if has_written {
            assert_eq!(
                trial.text(&handle),
                "so far\n",
                "the output before the deadline is gone"
            );
            assert_eq!(
                exit.output.bytes, 7,
                "the bytes before the deadline are not counted"
            );
        }
        has_written
    });
}

/// Runs a task with a deadline, and again with a later one if it says that the deadline came too early to
/// show anything: on a busy machine a task may take seconds to get to its first line.
fn give_enough_time(mut shows: impl FnMut(Duration) -> bool) {
    let enough = [1, 4, 16]
        .into_iter()
        .any(|seconds| shows(Duration::from_secs(seconds)));
    assert!(
        enough,
        "a task had 16 s for its first lines, and did not get through them"
    );
}
