//! What running tasks take of the machine.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use meanwhile_core::{ProcessId, TaskId};

use crate::census::Census;
use crate::table::{self, Entry, Life};

/// What one task takes of the machine.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many of its processes are alive.
    pub processes: u32,
    /// Processor time in user and system mode: of its processes, and on Linux of those that ended and that one
    /// of these has waited for. It falls when one ends that nobody waits for.
    pub cpu: Duration,
    /// Resident memory in bytes; what several processes share is counted for each.
    pub resident: u64,
}

/// What each of these tasks takes now, by their leaders. One look at the process table serves all.
///
/// To a task belong, as everywhere, its group, whoever carries its mark in its environment, and the
/// descendants of these. Only the environments of those are looked at that are in none of the groups and
/// younger than the oldest leader. A task whose leader is gone has no group any more.
///
/// # Errors
///
/// The operating system's, if the process table cannot be read.
pub fn usage(leaders: &[(TaskId, ProcessId)]) -> io::Result<Vec<Usage>> {
    let census = Census::take()?;
    let tasks = leaders.iter().map(|(task, _)| *task).collect();
    let groups: HashSet<i32> = leaders
        .iter()
        .filter(|(_, leader)| census.place(*leader).is_some())
        .map(|(_, leader)| leader.pid)
        .collect();
    let oldest = leaders.iter().map(|(_, leader)| leader.start).min();
    let mut by_mark = census.marked(&tasks, |entry| {
        !groups.contains(&entry.group) && oldest.is_some_and(|oldest| entry.start >= oldest)
    });
    let usages = leaders.iter().map(|(task, leader)| {
        let mut roots = by_mark.places.remove(task).unwrap_or_default();
        if census.place(*leader).is_some() {
            roots.extend(census.group(leader.pid));
        }
        Usage::of(&census.descend_from(roots))
    });
    Ok(usages.collect())
}

impl Usage {
    fn of(tree: &[Entry]) -> Self {
        let mut usage = Self::default();
        for process in tree {
            usage.processes += u32::from(process.life == Life::Alive);
            if let Some(taken) = table::consumption(*process) {
                usage.cpu += taken.cpu;
                usage.resident += taken.resident;
            }
        }
        usage
    }
}
