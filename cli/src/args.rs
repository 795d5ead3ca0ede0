//! The command line: a file for each command.

mod clean;
mod completions;
mod inbox;
mod logs;
mod ls;
mod man;
mod run;
mod session;
mod show;
mod stop;
mod supervise;
mod top;
mod wait;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use self::clean::Clean;
pub(crate) use self::completions::{Completions, Shell};
pub(crate) use self::inbox::Inbox;
pub(crate) use self::logs::Logs;
pub(crate) use self::ls::Ls;
pub(crate) use self::man::Man;
pub(crate) use self::run::Run;
pub(crate) use self::session::{AtEnd, Session};
pub(crate) use self::show::Show;
pub(crate) use self::stop::Stop;
pub(crate) use self::supervise::Supervise;
pub(crate) use self::top::Top;
pub(crate) use self::wait::Wait;

/// Background tasks for AI agents: launch, go on working, be told how it ended.
#[derive(Debug, Parser)]
#[command(
    name = "meanwhile",
    version,
    after_help = "\
Environment:
  MEANWHILE_STATE_DIR  where tasks, notifications and output are kept [default: the platform's state folder]
  MEANWHILE_SESSION    the session that this program acts for [default: the agent above it]
  NO_COLOR             no colours on a terminal

Exit code: a task's own where one task is waited for; 128+n for signal n; 124 timed out; 125 meanwhile itself failed;
126 the command could not be started; 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Ls(Ls),
    Show(Show),
    Logs(Logs),
    Wait(Wait),
    Stop(Stop),
    Inbox(Inbox),
    Session(Session),
    Top(Top),
    Clean(Clean),
    Completions(Completions),
    Man(Man),
    Supervise(Supervise),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
