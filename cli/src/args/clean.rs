//! `meanwhile clean`.

use std::time::Duration;

use clap::Args;

use crate::duration;

/// Forget tasks that ended and were told, with their output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile clean
  meanwhile clean --older-than 7d

Exit code: 0, also when there is nothing to forget; 125 meanwhile itself failed; 2 wrong usage.")]
pub(crate) struct Clean {
    /// Only those that ended at least so long ago (30s, 5m, 12h, 7d)
    #[arg(long, value_name = "DUR", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) older_than: Option<Duration>,
}
