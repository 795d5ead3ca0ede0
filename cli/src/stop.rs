//! `meanwhile stop`: ending tasks, whichever program runs them.

use std::time::Duration;

use meanwhile_agent::{elapsed, ending};
use meanwhile_core::{EndedBy, Stop};
use meanwhile_queue::{StopSent, Store, TaskRecord};
use smol::future;

use crate::args;
use crate::error::Error;
use crate::ids;
use crate::pause::pause;
use crate::signals::Signals;
use crate::stdio::{self, Output, complain};
use crate::store;
use crate::watch;

/// How long a task may take to be over, beyond its grace: what does not die at once is killed again for some seconds.
const BOUND: Duration = Duration::from_secs(15);

/// Stops the tasks and gives the program's exit code.
pub(crate) fn run(args: &args::Stop) -> Result<u8, Error> {
    let store = store::open_to_write("that a task was stopped")?;
    let mut stop = Stop::by(EndedBy::User);
    stop.grace = args.grace;
    stop.signal = args.signal;
    let signals = Signals::catch()?;
    smol::block_on(signals.or_end(stop_all(&store, &args.ids, stop)))
}

/// Asks all of them before it waits for any; what goes wrong with one keeps no other running.
async fn stop_all(store: &Store, ids: &[String], stop: Stop) -> Result<u8, Error> {
    let asked: Vec<_> = ids.iter().map(|id| ask(store, id, stop)).collect();
    let output = Output::bounded(1)?;
    let mut code = 0;
    for asked in asked {
        let said = match asked {
            Ok((task, StopSent::AlreadyEnded)) => ended_before(store, &task),
            Ok((task, _)) => wait(store, &task, stop).await,
            Err(error) => Err(error),
        };
        match said {
            Ok(line) => output
                .write_through(line.into_bytes())
                .await
                .or_else(stdio::had_enough)?,
            Err(error) => {
                complain(&error);
                code = error.exit_code();
            }
        }
    }
    Ok(code)
}

fn ask(store: &Store, id: &str, stop: Stop) -> Result<(TaskRecord, StopSent), Error> {
    let task = ids::find(store, id)?;
    let sent = store.stop(task.id, stop)?;
    Ok((task, sent))
}

async fn wait(store: &Store, task: &TaskRecord, stop: Stop) -> Result<String, Error> {
    let bound = stop.grace.unwrap_or(task.grace).saturating_add(BOUND);
    let ended = watch::until(store, || Ok(ids::again(store, task.id)?.exit));
    let too_late = async {
        pause(bound).await;
        let (id, bound) = (task.id, elapsed(bound));
        Err(Error::failed(format!(
            "{id} was asked to stop {bound} ago and is not over"
        )))
    };
    let exit = future::or(ended, too_late).await?;
    Ok(format!("{} {}.\n", task.id, ending(&exit)))
}

fn ended_before(store: &Store, task: &TaskRecord) -> Result<String, Error> {
    let exit = ids::again(store, task.id)?.exit;
    let ending = exit.map_or_else(String::new, |exit| format!(": it {}", ending(&exit)));
    Ok(format!("{} had ended before{ending}.\n", task.id))
}
