//! `meanwhile ls`.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// List tasks: those that run, wait to run, or ended and were not told yet.
///
/// One line each: id, what it does or how it ended, for how long it ran, and its description or command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile ls
  meanwhile ls --all --json | jq -r '.[] | select(.status == \"failed\") | .task_id'

Exit code: 0, also when there is none; 125 meanwhile itself failed; 2 wrong usage.")]
pub(crate) struct Ls {
    /// Those that ended and were told, too
    #[arg(long)]
    pub(crate) all: bool,

    /// One JSON array
    #[arg(long)]
    pub(crate) json: bool,

    /// Of this session only
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) session: Option<String>,
}
