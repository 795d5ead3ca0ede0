//! `meanwhile man`: manual pages, made from the definition of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{self, Cli};
use crate::error::Error;
use crate::stdio;

/// Prints or writes the pages and gives the program's exit code.
pub(crate) fn run(args: &args::Man) -> Result<u8, Error> {
    match &args.out {
        Some(folder) => write_all(folder).map_err(|error| {
            let folder = folder.display();
            Error::own(
                format!("cannot write the manual pages into {folder}"),
                error,
            )
        })?,
        None => {
            let mut page = Vec::new();
            Man::new(program())
                .render(&mut page)
                .map_err(|error| Error::own("cannot make the manual page", error))?;
            stdio::print(&page)?;
        }
    }
    Ok(0)
}

fn write_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(program(), folder)
}

/// `help` is a command, but says nothing that the pages do not.
fn program() -> Command {
    Cli::command().disable_help_subcommand(true)
}
