//! Launching through a supervisor, which stays when this program has ended.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use meanwhile_core::{Spec, TaskId};
use meanwhile_process::spawn_detached;
use meanwhile_queue::Promise;

use super::order::Order;
use crate::error::Error;
use crate::patient::Patient;
use crate::stdio::{complain, print_text};
use crate::store;

/// Launches the task and prints its id.
///
/// It is recorded here, and not by the supervisor, whose start takes longer than all of this.
pub(super) fn launch(spec: &Spec, order: &Order) -> Result<u8, Error> {
    let store = store::open_for_launch()?;
    let promise = store.promise(spec)?;
    let id = promise.task();
    if let Err(error) = start_supervisor(&promise, spec, order) {
        if let Err(error) = promise.withdraw() {
            complain(error);
        }
        return Err(Error::own("cannot start the supervisor of the task", error));
    }
    print(id)
}

/// The supervisor lives under the name in the promise as soon as it has the lock, which it inherits.
fn start_supervisor(promise: &Promise, spec: &Spec, order: &Order) -> io::Result<()> {
    // The session and the ids are there for people who look at what runs; what was ordered is for nobody but the
    // supervisor.
    let (task, name, session) = (promise.task(), promise.name(), spec.get_owner());
    let args = ["supervise", task.as_str(), name, "--", session.as_str()];
    // Whole: serde_json writes an argument byte by byte.
    let order = serde_json::to_vec(order)?;
    let (stdin, mut ordered) = io::pipe()?;
    let nowhere = File::options().write(true).open("/dev/null")?;
    let descriptors = [stdin.as_fd(), promise.lock(), nowhere.as_fd()];
    spawn_detached(&env::current_exe()?, &args.map(OsString::from), descriptors)?;
    drop(stdin);
    // A supervisor that does not read it to the end is gone, and the task told as lost.
    let _ = ordered.write_all(&order);
    Ok(())
}

fn print(id: TaskId) -> Result<u8, Error> {
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
