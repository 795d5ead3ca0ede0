//! What do tasks cost that are there at the same time, and how does that grow with their number?

mod cell;
mod room;
mod sight;

use crate::contest::{Contest, Reading};
use crate::panel::Panel;
use crate::runner::Entrant;
use crate::series::{Role, Unit};

pub use self::cell::scale_cell;

/// The name of the question.
pub const SCALE: &str = "scale";

/// The metric of the time from the first launch until all tasks run. Their number over this is the launch rate.
pub const START: &str = "start";
/// The metric of the time for which all launches together hold up their caller.
const LAUNCHES: &str = "launches";
/// The metric of the memory that this process has for each task.
pub const MEMORY: &str = "memory a task";
/// The metric of the threads that this process has more than before.
pub const THREADS: &str = "threads";
/// The metric of the descriptors that this process has more than before.
pub const DESCRIPTORS: &str = "descriptors";
/// The metric of the time from the order to stop all until each is gone, reaped, and its end known to the caller.
pub const STOP_ALL: &str = "stop all";

/// How many tasks are live at once, at most.
pub const SCALES: [usize; 5] = [1, 10, 100, 1_000, MANY];

/// So many that only those are asked whom the targets are about: each takes its ten seconds.
const MANY: usize = 10_000;

/// Asks all `entrants` who can stop what runs, with so many tasks live as [`SCALES`] says.
///
/// Ours do more than the others: they capture output, so that a file is made for each task; and to stop one they ask it to
/// end, look for its descendants, and tell who is left, where the others kill the child and nobody else.
///
/// Memory, threads and descriptors are those of a whole process, so that each contender gets one of its own in each
/// round: this executable runs itself. It must call [`scale_cell`] first of all.
///
/// A number for which this machine has no room is left out, and so is the question where there is no `/proc` as on Linux.
/// That is said on stderr.
///
/// # Panics
///
/// If the process of a contender fails.
pub fn scale(panel: &mut impl Panel, entrants: &[Entrant]) {
    let scales = panel
        .effort()
        .choose(&[1, 3][..], &SCALES[..4], &SCALES[..4], &SCALES[..]);
    for &live in scales {
        if let Err(lack) = room::for_tasks(live) {
            eprintln!("{SCALE}: {} left out: {lack}", scale_condition(live));
            continue;
        }
        let few = panel.effort().choose(1, 1, 1, 3);
        let contest =
            Contest::new(SCALE, scale_condition(live)).rounds(if live < 1_000 { few } else { 1 });
        let takes_part = |entrant: &&Entrant| {
            entrant.runner.room() >= live && (live < MANY || entrant.role != Role::Peer)
        };
        let contest = entrants
            .iter()
            .filter(takes_part)
            .fold(contest, |contest, entrant| {
                let name = entrant.name.as_str();
                contest.contender(entrant.role, name, move || cell::run(name, live))
            });
        panel.ask(contest);
    }
}

/// The condition under which so many tasks are live, for instance `1,000 live`.
#[must_use]
pub fn scale_condition(live: usize) -> String {
    match live {
        0..1_000 => format!("{live} live"),
        _ => format!("{},{:03} live", live / 1_000, live % 1_000),
    }
}

impl From<cell::Findings> for Reading {
    fn from(found: cell::Findings) -> Self {
        Self::new()
            .and(START, Unit::Seconds, found.start)
            .and(LAUNCHES, Unit::Seconds, found.launches)
            .and(MEMORY, Unit::Bytes, found.memory_a_task)
            .and(THREADS, Unit::Count, found.threads)
            .and(DESCRIPTORS, Unit::Count, found.descriptors)
            .and(STOP_ALL, Unit::Seconds, found.stop_all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_numbers_for_people() {
        assert_eq!(scale_condition(100), "100 live");
        assert_eq!(scale_condition(10_000), "10,000 live");
    }
}
