//! The leader's end, and who outlives it.

use std::time::Duration;

use meanwhile_core::{EndedBy, ExitStatus, Lifecycle, Spec, Survivors};

use crate::folder::{ANNOUNCE, ESCAPED_MEMBER, Folder, HOLD, MEMBER, STUBBORN_MEMBER};
use crate::process::{self, Process};
use crate::trial::{Needs, Trial, not_demanded};

/// The leader's end is the end, though a process that lives on holds its output.
pub fn exit_does_not_wait_for_held_output<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let exit = trial.run(trial.here(format!("{MEMBER}; exit 3")));
    assert_eq!(exit.status, ExitStatus::Code(3));
    assert_eq!(exit.survivors, 1, "the survivor was not counted");
}

/// A survivor that left the group and the session is counted too.
///
/// Not demanded where there is no `setsid` program.
pub fn setsid_survivor_is_counted<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    if !has_setsid() {
        return;
    }
    let exit = trial.run(trial.here(format!("{ESCAPED_MEMBER}; exit 3")));
    assert_eq!(exit.status, ExitStatus::Code(3));
    assert_eq!(
        exit.survivors, 1,
        "the survivor that left the group was not counted"
    );
}

/// On a natural end survivors are left alone, all of them counted.
pub fn natural_end_leaves_survivors_alone<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let exit = trial.run(trial.here(format!("{MEMBER}\n{MEMBER}\n{MEMBER}")));
    assert_eq!(exit.survivors, 3, "not every survivor was counted");
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Code(0), EndedBy::Itself)
    );
    trial.folder.release(3);
}

/// Survivors are stopped before the end is told if the spec says so, and the status is still the
/// leader's.
pub fn survivors_stop_if_the_spec_says_so<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("{MEMBER}\n{STUBBORN_MEMBER}\nexit 3");
    let spec = trial.here(line).survivors(Survivors::Stop).grace(SOON);
    let exit = trial.run(spec);
    assert_none_alive(&trial.folder);
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Code(3), EndedBy::Itself)
    );
    assert_eq!(exit.survivors, 0);
}

/// A process that forks and ends while the leader's end is being dealt with leaves nobody behind.
///
/// It is a race that this cannot decide, so it is run many times: who is overlooked one time in a hundred is found in some
/// runs, and who is overlooked always in each.
pub fn survivors_that_fork_meanwhile_are_stopped<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    for _ in 0..100 {
        // Two generations, of which the first ends at once.
        let line = format!("(sh -c '{ANNOUNCE}; {HOLD}' &) &");
        let spec = trial.here(line).survivors(Survivors::Stop).grace(SOON);
        let survivors = trial.run(spec).survivors;
        assert_none_alive(&trial.folder);
        assert_eq!(survivors, 0, "somebody is alive after the end");
    }
}

/// A grace for those who will not use it.
pub(super) const SOON: Duration = Duration::from_millis(100);

/// A leader with two members, all held.
pub(super) fn held_tree(trial: &Trial) -> Spec {
    trial.here(format!("{MEMBER}\n{MEMBER}\n{ANNOUNCE}\n{HOLD}"))
}

/// After an end that stopped the tree nobody is left, at once and without waiting.
#[track_caller]
pub(super) fn assert_none_alive(folder: &Folder) {
    let mut alive = folder.processes(0);
    alive.retain(Process::is_alive);
    assert!(alive.is_empty(), "alive after the end was told: {alive:?}");
}

pub(super) fn has_setsid() -> bool {
    let has = process::has_program("setsid");
    if !has {
        not_demanded("there is no setsid program, to leave the group with");
    }
    has
}
