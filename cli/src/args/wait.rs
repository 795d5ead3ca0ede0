//! `meanwhile wait`.

use std::time::Duration;

use clap::Args;

use crate::duration;

/// Wait until tasks have ended, and tell how.
///
/// Prints the notification. For the session of the task, an ending that is printed is told: it does not come again with
/// the inbox.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile wait t7k2m9xq4z && echo passed
  meanwhile wait --any --timeout 5m t7k2m9xq4z b4xw9rk2tq

Exit code: that of the task (its own; 128+n if signal n ended it; 124 timed out; 126 could not be started; 125 lost);
of several, the first in the order given that is not 0; with --any, that of the one that ended first; 124 if the wait
itself took too long; 128+n after signal n; 125 meanwhile itself failed, or there is no such task; 2 wrong usage.")]
pub(crate) struct Wait {
    /// The ids of the tasks
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,

    /// Wait for the first of them only
    #[arg(long)]
    pub(crate) any: bool,

    /// Give up after this time (30s, 5m, 1h30m, 300000ms); the tasks run on
    #[arg(long, value_name = "DUR", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,

    /// One JSON array of those that ended, in the order given
    #[arg(long)]
    pub(crate) json: bool,
}
