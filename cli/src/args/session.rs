//! `meanwhile session`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::Backend;

/// Serve an agent's tool calls: one JSON object a line in, answers out.
///
/// Reads `tool_use`, `turn` and `wait` lines and writes `tool_result`, `notifications` and `error` lines. On a terminal
/// the answers are shown as a timeline.
#[derive(Debug, Args)]
#[command(after_help = r#"Examples:
  meanwhile session examples/fix-auth-tests.jsonl
  echo '{"type":"tool_use","name":"Bash","input":{"command":"npm test","run_in_background":true}}' |
      meanwhile session --at-end wait

Exit code: 0 at the end of the input, whatever the tasks did; 128+n after signal n; 125 meanwhile itself failed or
nobody reads its output any more; 2 wrong usage."#)]
pub(crate) struct Session {
    /// Read the lines from this file instead of stdin
    pub(crate) file: Option<PathBuf>,

    /// What carries the tasks
    #[arg(long, value_enum, default_value_t)]
    pub(crate) backend: Backend,

    /// What becomes of running tasks at the end of the input [default: wait for FILE, stop for stdin]
    #[arg(long, value_enum)]
    pub(crate) at_end: Option<AtEnd>,

    /// Keep tasks and notifications in the store, where other programs see them and they outlive this one
    #[arg(long)]
    pub(crate) store: bool,

    /// Write JSON lines on a terminal, too
    #[arg(long)]
    pub(crate) json: bool,

    /// The name of the session, whose notifications these are [default: $MEANWHILE_SESSION, else the agent above this
    /// process]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) session: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AtEnd {
    /// They are stopped
    Stop,
    /// They run to their end
    Wait,
}
