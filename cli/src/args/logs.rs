//! `meanwhile logs`.

use clap::Args;

/// Print the output of a task, byte for byte, while it runs and after.
///
/// Where the middle of the output was dropped to keep the limit, a line on stderr says how much.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile logs t7k2m9xq4z --tail 20
  meanwhile logs -f t7k2m9xq4z | grep --line-buffered FAIL

Exit code: 0, however the task ended; 128+n after signal n; 125 meanwhile itself failed, or there is no such task;
2 wrong usage.")]
pub(crate) struct Logs {
    /// The id of the task
    pub(crate) id: String,

    /// Go on until the task has ended and all of its output is printed
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Begin with the last N lines
    #[arg(
        long,
        value_name = "N",
        value_parser = count,
        allow_hyphen_values = true,
        conflicts_with = "offset"
    )]
    pub(crate) tail: Option<u64>,

    /// Begin behind the first N bytes
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) offset: Option<u64>,

    /// Print stderr, of a task that keeps it apart
    #[arg(long)]
    pub(crate) stderr: bool,
}

fn count(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "write it as a whole number, as 20".to_owned())
}
