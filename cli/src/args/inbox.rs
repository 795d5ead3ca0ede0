//! `meanwhile inbox`.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// Take the notifications of a session: what ended since the last time.
///
/// What was printed is told and does not come again. What could not be printed stays for the next time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile inbox
  meanwhile inbox --peek --json | jq length
  meanwhile inbox --follow --session reviewer

Exit code: 0, also when there is nothing, and when the reader of --follow is gone; 128+n after signal n; 125 meanwhile
itself failed; 2 wrong usage.")]
pub(crate) struct Inbox {
    /// Show them and leave them where they are
    #[arg(long)]
    pub(crate) peek: bool,

    /// One JSON array; with --follow, an object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// Stay, and print a line for each task when it ends
    #[arg(long, conflicts_with = "peek")]
    pub(crate) follow: bool,

    /// Of this session [default: $MEANWHILE_SESSION, else the agent above this process]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) session: Option<String>,
}
