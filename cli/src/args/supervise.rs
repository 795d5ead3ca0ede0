//! `meanwhile supervise`.

use clap::Args;

/// Carry one task that `run` hands over on stdin.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Supervise {
    /// The session that the task belongs to
    pub(crate) session: String,
}
