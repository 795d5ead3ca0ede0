//! Stopping what is left of tasks whose supervisor died.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{Orphan, ProcessId, TaskId};
use rustix::process::Signal;

use crate::census::Census;
use crate::cgroup::{self, Cgroup};
use crate::lineage;
use crate::table::{self, Entry, Life};

/// The grace that an orphan has at most: somebody waits.
const LONGEST_GRACE: Duration = Duration::from_secs(2);
/// How long those are killed again and again that fork, or cannot die at once.
const KILLING: Duration = Duration::from_secs(5);
/// Between two looks, growing from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// Stops what is left of tasks whose supervisor died, a `kill -9` say, and says for each how many processes
/// are still alive: none, as a rule.
///
/// Each gets the polite signal, and is killed after its grace, of which no more than 2 s are given; with no
/// grace it is killed at once. Blocks until nobody is left, for at most 5 s after the grace. One look at the
/// process table serves all orphans, and is all that is done if nobody is there.
///
/// To a task belong its leader, if that is still the same process, its group, its control group below the one
/// of this process, whoever carries the task's mark in its environment or writes to the file of its output, and the
/// descendants of all these.
/// Without the leader the group is not asked: its number may be somebody else's by now. This process and its
/// ancestors are spared and not counted: the program that cleans up may itself run inside a task.
///
/// Where the process table cannot be read, nobody is taken for gone.
#[must_use = "whoever is left alive is to be told of"]
pub fn stop_orphans(orphans: &[Orphan]) -> Vec<u32> {
    if orphans.is_empty() {
        return Vec::new();
    }
    let parent = cgroup::Parent::find();
    let mut remnants: Vec<_> = orphans
        .iter()
        .map(|orphan| Remnant::of(orphan, parent.as_ref()))
        .collect();
    let grace = remnants.iter().map(|remnant| remnant.grace).max();
    let patience = grace.unwrap_or_default() + KILLING;
    let begun = Instant::now();
    let mut pause = PAUSES.0;
    loop {
        let age = begun.elapsed();
        look(&mut remnants);
        let left: Vec<u32> = remnants.iter().map(Remnant::left).collect();
        if age >= patience || left.iter().all(|left| *left == 0) {
            return left;
        }
        for remnant in &mut remnants {
            remnant.signal(age);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Finds who is left of each.
fn look(remnants: &mut [Remnant]) {
    let Ok(census) = Census::take() else {
        return;
    };
    let tasks: HashSet<TaskId> = remnants.iter().map(|remnant| remnant.task).collect();
    // In this order: a process that was only just started has its output before its mark, and may redirect the one when
    // it has the other.
    let mut by_output = census.writers(&tasks);
    let mut by_mark = census.marked(&tasks, |_| true).places;
    let spared: HashSet<i32> = lineage::line(|pid| census.entry(pid))
        .map(|entry| entry.pid)
        .collect();
    for remnant in remnants {
        let mut found = by_mark.remove(&remnant.task).unwrap_or_default();
        found.extend(by_output.remove(&remnant.task).unwrap_or_default());
        remnant.look(&census, found, &spared);
    }
}

/// What is left of one task.
struct Remnant {
    task: TaskId,
    leader: Option<ProcessId>,
    cgroup: Option<Cgroup>,
    grace: Duration,
    /// Who was found at the last look: a parent that dies takes the ancestry of its children along, and the
    /// leader the group. `None` before the first.
    tree: Option<Vec<Entry>>,
    was_asked: bool,
}

impl Remnant {
    fn of(orphan: &Orphan, parent: Option<&cgroup::Parent>) -> Self {
        Self {
            task: orphan.task,
            // 0 is the start of one that could not be seen when it was started.
            leader: orphan.leader.filter(|leader| leader.start != 0),
            cgroup: parent.and_then(|parent| parent.find_group(orphan.task)),
            grace: orphan.grace.min(LONGEST_GRACE),
            tree: None,
            was_asked: false,
        }
    }

    fn look(&mut self, census: &Census, found: Vec<usize>, spared: &HashSet<i32>) {
        let known = self.tree.iter().flatten();
        let mut roots = found;
        roots.extend(known.filter_map(|entry| census.place(entry.id())));
        if let Some(leader) = self.leader
            && let Some(place) = census.place(leader)
        {
            roots.push(place);
            roots.extend(census.group(leader.pid));
        }
        let contained = self.cgroup.as_ref().map(Cgroup::members);
        let contained = contained.unwrap_or_default();
        roots.extend(census.places(&contained));
        if contained.iter().any(|pid| spared.contains(pid)) {
            // It cannot be killed as a whole; who is in it is known by now.
            self.cgroup = None;
        }
        let mut tree = census.descend_from(roots);
        tree.retain(|entry| !spared.contains(&entry.pid));
        self.tree = Some(tree);
    }

    fn alive(&self) -> impl Iterator<Item = &Entry> {
        let tree = self.tree.iter().flatten();
        tree.filter(|entry| entry.life == Life::Alive)
    }

    fn left(&self) -> u32 {
        match self.tree {
            Some(_) => u32::try_from(self.alive().count()).unwrap_or(u32::MAX),
            // Nothing could be seen yet.
            None => 1,
        }
    }

    fn signal(&mut self, age: Duration) {
        let signals: &[Signal] = if age >= self.grace {
            if let Some(cgroup) = &self.cgroup {
                cgroup.kill();
            }
            &[Signal::KILL]
        } else if self.was_asked {
            return;
        } else {
            &[Signal::TERM, Signal::CONT]
        };
        self.was_asked |= self.tree.is_some();
        for process in self.alive() {
            table::signal(*process, signals);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::process::Pid;

    use super::*;

    #[test]
    fn whoever_has_no_mark_but_its_control_group_is_stopped_and_the_group_removed() {
        let Some(parent) = cgroup::Parent::find() else {
            println!("not demanded: no control groups can be made here");
            return;
        };
        let task = TaskId::random();
        let mut process = Command::new("sleep")
            .arg("1000")
            .env_clear()
            .stdout(Stdio::null())
            .spawn()
            .expect("a sleep");
        let pid = Pid::from_child(&process);
        // Its supervisor died, and did not remove it.
        std::mem::forget(parent.adopt(pid, task));
        let is_contained = parent
            .find_group(task)
            .is_some_and(|group| group.members() == [pid.as_raw_nonzero().get()]);
        let left = stop_orphans(&[Orphan {
            task,
            leader: None,
            grace: LONGEST_GRACE,
        }]);
        let was_stopped = process.try_wait().expect("a child").is_some();
        let _ = process.kill();
        let _ = process.wait();
        if !is_contained {
            println!("not demanded: no control groups can be made here");
            return;
        }
        assert_eq!(left, [0]);
        assert!(was_stopped);
        assert!(
            parent.find_group(task).is_none(),
            "the group is still there"
        );
    }
}
