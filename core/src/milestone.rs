//! What becomes of a task before and beside its notification.

use std::path::Path;
use std::time::SystemTime;

use crate::{Exit, ProcessId, Spec};

/// A step on the way of one task: what [`NotificationQueue::record`](crate::NotificationQueue::record) is told.
///
/// They come in this order, but for `Started`, which may come before `Accepted`. A task that ends has exactly one
/// of a pushed notification and `Ended`; a foreground task that was moved to the background after its end has both.
#[non_exhaustive]
#[derive(Debug, Clone, Copy)]
pub enum Milestone<'a> {
    /// It has an id now. Told before [`Tasks::launch`](crate::Tasks::launch) returns, and before anything is started.
    Launched {
        /// What was launched.
        spec: &'a Spec,
        /// Its command as a person would type it, whole.
        command: &'a str,
        /// When.
        at: SystemTime,
    },
    /// A backend has it.
    Accepted {
        /// The file of its output, where it has one.
        stdout: Option<&'a Path>,
        /// The file of its stderr, if that is apart.
        stderr: Option<&'a Path>,
    },
    /// It runs.
    Started {
        /// Since when.
        at: SystemTime,
        /// The process that leads it, if one of this machine does.
        leader: Option<ProcessId>,
    },
    /// It ended, and the queue does not have to tell: whoever waits for it does, or nobody wants to know.
    Ended(&'a Exit),
}
