//! One look at the process table, ordered by what is asked of it.

use std::collections::{HashMap, HashSet};
use std::io;

use meanwhile_core::{ProcessId, TaskId};

use crate::mark;
use crate::spool;
use crate::table::{self, Entry, Life};

/// All processes at one moment; places in it stand for processes.
pub(crate) struct Census {
    table: Vec<Entry>,
    by_pid: HashMap<i32, usize>,
    by_group: HashMap<i32, Vec<usize>>,
    by_parent: HashMap<i32, Vec<usize>>,
}

/// The places of those that carry the marks of tasks.
pub(crate) struct Marked {
    pub(crate) places: HashMap<TaskId, Vec<usize>>,
    /// Whether all who were asked could answer.
    pub(crate) is_complete: bool,
}

impl Default for Marked {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            is_complete: true,
        }
    }
}

impl Census {
    /// Looks at all.
    ///
    /// # Errors
    ///
    /// The operating system's: then nothing is known, and nobody is to be taken for gone.
    pub(crate) fn take() -> io::Result<Self> {
        Self::take_of(|_| true)
    }

    /// Looks at those whose ids are wanted.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    pub(crate) fn take_of(is_wanted: impl Fn(i32) -> bool) -> io::Result<Self> {
        let table = table::read(is_wanted)?;
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
        Ok(Self {
            table,
            by_pid,
            by_group,
            by_parent,
        })
    }

    /// Whoever has this number.
    pub(crate) fn entry(&self, pid: i32) -> Option<Entry> {
        self.by_pid.get(&pid).map(|at| self.table[*at])
    }

    /// The place of exactly this process.
    pub(crate) fn place(&self, id: ProcessId) -> Option<usize> {
        let at = *self.by_pid.get(&id.pid)?;
        (self.table[at].start == id.start).then_some(at)
    }

    /// The places of those that have these numbers.
    pub(crate) fn places(&self, pids: &[i32]) -> impl Iterator<Item = usize> {
        pids.iter().filter_map(|pid| self.by_pid.get(pid)).copied()
    }

    pub(crate) fn group(&self, id: i32) -> impl Iterator<Item = usize> {
        self.by_group.get(&id).into_iter().flatten().copied()
    }

    pub(crate) fn children_of(&self, pid: i32) -> impl Iterator<Item = usize> {
        self.by_parent.get(&pid).into_iter().flatten().copied()
    }

    /// These and all that descend from them, each once.
    pub(crate) fn descend_from(&self, mut open: Vec<usize>) -> Vec<Entry> {
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

    /// Those alive that carry the mark of one of `tasks`, among whom `is_asked` wants to know of: to look at an
    /// environment costs as much as all the rest of the look.
    pub(crate) fn marked(
        &self,
        tasks: &HashSet<TaskId>,
        is_asked: impl Fn(&Entry) -> bool,
    ) -> Marked {
        let mut found = Marked::default();
        for (at, entry) in self.table.iter().enumerate() {
            if entry.life == Life::Dead || !is_asked(entry) {
                continue;
            }
            let environment = match table::environment(entry.pid) {
                Ok(Some(environment)) if !environment.is_empty() => environment,
                Ok(None) => continue,
                // The kernel's own threads have none.
                Ok(Some(_)) if entry.group == 0 => continue,
                // It is being executed, or there is no descriptor left to look by.
                Ok(Some(_)) | Err(_) => {
                    found.is_complete = false;
                    continue;
                }
            };
            for id in mark::tasks(&environment).filter(|id| tasks.contains(id)) {
                found.places.entry(id).or_default().push(at);
            }
        }
        found
    }

    /// Those alive that write to the spool of one of `tasks`. A process that is just being started has that before it
    /// has its own environment: the mark shows when it executes its program.
    pub(crate) fn writers(&self, tasks: &HashSet<TaskId>) -> HashMap<TaskId, Vec<usize>> {
        let mut found: HashMap<TaskId, Vec<usize>> = HashMap::new();
        for (at, entry) in self.table.iter().enumerate() {
            if entry.life == Life::Dead {
                continue;
            }
            let outputs = table::outputs(entry.pid);
            let task = outputs.iter().find_map(|path| spool::task_of(path));
            if let Some(task) = task.filter(|task| tasks.contains(task)) {
                found.entry(task).or_default().push(at);
            }
        }
        found
    }
}
