//! `meanwhile man`: manual pages, made from the definition of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

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
            let page = page(&program())
                .map_err(|error| Error::own("cannot make the manual page", error))?;
            stdio::print(&page)?;
        }
    }
    Ok(0)
}

fn write_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let program = program();
    let shown = program.get_subcommands().filter(|sub| !sub.is_hide_set());
    for command in shown.chain([&program]) {
        let file = Man::new(command.clone()).get_filename();
        fs::write(folder.join(file), page(command)?)?;
    }
    Ok(())
}

/// `help` is a command, but says nothing that the pages do not.
fn program() -> Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives each command the name that it is called by.
    program.build();
    program
}

/// As `clap_mangen` would have it, but for the synopsis, which leaves out the `--` in front of a command there, and
/// what stands after the options, which is one paragraph there.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let source = concat!("meanwhile ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let rest = command.get_after_help().map(ToString::to_string);
    sections(&rest.unwrap_or_default()).to_writer(&mut page)?;
    Ok(page)
}

fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text([roman(usage)]);
    roff
}

/// A section for each paragraph, which has its name in front of a colon. What begins below it stands line by line.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for (name, body) in text.split("\n\n").filter_map(|part| part.split_once(':')) {
        roff.control("SH", [name.to_uppercase().as_str()]);
        match body.strip_prefix('\n') {
            Some(lines) => {
                roff.control("nf", []);
                for line in lines.lines() {
                    roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
                }
                roff.control("fi", []);
            }
            None => {
                roff.text([roman(body.trim())]);
            }
        }
    }
    roff
}
