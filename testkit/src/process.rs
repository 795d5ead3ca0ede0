//! Looking at processes from outside, by other means than the backend under test.

#[cfg_attr(target_os = "linux", path = "process/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "process/portable.rs")]
mod system;

use std::fs;

use nix::sys::signal::{self, Signal};
use nix::unistd::{self, Pid};

pub(crate) use self::system::{children_of_this_thread, threads};

/// One process, told from a later one of the same id by the time of its birth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pid: i32,
    born: String,
}

/// What the system says about a process.
struct Row {
    pid: i32,
    parent: i32,
    /// As in `ps`: Z for a zombie, X for one that is gone in a moment, T for stopped.
    state: char,
    born: String,
}

impl Process {
    /// The process that has this id now, if there is one.
    pub(crate) fn find(pid: i32) -> Option<Self> {
        system::row(pid).map(|Row { pid, born, .. }| Self { pid, born })
    }

    /// Its id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it runs or could. A zombie does not: nothing of it is left but its status.
    pub(crate) fn is_alive(&self) -> bool {
        self.state()
            .is_some_and(|state| !matches!(state, 'Z' | 'X'))
    }

    /// Whether a signal holds it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state() == Some('T')
    }

    /// Whether it leads a process group of its own.
    pub(crate) fn leads_its_group(&self) -> bool {
        let pid = Pid::from_raw(self.pid);
        unistd::getpgid(Some(pid)) == Ok(pid)
    }

    /// Kills it, if it is alive. It may end in between: an error here is no news.
    pub(crate) fn kill(&self) {
        if self.is_alive() {
            let _ = signal::kill(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }

    fn state(&self) -> Option<char> {
        system::row(self.pid)
            .filter(|row| row.born == self.born)
            .map(|row| row.state)
    }
}

/// The children of this process that ended and that nobody has waited for.
pub(crate) fn zombies() -> Vec<i32> {
    let here = unistd::getpid().as_raw();
    let of_ours = |row: &Row| row.parent == here && row.state == 'Z';
    system::rows()
        .into_iter()
        .filter(of_ours)
        .map(|row| row.pid)
        .collect()
}

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> usize {
    fs::read_dir("/dev/fd")
        .expect("/dev/fd lists the descriptors of this process")
        .count()
}

/// Whether this program can be found in the `PATH`.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
