//! Who belongs to a task: its group, and what left it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use meanwhile_core::TaskId;

use crate::cgroup::Cgroup;
use crate::command::MARK;
use crate::leader::Leader;
use crate::lock;
use crate::table::{self, Entry, Life};

/// The process groups of all live tasks of a backend, by the ids of their leaders. Whoever is in the group of
/// one task did not escape from another, so that nobody needs to look at its environment.
#[derive(Debug, Default)]
pub(crate) struct LiveGroups(Mutex<HashSet<i32>>);

impl LiveGroups {
    pub(crate) fn insert(&self, leader: &Leader) {
        lock(&self.0).insert(leader.id());
    }

    pub(crate) fn remove(&self, leader: &Leader) {
        lock(&self.0).remove(&leader.id());
    }

    fn contains(&self, group: i32) -> bool {
        lock(&self.0).contains(&group)
    }
}

/// Says at once that nobody of a task is left, where that is certain: its leader must have been reaped. The
/// answer "somebody may be" takes a [`find`].
///
/// Most tasks end alone, and reading the whole process table for each would cost more than the task. Every
/// descendant got its id after the leader did; the kernel gives ids out in order and says which was the
/// last, so that the few that came since are all that must be looked at.
pub(crate) fn is_certainly_gone(leader: &Leader, live: &LiveGroups) -> bool {
    const FEW: i32 = 64;
    /// The ids go round once in no less than this, so that the few are not those after a full turn.
    const SHORT: Duration = Duration::from_secs(1);
    if !leader.is_group_empty() {
        return false;
    }
    if leader
        .cgroup()
        .is_some_and(|cgroup| !cgroup.members().is_empty())
    {
        return false;
    }
    let first = leader.id();
    let Some(last) = table::last_id() else {
        return false;
    };
    // Smaller: the ids have begun anew since.
    if leader.age() > SHORT || last < first || last - first > FEW {
        return false;
    }
    let own_group = table::group_of(0);
    let may_have_escaped = |id| match table::group_of(id) {
        // Nobody, one of the kernel's own, or one of our host's threads.
        None | Some(0) => false,
        group if group == own_group => false,
        Some(group) => !live.contains(group),
    };
    !(first + 1..=last).any(may_have_escaped)
}

/// Finds, for each of `tasks`, every process that belongs to it, dead ones and the leader included.
///
/// A process belongs to a task if it is in the leader's group or the task's control group, descends from a
/// process that does, or carries the task's mark in its environment: that is what remains of one that left the
/// group and whose parents are gone. Who was found outside of the group once belongs to it for good.
///
/// # Errors
///
/// The operating system's, if the process table cannot be read.
pub(crate) fn find(tasks: &[(TaskId, &Leader)], live: &LiveGroups) -> io::Result<Vec<Vec<Entry>>> {
    let census = Census::of(table::read()?);
    let mut by_mark = marked(tasks, &census.table, live);
    let trees = tasks.iter().map(|(id, leader)| {
        let marked = by_mark.remove(id).unwrap_or_default();
        let tree = census.tree(leader, marked);
        let strays = tree.iter().filter(|entry| entry.group != leader.id());
        leader.remember_strays(strays.map(|entry| (entry.pid, entry.start)).collect());
        tree
    });
    Ok(trees.collect())
}

/// The process table, ordered by what is asked of it; places in it stand for processes.
struct Census {
    table: Vec<Entry>,
    by_pid: HashMap<i32, usize>,
    by_group: HashMap<i32, Vec<usize>>,
    by_parent: HashMap<i32, Vec<usize>>,
}

impl Census {
    fn of(table: Vec<Entry>) -> Self {
        let mut by_group: HashMap<i32, Vec<usize>> = HashMap::new();
        let mut by_parent: HashMap<i32, Vec<usize>> = HashMap::new();
        for (at, entry) in table.iter().enumerate() {
            by_group.entry(entry.group).or_default().push(at);
            by_parent.entry(entry.parent).or_default().push(at);
        }
        let by_pid = table
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.pid, at))
            .collect();
        Self {
            table,
            by_pid,
            by_group,
            by_parent,
        }
    }

    fn tree(&self, leader: &Leader, marked: Vec<usize>) -> Vec<Entry> {
        let strays = leader.strays().into_iter().filter_map(|(pid, start)| {
            let at = *self.by_pid.get(&pid)?;
            (self.table[at].start == start).then_some(at)
        });
        let contained = leader.cgroup().map(Cgroup::members).unwrap_or_default();
        let mut open = marked;
        open.extend(strays);
        open.extend(contained.iter().filter_map(|pid| self.by_pid.get(pid)));
        open.extend(self.by_group.get(&leader.id()).into_iter().flatten());
        open.extend(self.children_of(leader.id()));
        let mut seen = HashSet::new();
        let mut tree = Vec::new();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                tree.push(self.table[at]);
                open.extend(self.children_of(self.table[at].pid));
            }
        }
        tree
    }

    fn children_of(&self, pid: i32) -> impl Iterator<Item = usize> {
        self.by_parent.get(&pid).into_iter().flatten().copied()
    }
}

/// The processes that carry the mark of one of `tasks`, where it is not plain from their group whose they are.
fn marked(
    tasks: &[(TaskId, &Leader)],
    table: &[Entry],
    live: &LiveGroups,
) -> HashMap<TaskId, Vec<usize>> {
    let wanted: HashSet<TaskId> = tasks.iter().map(|(id, _)| *id).collect();
    let groups: HashSet<i32> = tasks.iter().map(|(_, leader)| leader.id()).collect();
    // Nobody is older than its leader. A leader that was reaped is not in the table; then nobody is spared.
    let starts: HashMap<i32, u64> = table.iter().map(|entry| (entry.pid, entry.start)).collect();
    let oldest = groups
        .iter()
        .map(|pid| starts.get(pid).copied().unwrap_or(0))
        .min()
        .unwrap_or(0);

    let mut found: HashMap<TaskId, Vec<usize>> = HashMap::new();
    for (at, entry) in table.iter().enumerate() {
        let is_plain = groups.contains(&entry.group) || live.contains(entry.group);
        if is_plain || entry.start < oldest || entry.life == Life::Dead {
            continue;
        }
        let Some(mark) = table::variable(entry.pid, MARK) else {
            continue;
        };
        let ids = mark
            .split(|byte| *byte == b'/')
            .filter_map(|id| str::from_utf8(id).ok());
        for id in ids
            .filter_map(|id| TaskId::from_str(id).ok())
            .filter(|id| wanted.contains(id))
        {
            found.entry(id).or_default().push(at);
        }
    }
    found
}
