//! Who belongs to a task: its group, and what left it.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meanwhile_core::TaskId;

use crate::census::{Census, Marked};
use crate::cgroup::Cgroup;
use crate::leader::{Leader, Look};
use crate::mark;
use crate::registry::Registry;
use crate::table::{self, Entry, Life};

/// So many processes are hardly between their id and their place in the table at once.
const IN_PROGRESS: i32 = 64;

/// Says at once that nobody of a task is left, where that is certain: its leader must have ended. The answer "somebody
/// may be" takes a [`find`].
///
/// Most tasks end alone, and reading the whole process table for each would cost more than the task. Every
/// descendant got its id after the leader did; the kernel gives ids out in order and says which was the
/// last, so that the few that came since are all that must be looked at; likewise since the last look, with those that it
/// found. Of those that left the group, one whose parents are gone is found by its mark alone, and so is the first of any
/// others.
pub(crate) fn is_certainly_gone(id: TaskId, leader: &Leader, registry: &Registry) -> bool {
    let look = leader.last_look();
    let own_group = table::group_of(0);
    let may_be_left = |pid| match table::group_of(pid) {
        // Nobody, one of the kernel's own, or one of our host's threads.
        None | Some(0) => false,
        group if group == own_group => false,
        // A dead one that nobody has waited for has a group, too; a descriptor may be lacking.
        Some(group) if group == leader.id() => table::entry(pid).map_or(true, |entry| {
            entry.is_some_and(|entry| entry.life == Life::Alive)
        }),
        Some(group) => !registry.contains(group) && may_belong_to(id, pid),
    };
    let contained = leader.cgroup().map(Cgroup::members).unwrap_or_default();
    // Who came since is asked last: of those who were there one may have forked until it was asked, and then have ended.
    contained.is_empty()
        && !look.tree.iter().any(may_be_alive)
        && !look.unseen.iter().copied().any(may_be_left)
        && nobody_came_since(&look, registry, may_be_left)
}

/// Whether this process lives, or cannot be looked at now.
fn may_be_alive(seen: &Entry) -> bool {
    table::entry(seen.pid).map_or(true, |now| {
        now.is_some_and(|now| now.id() == seen.id() && now.life == Life::Alive)
    })
}

/// Whether certainly none of those that got an id since the look is `left`.
fn nobody_came_since(look: &Look, registry: &Registry, left: impl Fn(i32) -> bool) -> bool {
    const FEW: i32 = 256;
    /// The ids go round once in no less than this, so that the few are not those after a full turn.
    const SHORT: Duration = Duration::from_secs(1);
    let Some(first) = look.last_id else {
        return false;
    };
    let mut asked = first;
    // Until the counter stands still: each may have forked until it was asked, and then have ended.
    while let Some(last) = registry.last_id() {
        // Smaller: the ids have begun anew since.
        if last < asked || last - first > FEW || look.at.elapsed() > SHORT {
            return false;
        }
        if last == asked {
            return true;
        }
        if (asked + 1..=last).any(&left) {
            return false;
        }
        asked = last;
    }
    false
}

/// Whether this process carries the mark of the task, or cannot be asked now.
fn may_belong_to(task: TaskId, pid: i32) -> bool {
    let Ok(environment) = table::environment(pid) else {
        return true;
    };
    environment.is_some_and(|environment| {
        environment.is_empty() || mark::tasks(&environment).any(|id| id == task)
    })
}

/// Finds, for each of `tasks`, every process that belongs to it but for the leader, dead ones included.
///
/// A process belongs to a task if it is in the leader's group or the task's control group, descends from a
/// process that does, or carries the task's mark in its environment: that is what remains of one that left the
/// group and whose parents are gone. Who was found outside of the group once belongs to it for good.
///
/// # Errors
///
/// The operating system's, if the process table cannot be read.
pub(crate) fn find(
    tasks: &[(TaskId, &Leader)],
    registry: &Registry,
) -> io::Result<Vec<Vec<Entry>>> {
    // Before the look: who comes while it is taken may not be seen by it.
    let (last_id, at) = (registry.last_id(), Instant::now());
    // Not at the leaders: they are known, there may be ten thousand, and to look at one costs ten microseconds.
    let leaders = registry.leaders();
    let census = Census::take_of(|pid| !leaders.contains(&pid))?;
    let unseen: Arc<[i32]> = last_id.map_or_else(Arc::default, |last| {
        let was_there = |pid| leaders.contains(&pid) || census.entry(pid).is_some();
        let recent = (last - IN_PROGRESS).max(1)..=last;
        recent.filter(|pid| !was_there(*pid)).collect()
    });
    let mut by_mark = marked(tasks, &census, registry);
    // What could not be judged has an earlier id, and is not among those that were found: then there is no saying who has
    // come since.
    let last_id = last_id.filter(|_| by_mark.is_complete);
    let trees = tasks.iter().map(|(id, leader)| {
        let marked = by_mark.places.remove(id).unwrap_or_default();
        let tree = tree(leader, marked, &census);
        leader.remember(Look {
            at,
            tree: tree.clone(),
            last_id,
            unseen: Arc::clone(&unseen),
        });
        tree
    });
    Ok(trees.collect())
}

fn tree(leader: &Leader, marked: Vec<usize>, census: &Census) -> Vec<Entry> {
    let before = leader.last_look().tree;
    let strays = before.iter().filter(|entry| entry.group != leader.id());
    let contained = leader.cgroup().map(Cgroup::members).unwrap_or_default();
    let mut roots = marked;
    roots.extend(strays.filter_map(|stray| census.place(stray.id())));
    roots.extend(census.places(&contained));
    roots.extend(census.group(leader.id()));
    roots.extend(census.children_of(leader.id()));
    census.descend_from(roots)
}

/// The processes that carry the mark of one of `tasks`, where it is not plain from their group whose they are.
fn marked(tasks: &[(TaskId, &Leader)], census: &Census, registry: &Registry) -> Marked {
    let wanted = tasks.iter().map(|(id, _)| *id).collect();
    let groups: HashSet<i32> = tasks.iter().map(|(_, leader)| leader.id()).collect();
    // Nobody is older than its leader. One that was reaped is not in the table; then nobody is spared.
    let first = tasks.iter().min_by_key(|(_, leader)| leader.started());
    let oldest = first.and_then(|(_, leader)| table::entry(leader.id()).ok()?);
    let oldest = oldest.map_or(0, |entry| entry.start);
    census.marked(&wanted, |entry| {
        let is_plain = groups.contains(&entry.group) || registry.contains(entry.group);
        !is_plain && entry.start >= oldest
    })
}
