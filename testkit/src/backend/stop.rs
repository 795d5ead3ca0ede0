//! Stopping.

use std::time::{Duration, Instant};

use meanwhile_core::{EndedBy, ExitStatus, Lifecycle, Stop};

use super::tree::{SOON, assert_none_alive, has_setsid, held_tree};
use crate::folder::{ANNOUNCE, ESCAPED_MEMBER, HOLD, STUBBORN_MEMBER};
use crate::trial::{Needs, Trial};
use crate::wait;

/// A grace that no check waits for.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// Stays, with short sleeps: a shell looks at its traps only between two commands.
const LINGER: &str = "while :; do sleep 0.1; done";

/// A stop reaches the leader and all that it started.
pub fn stop_reaches_the_whole_tree<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(held_tree(&trial));
    trial.folder.processes(3);
    handle.stop(Stop::by(EndedBy::Agent));
    let exit = trial.end(&handle);
    assert_none_alive(&trial.folder);
    assert_eq!((exit.ended_by, exit.survivors), (EndedBy::Agent, 0));
}

/// A stop reaches a process that left the group and the session and is nobody's child any more.
///
/// Not demanded where there is no `setsid` program.
pub fn stop_reaches_what_left_the_group<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    if !has_setsid() {
        return;
    }
    let line = format!("{ESCAPED_MEMBER}\n{ESCAPED_MEMBER}\n{ANNOUNCE}\n{HOLD}");
    let handle = trial.launch(trial.here(line));
    trial.folder.processes(3);
    handle.stop(Stop::by(EndedBy::Agent));
    trial.end(&handle);
    assert_none_alive(&trial.folder);
}

/// The polite signal comes first, and there is time to act on it.
pub fn stop_grants_the_grace<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(trial.here(polite()).grace(LONG));
    trial.folder.processes(1);
    handle.stop(Stop::by(EndedBy::Agent));
    let exit = trial.end(&handle);
    assert_eq!(
        exit.status,
        ExitStatus::Code(5),
        "the task had no time to end politely"
    );
    assert_eq!(exit.ended_by, EndedBy::Agent);
}

/// A stop may name its polite signal.
pub fn a_stop_may_name_its_signal<L: Lifecycle>(make: impl FnOnce() -> L) {
    const HANG_UP: i32 = 1;
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("trap 'exit 5' TERM\ntrap 'exit 6' HUP\n{ANNOUNCE}\n{LINGER}");
    let handle = trial.launch(trial.here(line).grace(LONG));
    trial.folder.processes(1);
    handle.stop(Stop::by(EndedBy::Agent).signal(HANG_UP));
    let exit = trial.end(&handle);
    assert_eq!(
        exit.status,
        ExitStatus::Code(6),
        "another signal came than the one that was named"
    );
    assert_eq!(exit.ended_by, EndedBy::Agent);
}

/// A grace of zero, of the stop or of the spec, kills without asking.
pub fn grace_zero_kills_at_once<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let of_the_spec = trial.launch(trial.here(polite()).grace(Duration::ZERO));
    let of_the_stop = trial.launch(trial.here(polite()).grace(LONG));
    trial.folder.processes(2);
    of_the_spec.stop(Stop::by(EndedBy::Agent));
    of_the_stop.stop(Stop::by(EndedBy::Agent).grace(Duration::ZERO));
    for handle in [of_the_spec, of_the_stop] {
        let status = trial.end(&handle).status;
        assert_eq!(status, ExitStatus::Signal(9), "it was not killed at once");
    }
}

/// Whoever ignores the polite signal is killed when the grace is over, and not before.
pub fn term_ignorers_are_killed_after_the_grace<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("trap '' TERM\n{ANNOUNCE}\n{HOLD}");
    let handle = trial.launch(trial.here(line).grace(SOON));
    trial.folder.processes(1);
    let asked = Instant::now();
    handle.stop(Stop::by(EndedBy::Agent));
    let exit = trial.end(&handle);
    assert!(
        asked.elapsed() >= SOON,
        "it was killed before the grace was over"
    );
    assert_eq!(
        exit.status,
        ExitStatus::Signal(9),
        "it ignored the polite signal"
    );
    assert_none_alive(&trial.folder);
}

/// The last signal goes out though the leader obeyed the polite one.
pub fn leader_dies_but_member_ignores_term<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("{STUBBORN_MEMBER}\n{ANNOUNCE}\n{HOLD}");
    let handle = trial.launch(trial.here(line).grace(SOON));
    trial.folder.processes(2);
    handle.stop(Stop::by(EndedBy::Agent));
    let exit = trial.end(&handle);
    assert_none_alive(&trial.folder);
    assert_eq!((exit.ended_by, exit.survivors), (EndedBy::Agent, 0));
}

/// A stopped process sees the polite signal only if it is woken.
pub fn stopped_processes_are_reached<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(trial.here(format!("{ANNOUNCE}\nkill -STOP $$")).grace(LONG));
    let leader = trial.folder.processes(1).remove(0);
    wait::until("the task has stopped itself", || leader.is_stopped());
    handle.stop(Stop::by(EndedBy::Agent));
    assert_eq!(trial.end(&handle).status, ExitStatus::Signal(15));
}

/// Further stops do no harm: the first says who ended it, and one after the end changes nothing.
pub fn stop_twice_and_after_the_end<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    // Asked politely, it ends only after the second stop. A further signal would interrupt the opening.
    let line = format!("trap 'until true < gate; do :; done; exit 5' TERM\n{ANNOUNCE}\n{LINGER}");
    let handle = trial.launch(trial.here(line).grace(LONG));
    trial.folder.processes(1);
    handle.stop(Stop::by(EndedBy::Agent));
    handle.stop(Stop::by(EndedBy::User));
    trial.folder.open("gate");
    let exit = trial.end(&handle);
    assert_eq!(
        exit.ended_by,
        EndedBy::Agent,
        "a later stop took the place of the first"
    );
    assert_eq!(exit.status, ExitStatus::Code(5));
    handle.stop(Stop::by(EndedBy::User).grace(Duration::ZERO));
    assert_eq!(
        handle.exit(),
        Some(exit.clone()),
        "a stop after the end changed it"
    );
    assert_eq!(trial.told(&handle).exit, exit);
}

/// A later stop may be less patient.
pub fn a_later_stop_may_shorten_the_grace<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("trap '' TERM\n{ANNOUNCE}\n{HOLD}");
    let handle = trial.launch(trial.here(line).grace(LONG));
    trial.folder.processes(1);
    handle.stop(Stop::by(EndedBy::Agent));
    handle.stop(Stop::by(EndedBy::User).grace(Duration::ZERO));
    let exit = trial.end(&handle);
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Signal(9), EndedBy::Agent)
    );
}

/// A stop right behind the launch is not lost, whichever of the two is faster.
pub fn stop_at_once_after_launch<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let stopped = (0..100).map(|_| {
        let handle = trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}")));
        handle.stop(Stop::by(EndedBy::Agent));
        handle
    });
    for handle in stopped.collect::<Vec<_>>() {
        let exit = trial.end(&handle);
        let by_the_stop = matches!(
            exit.status,
            ExitStatus::NeverStarted | ExitStatus::Signal(_)
        );
        assert!(by_the_stop, "the stop was lost: {:?}", exit.status);
        assert_eq!(exit.ended_by, EndedBy::Agent);
        trial.told(&handle);
    }
    assert_none_alive(&trial.folder);
}

/// Hundreds of tasks that run are stopped at once, or as many as the backend declares: no stop is lost.
pub fn hundreds_of_stops_at_once<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let many = trial
        .tasks
        .capabilities()
        .max_live()
        .map_or(300, |max| max.min(300));
    let spec = || trial.here(format!("{ANNOUNCE}\n{HOLD}")).grace(LONG);
    let handles: Vec<_> = (0..many).map(|_| trial.launch(spec())).collect();
    trial.folder.processes(many);
    for handle in &handles {
        handle.stop(Stop::by(EndedBy::Agent));
    }
    for handle in &handles {
        let exit = trial.end(handle);
        assert_eq!(
            (&exit.status, exit.ended_by),
            (&ExitStatus::Signal(15), EndedBy::Agent)
        );
        assert_eq!(trial.told(handle).exit, exit);
    }
    assert_none_alive(&trial.folder);
}

/// A leader that ends with code 5 if it is asked politely.
fn polite() -> String {
    format!("trap 'exit 5' TERM\n{ANNOUNCE}\n{LINGER}")
}
