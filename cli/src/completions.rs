//! `meanwhile completions`: what a shell needs to complete this program's command line.

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};

use crate::args::{self, Cli};
use crate::error::Error;
use crate::stdio;

/// Prints the script and gives the program's exit code.
pub(crate) fn run(args: &args::Completions) -> Result<u8, Error> {
    let shell = match args.shell {
        args::Shell::Bash => Shell::Bash,
        args::Shell::Zsh => Shell::Zsh,
        args::Shell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut program(), "meanwhile", &mut script);
    stdio::print(&script)?;
    Ok(0)
}

/// The program without what is nobody's to call: the scripts would offer it, hidden or not.
fn program() -> Command {
    let all = Cli::command();
    let shown = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    Command::new("meanwhile")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommands(shown.cloned())
}
