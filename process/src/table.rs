//! The system's table of processes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

use std::time::Duration;

use meanwhile_core::ProcessId;

#[cfg(target_os = "linux")]
pub(crate) use self::linux::*;
#[cfg(target_os = "macos")]
pub(crate) use self::macos::*;

/// One process, as it was at the look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// When it started, in some unit of the system: with the id, it names a process for good.
    pub(crate) start: u64,
    pub(crate) life: Life,
}

impl Entry {
    pub(crate) fn id(&self) -> ProcessId {
        ProcessId {
            pid: self.pid,
            start: self.start,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    /// A zombie: it does nothing any more and waits for its parent.
    Dead,
}

/// What a process takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Consumption {
    /// Processor time, with that of the children it has waited for where the system tells.
    pub(crate) cpu: Duration,
    /// Memory in bytes.
    pub(crate) resident: u64,
}

/// The group of a process or thread, 0 for this one; `None` if there is no such process.
///
/// Not by rustix, which takes a group of 0 for impossible: the kernel's own threads have it, and so has who was
/// brought into a pid namespace from outside.
pub(crate) fn group_of(pid: i32) -> Option<i32> {
    // SAFETY: getpgid takes a number and has no effect.
    let group = unsafe { libc::getpgid(pid) };
    (group >= 0).then_some(group)
}
