//! `meanwhile run`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, OsStringValueParser, TypedValueParser};

use super::Backend;
use crate::{bytes, duration};

/// Run a command as a task that goes on by itself, with a deadline for its whole process tree and bounded output.
///
/// Prints the id of the task and returns at once. The task outlives this program and its terminal; its end is told by
/// `meanwhile inbox`. There is nothing for it to read on stdin.
///
/// With --wait: on a terminal, a bar shows the elapsed time, how long the command usually takes, and the last line of
/// output, and the notification with an excerpt of the output follows. Otherwise the output goes to stdout as it comes,
/// and the notification to stderr.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile run --timeout 5m --description 'All tests' -- 'npm test 2>&1 | tee test.log'
  id=$(meanwhile run -- cargo build --release)
  meanwhile run --wait --cwd server --env RUST_BACKTRACE=1 -- cargo test --workspace

Exit code: 0 once the task is launched, whatever becomes of it; 125 meanwhile itself failed; 2 wrong usage. With --wait
the command's own; 128+n if signal n ended it; 124 timed out; 126 the command could not be started.")]
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

    /// The session that the task belongs to [default: $MEANWHILE_SESSION, else the agent above this process]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) session: Option<String>,

    /// Keep this much output on disk, head and tail (65536, 512K, 64M) [default: 64M]
    #[arg(long, value_name = "BYTES", value_parser = bytes::parse)]
    pub(crate) output_limit: Option<u64>,

    /// What carries the task while this program waits for it
    #[arg(long, value_enum, default_value_t, requires = "wait")]
    pub(crate) backend: Backend,

    /// A single argument is a line for the shell, several are a program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
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
    use super::*;

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(assignment("A=b=c".into()), Ok(("A".into(), "b=c".into())));
        assert!(assignment("A".into()).is_err());
        assert!(assignment("=b".into()).is_err());
    }
}
