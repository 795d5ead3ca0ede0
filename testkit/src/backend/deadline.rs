//! P9: a deadline is a promise.

use std::time::Duration;

use meanwhile_core::{EndedBy, Lifecycle, Outcome, Spec};

use super::tree::{SOON, assert_none_alive};
use crate::folder::{ANNOUNCE, HOLD, STUBBORN_MEMBER};
use crate::trial::{Needs, Trial};

/// P9: at the deadline the whole tree is stopped, and the notification says why.
pub fn timeout_stops_the_tree_and_says_so<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let timeout = Duration::from_secs(1);
    let line = format!("{STUBBORN_MEMBER}\n{ANNOUNCE}\n{HOLD}");
    let handle = trial.launch(trial.here(line).timeout(timeout).grace(SOON));
    let exit = trial.end(&handle);
    assert_none_alive(&trial.folder);
    assert_eq!(
        (exit.ended_by, exit.outcome()),
        (EndedBy::Timeout, Outcome::TimedOut)
    );
    assert!(
        exit.duration >= timeout,
        "it was stopped after {:?}",
        exit.duration
    );
    assert_eq!(trial.told(&handle).exit, exit);
}

/// P9: a task that answers its deadline with code 0 has timed out all the same.
pub fn a_timeout_is_told_whatever_the_code<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let line = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
    let exit = trial.run(Spec::shell(line).timeout(Duration::from_secs(1)));
    assert_eq!(
        exit.outcome(),
        Outcome::TimedOut,
        "a timeout was told as {exit:?}"
    );
}

/// P9: what was written before the deadline is there after it.
pub fn output_before_the_timeout_is_kept<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    // On a busy machine the deadline may come before the task could write; then there has to be more time.
    for seconds in [1, 4, 16, 64] {
        let spec = trial.here("echo so far; echo >> written; exec sleep 600");
        let handle = trial.launch(spec.timeout(Duration::from_secs(seconds)));
        let exit = trial.end(&handle);
        assert_eq!(exit.outcome(), Outcome::TimedOut);
        if !trial.folder.lines("written").is_empty() {
            assert_eq!(
                trial.text(&handle),
                "so far\n",
                "the output before the deadline is gone"
            );
            assert_eq!(
                exit.output.bytes, 7,
                "the bytes before the deadline are not counted"
            );
            return;
        }
    }
    panic!("a task had a minute to write a line, and did not");
}
