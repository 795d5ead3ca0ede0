//! What a program that died leaves behind.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::TaskId;

/// One process of this machine. The system gives the number to another one later, but not with the same start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number.
    pub pid: i32,
    /// When it started, in the unit of the system.
    pub start: u64,
}

/// A task whose supervisor died before it ended: what of it still runs is to be stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The task.
    pub task: TaskId,
    /// The process that led it, if that is known.
    pub leader: Option<ProcessId>,
    /// The time between the polite signal and the last one.
    pub grace: Duration,
}
