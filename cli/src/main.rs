//! The program `meanwhile`: background tasks for AI agents, from the command line.
//!
//! `meanwhile session` serves an agent's tool calls as JSON lines, `meanwhile run --wait` runs one command as a task.

#![forbid(unsafe_code)]

mod args;
mod backend;
mod bytes;
mod duration;
mod error;
mod patient;
mod pause;
mod run;
mod session;
mod signals;
mod state;
mod stdio;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::error::Error;

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let code = prepare_process().and_then(|()| match command {
        Command::Run(args) => run::run(args),
        Command::Session(args) => session::run(&args),
    });
    ExitCode::from(code.unwrap_or_else(|error| {
        stdio::complain(&error);
        error.exit_code()
    }))
}

/// What whoever started this program may have left unfit for one that has many children.
fn prepare_process() -> Result<(), Error> {
    // Where the limit stays as it is, fewer tasks run at once.
    let _ = meanwhile_process::raise_descriptor_limit();
    meanwhile_process::default_sigchld()
        .and_then(|()| meanwhile_process::unblock_signals())
        .map_err(|error| Error::own("cannot set signals to their defaults", error))
}
