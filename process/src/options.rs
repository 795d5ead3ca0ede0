//! Settings of a local backend.

use std::path::{Path, PathBuf};
use std::thread;

/// Settings of a local backend.
///
/// ```
/// use meanwhile_process::LocalOptions;
/// let options = LocalOptions::default().spool_dir("/var/tmp/my-agent/spool");
/// assert_eq!(options.get_spool_dir().to_str(), Some("/var/tmp/my-agent/spool"));
/// ```
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct LocalOptions {
    spool_dir: PathBuf,
    spawners: usize,
    containment: Containment,
}

/// How processes are found that left the process group of their task.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Containment {
    /// By their ancestry, and by a mark in their environment. That misses a process which cleared its environment
    /// and whose parents are gone. It costs a task nothing before it is stopped.
    #[default]
    Marks,
    /// Besides by a control group for each task (cgroup v2), which nothing leaves by itself. A task is put into it
    /// a moment after its start; what it starts before that is found by the marks. So is all where the system
    /// does not let this process make groups. It costs a spawner thread about 0.3 ms a task.
    Cgroup,
}

impl LocalOptions {
    /// Keeps the output of tasks in this folder. It is made when the first task starts, for its owner alone
    /// (0700), and never removed.
    ///
    /// By default that is a folder of this process under the system's temporary folder.
    #[must_use]
    pub fn spool_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.spool_dir = dir.into();
        self
    }

    /// Spawns on this many threads. A spawn keeps its thread busy for 0.1 ms and sometimes for several. By default they are
    /// as many as there are processors, at least two, so that one that is held up does not hold up all, and at most four:
    /// more start nothing sooner, and take the processors from the host.
    #[must_use]
    pub fn spawners(mut self, threads: usize) -> Self {
        self.spawners = threads.max(1);
        self
    }

    /// Sets how processes are found that left the process group of their task.
    #[must_use]
    pub fn containment(mut self, containment: Containment) -> Self {
        self.containment = containment;
        self
    }

    /// The folder of the output.
    #[must_use]
    pub fn get_spool_dir(&self) -> &Path {
        &self.spool_dir
    }

    /// How processes are found that left their group.
    #[must_use]
    pub fn get_containment(&self) -> Containment {
        self.containment
    }

    /// How many threads spawn.
    #[must_use]
    pub fn get_spawners(&self) -> usize {
        self.spawners
    }
}

impl Default for LocalOptions {
    fn default() -> Self {
        // The random part keeps another user from being there first, and a restarted process apart from the
        // one that had its id before.
        let name = format!(
            "meanwhile-{}-{}",
            std::process::id(),
            meanwhile_core::TaskId::random()
        );
        Self {
            spool_dir: std::env::temp_dir().join(name),
            spawners: thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4)),
            containment: Containment::default(),
        }
    }
}
