//! Launching through a supervisor, which stays when this program has ended.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::os::fd::AsFd;

use meanwhile_core::TaskId;
use meanwhile_process::spawn_detached;

use super::order::{Answer, Order};
use crate::error::Error;
use crate::patient::Patient;
use crate::stdio::print_text;

/// Launches the task and prints its id.
pub(super) fn launch(session: &str, order: &Order) -> Result<u8, Error> {
    let id = hand_over(session, order)?;
    Patient::stdout()
        .and_then(|mut stdout| stdout.write_all(format!("{id}\n").as_bytes()))
        .map_err(|error| {
            Error::own(
                format!("task {id} was launched, but its id cannot be printed"),
                error,
            )
        })?;
    if io::stdout().is_terminal() && io::stderr().is_terminal() {
        print_text(&format!(
            "`meanwhile wait {id}` waits for it, `meanwhile logs -f {id}` follows its output"
        ));
    }
    Ok(0)
}

/// Starts a supervisor, gives it the order, and waits until the task is recorded.
fn hand_over(session: &str, order: &Order) -> Result<TaskId, Error> {
    let failed = |error| Error::own("cannot start the supervisor of the task", error);
    let program = env::current_exe().map_err(failed)?;
    // The name of the session is there for people who look at what runs, and for what the task launches.
    let args = ["supervise", "--", session].map(OsString::from);
    let (their_stdin, mut stdin) = io::pipe().map_err(failed)?;
    let (said, their_stdout) = io::pipe().map_err(failed)?;
    let stdio = [
        their_stdin.as_fd(),
        their_stdout.as_fd(),
        their_stdout.as_fd(),
    ];
    spawn_detached(&program, &args, stdio).map_err(failed)?;
    drop((their_stdin, their_stdout));

    let order =
        serde_json::to_vec(order).map_err(|error| Error::own("cannot pass the task on", error))?;
    // Whoever does not read it to the end says why, or is gone.
    let _ = stdin.write_all(&order);
    drop(stdin);
    answer_in(BufReader::new(said))
}

/// The supervisor's stdout and stderr are one pipe: what comes before the answer are complaints of its start.
fn answer_in(said: impl BufRead) -> Result<TaskId, Error> {
    for line in said.split(b'\n').map_while(Result::ok) {
        match serde_json::from_slice(&line) {
            Ok(Answer::Id(id)) => return Ok(id),
            Ok(Answer::Error(reason)) => return Err(Error::failed(reason)),
            Err(_) => print_text(&String::from_utf8_lossy(&line)),
        }
    }
    Err(Error::failed(
        "the supervisor of the task ended without an answer",
    ))
}
