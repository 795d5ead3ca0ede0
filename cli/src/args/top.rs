//! `meanwhile top`.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// Watch tasks live: what runs, how far it is, what it takes of the machine, and what has ended.
///
/// Keys: arrows or j and k to move, r or Enter to read the output, f to follow it, s to stop, a for all that ended,
/// ? for the others, q to quit.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile top
  meanwhile top --session reviewer

Exit code: 0; 128+n after signal n; 125 meanwhile itself failed, or stdout is no terminal; 2 wrong usage.")]
pub(crate) struct Top {
    /// Of this session only
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) session: Option<String>,
}
