//! `meanwhile supervise`.

use clap::Args;
use meanwhile_core::TaskId;

/// Carry one task that `run` recorded, and hands over on stdin.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Supervise {
    /// The task
    pub(crate) task: TaskId,

    /// The name of this process in the store, whose lock is inherited as stdout
    pub(crate) name: String,

    /// The session that the task belongs to
    pub(crate) session: String,
}
