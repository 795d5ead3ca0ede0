//! Who belongs to a task: its group, and what left it.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use meanwhile_core::{ProcessId, TaskId};

use crate::census::{Census, Marked};
use crate::cgroup::Cgroup;
use crate::leader::{Leader, Look};
use crate::lock;
use crate::mark;
use crate::table::{self, Entry, IdCounter, Life};

/// So many processes are hardly between their id and their place in the table at once.
const IN_PROGRESS: i32 = 64;

/// What tells whose a process is without a look at all of them.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// The process groups of all live tasks of a backend, by the ids of their leaders. Whoever is in the group of
    /// one task did not escape from another, so that nobody needs to look at its environment.
    groups: Mutex<HashSet<i32>>,
    /// For each process that is being started a place for its id, 0 until the kernel has put it there.
    starting: Mutex<Vec<Arc<AtomicI32>>>,
    ids: IdCounter,
}

/// A process that is being started. From the moment when it leads a group until it is known as the leader of a task, this
/// tells that it is one: the start of a program takes longer than many programs do.
#[derive(Debug)]
pub(crate) struct Starting<'a> {
    registry: &'a Registry,
    id: Arc<AtomicI32>,
}

impl Starting<'_> {
    /// Where its id is to be put, before it runs.
    pub(crate) fn id(&self) -> &AtomicI32 {
        &self.id
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        lock(&self.registry.starting).retain(|id| !Arc::ptr_eq(id, &self.id));
    }
}

impl Registry {
    pub(crate) fn starting(&self) -> Starting<'_> {
        let id = Arc::new(AtomicI32::new(0));
        lock(&self.starting).push(Arc::clone(&id));
        Starting { registry: self, id }
    }

    pub(crate) fn insert(&self, leader: &Leader) {
        lock(&self.groups).insert(leader.id());
    }

    pub(crate) fn remove(&self, leader: &Leader) {
        lock(&self.groups).remove(&leader.id());
    }

    fn contains(&self, group: i32) -> bool {
        lock(&self.groups).contains(&group)
            || lock(&self.starting)
                .iter()
                .any(|id| id.load(Ordering::Acquire) == group)
    }
}

/// Says at once that nobody of a task is left, where that is certain: its leader must have ended. The answer "somebody
/// may be" takes a [`find`].
///
/// Most tasks end alone, and reading the whole process table for each would cost more than the task. Every
/// descendant got its id after the leader did; the kernel gives ids out in order and says which was the
/// last, so that the few that came since are all that must be looked at; likewise since the last look, with those that it
/// found. Of those that left the group, one whose parents are gone is found by its mark alone, and so is the first of any
/// others.
pub(crate) fn is_certainly_gone(id: TaskId, leader: &Leader, registry: &Registry) -> bool {
    const FEW: i32 = 256;
    /// The ids go round once in no less than this, so that the few are not those after a full turn.
    const SHORT: Duration = Duration::from_secs(1);
    let look = leader.last_look();
    let (Some(first), Some(mut last)) = (look.last_id, registry.ids.last()) else {
        return false;
    };
    let is_alive = |id: ProcessId| {
        let now = table::entry(id.pid);
        now.map_or(true, |now| {
            now.is_some_and(|now| now.id() == id && now.life == Life::Alive)
        })
    };
    let own_group = table::group_of(0);
    let has_come = |pid| match table::group_of(pid) {
        // Nobody, one of the kernel's own, or one of our host's threads.
        None | Some(0) => false,
        group if group == own_group => false,
        // A dead one that nobody has waited for has a group, too; a descriptor may be lacking.
        Some(group) if group == leader.id() => table::entry(pid).map_or(true, |entry| {
            entry.is_some_and(|entry| entry.life == Life::Alive)
        }),
        Some(group) => !registry.contains(group) && may_belong_to(id, pid),
    };
    let is_contained = leader
        .cgroup()
        .is_some_and(|cgroup| !cgroup.members().is_empty());
    let mut seen = look.tree.iter().map(Entry::id);
    if is_contained || seen.any(is_alive) || look.unseen.iter().copied().any(has_come) {
        return false;
    }
    // Who is asked may have forked while others were, and then have ended.
    let mut is_asked = !look.tree.is_empty() || !look.unseen.is_empty();
    let mut next = first + 1;
    // Until nobody was asked, or the counter stands still after it.
    loop {
        // Smaller: the ids have begun anew since.
        if last < first || last - first > FEW || look.at.elapsed() > SHORT {
            return false;
        }
        is_asked |= next <= last;
        if !is_asked {
            return true;
        }
        if (next..=last).any(has_come) {
            return false;
        }
        match registry.ids.last() {
            Some(now) if now == last => return true,
            Some(now) => (next, last) = (last + 1, now),
            None => return false,
        }
    }
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
    let (last_id, at) = (registry.ids.last(), Instant::now());
    // Not at the leaders: they are known, there may be ten thousand, and to look at one costs ten microseconds.
    let leaders = lock(&registry.groups).clone();
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
