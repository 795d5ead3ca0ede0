#![doc = include_str!("../README.md")]
#![allow(
    unsafe_code,
    reason = "posix_spawn, clone, kqueue and libproc have no safe form; every block says why it is sound"
)]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!(
    "meanwhile-process supports Linux and macOS. Windows has neither process groups nor signals, which its \
     promises rest on: write a backend over job objects against meanwhile-core instead"
);

mod apart;
mod census;
mod cgroup;
mod command;
mod detached;
mod exit_watch;
mod job;
#[cfg(target_os = "macos")]
mod kqueue;
mod launch;
mod leader;
mod limits;
mod lineage;
mod local;
mod mailbox;
mod mark;
mod options;
mod orphans;
mod poller;
mod registry;
mod remains;
mod running;
mod scheduling;
mod spawn;
mod spool;
mod spool_reader;
mod sweeper;
mod table;
mod tree;
mod usage;
mod watcher;
mod workers;

pub use crate::detached::spawn_detached;
pub use crate::job::JobFuture;
pub use crate::leader::Leader;
pub use crate::limits::{default_sigchld, raise_descriptor_limit, unblock_signals};
pub use crate::lineage::{Ancestor, ancestors};
pub use crate::local::{Local, LocalTask, Post};
pub use crate::mailbox::Mailbox;
pub use crate::options::{Containment, LocalOptions};
pub use crate::orphans::stop_orphans;
pub use crate::poller::{Poller, Ready};
pub use crate::running::{LeaderExit, Running};
pub use crate::spool_reader::SpoolReader;
pub use crate::usage::{Usage, usage};

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a loop asks a leader for its status whose exit descriptor its reactor could not take, or told of too early.
pub const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Locks, whatever a panic elsewhere did: every critical section of this crate leaves its data whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
