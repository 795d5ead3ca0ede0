//! `meanwhile supervise`: the process that `run` leaves behind, for one task.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use meanwhile_core::{Owner, Shutdown, TaskId, Tasks};
use meanwhile_queue::Store;
use smol::future;

use crate::args;
use crate::backend;
use crate::error::Error;
use crate::ownership;
use crate::run::{Answer, Order};
use crate::signals::{SIGHUP, Signals};
use crate::store;

/// How long the disk may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before that, if it says so at once.
const RETRY: Duration = Duration::from_secs(1);

/// Launches what the order on stdin says, answers on stdout, and stays until the end of the task is on the disk.
///
/// Somebody waits for the answer: what can be done after it is done after it.
pub(crate) fn run(args: &args::Supervise) -> Result<u8, Error> {
    let Launched {
        id,
        store,
        tasks,
        signals,
    } = match launch(Owner::new(args.session.as_str())) {
        Ok(launched) => launched,
        Err(error) => {
            say(&Answer::Error(error.to_string()));
            return Ok(error.exit_code());
        }
    };
    say(&Answer::Id(id));
    let recovery = ownership::recover(&store);
    future::block_on(until_over(&tasks, &signals));
    until_written(&store);
    // Cut short, it would be left to whoever comes next.
    recovery.finish();
    Ok(0)
}

struct Launched {
    id: TaskId,
    store: Store,
    tasks: Tasks,
    signals: Signals,
}

fn launch(owner: Owner) -> Result<Launched, Error> {
    let order: Order = serde_json::from_reader(io::stdin().lock())
        .map_err(|error| Error::own("no task was handed over; `meanwhile run` does that", error))?;
    let store = store::open_for_launch()?;
    let tasks = ownership::tasks(backend::for_one_task(&store.spool_dir()), &store)?;
    // Before there is a task: whoever asks for the end of this process is to have it stopped and told as such.
    let signals = Signals::catch()?;
    let task = tasks
        .launch(order.spec().owner(owner))
        .map_err(|error| Error::own("run", error))?;
    Ok(Launched {
        id: task.id(),
        store,
        tasks,
        signals,
    })
}

/// Whoever launched may be gone by now: the task runs all the same.
fn say(answer: &Answer) {
    let line = serde_json::to_string(answer).expect("an answer is plain data");
    let _ = writeln!(io::stdout(), "{line}");
}

/// Waits until the task is over. A signal stops it, a further one kills it; a hang-up is for those who have a terminal.
async fn until_over(tasks: &Tasks, signals: &Signals) {
    let stopped = async {
        let mut grace = None;
        loop {
            if signals.next().await != SIGHUP {
                tasks.shutdown(Shutdown::Stop(grace));
                grace = Some(Duration::ZERO);
            }
        }
    };
    future::or(tasks.wait_idle(), stopped).await;
}

/// Waits until the ending is on the disk: until then it is known to this process alone. On a full disk that may take
/// until somebody makes room, and no signal but SIGKILL cuts it short.
fn until_written(store: &Store) {
    while store.folder().exists() && store.sync(PATIENCE).is_err() {
        thread::sleep(RETRY);
    }
}
