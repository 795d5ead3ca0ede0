//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{bytes, duration};

/// Background tasks for AI agents: launch, go on working, be told how it ended.
#[derive(Debug, Parser)]
#[command(name = "meanwhile", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Session(Session),
}

/// Run a command as a task, with a deadline for its whole process tree and bounded output.
///
/// On a terminal, a spinner shows the elapsed time and the last line of output, and the notification with an excerpt of
/// the output follows. Otherwise the output goes to stdout as it comes, and the notification to stderr.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile run --wait --timeout 5m -- 'npm test 2>&1 | tee test.log'
  meanwhile run --wait --cwd server --env RUST_BACKTRACE=1 -- cargo test --workspace

Exit code: the command's own; 128+n if signal n ended it; 124 timed out; 125 meanwhile itself failed; 126 the command
could not be started; 2 wrong usage.")]
pub(crate) struct Run {
    /// Stay until the command has ended, and exit with its code
    #[arg(long)]
    pub(crate) wait: bool,

    /// Stop the command and all its descendants after this time (30s, 5m, 1h30m, 300000ms)
    #[arg(long, value_name = "DUR", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,

    /// Time between the polite signal and the last one; 0s kills at once [default: 5s]
    #[arg(long, value_name = "DUR", value_parser = duration::parse)]
    pub(crate) grace: Option<Duration>,

    /// What the command is for, in a few words
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// Run it in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,

    /// Set an environment variable; may be given several times
    #[arg(long, value_name = "K=V", value_parser = OsStringValueParser::new().try_map(assignment))]
    pub(crate) env: Vec<(OsString, OsString)>,

    /// The session that the task belongs to
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) session: String,

    /// Keep this much output on disk, head and tail (65536, 512K, 64M) [default: 64M]
    #[arg(long, value_name = "BYTES", value_parser = bytes::parse)]
    pub(crate) output_limit: Option<u64>,

    /// What carries the task
    #[arg(long, value_enum, default_value_t)]
    pub(crate) backend: Backend,

    /// A single argument is a line for the shell, several are a program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

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

    /// Write JSON lines on a terminal, too
    #[arg(long)]
    pub(crate) json: bool,

    /// The name of the session, whose notifications these are
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) session: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// Plain threads, no async runtime
    #[default]
    Thread,
    /// tokio
    Tokio,
    /// smol
    Smol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AtEnd {
    /// They are stopped
    Stop,
    /// They run to their end
    Wait,
}

fn assignment(text: OsString) -> Result<(OsString, OsString), String> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let bytes = text.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        None | Some(0) => Err("write it as NAME=VALUE".to_owned()),
        Some(place) => Ok((
            OsString::from_vec(bytes[..place].to_vec()),
            OsString::from_vec(bytes[place + 1..].to_vec()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(assignment("A=b=c".into()), Ok(("A".into(), "b=c".into())));
        assert!(assignment("A".into()).is_err());
        assert!(assignment("=b".into()).is_err());
    }
}
