//! The program `meanwhile`: background tasks for AI agents, from the command line.
//!
//! `meanwhile run` launches a command as a task, `meanwhile session` serves tool calls as JSON lines. The other
//! commands look after tasks, whichever program runs them: all meet in one store.

#![forbid(unsafe_code)]

mod args;
mod backend;
mod bytes;
mod clean;
mod completions;
mod duration;
mod error;
mod ids;
mod inbox;
mod logs;
mod ls;
mod man;
mod outcome;
mod ownership;
mod patient;
mod pause;
mod plain;
mod progress;
mod run;
mod session;
mod session_name;
mod show;
mod signals;
mod state;
mod stdio;
mod stop;
mod store;
mod supervise;
mod tail;
mod task_json;
mod told;
mod top;
mod wait;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::error::Error;

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let code = prepare_process().and_then(|()| match command {
        Command::Run(args) => run::run(args),
        Command::Ls(args) => ls::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Wait(args) => wait::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Inbox(args) => inbox::run(&args),
        Command::Session(args) => session::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Clean(args) => clean::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Supervise(args) => supervise::run(&args),
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
