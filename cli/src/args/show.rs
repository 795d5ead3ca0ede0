//! `meanwhile show`.

use clap::Args;

/// Show everything about one task, with an excerpt of its output; of the environment, the names only.
///
/// For the session of the task, an ending that is shown is told: it does not come again with the inbox.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile show t7k2m9xq4z
  meanwhile show t7k2m9xq4z --json | jq .exit_code

Exit code: 0, however the task ended; 125 meanwhile itself failed, or there is no such task; 2 wrong usage.")]
pub(crate) struct Show {
    /// The id of the task
    pub(crate) id: String,

    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
