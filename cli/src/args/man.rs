//! `meanwhile man`.

use std::path::PathBuf;

use clap::Args;

/// Print the manual page, or write those of all commands into a folder.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Man {
    /// Write a page for the program and one for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
