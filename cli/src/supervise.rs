//! `meanwhile supervise`: the process that `run` leaves behind, for one task.

use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use meanwhile_core::{Ending, Exit, Notification, NotificationQueue, Owner, Shutdown, Tasks};
use meanwhile_queue::{Inheritance, Store};
use smol::future;

use crate::args;
use crate::backend;
use crate::error::Error;
use crate::ownership;
use crate::run::Order;
use crate::signals::{SIGHUP, Signals};
use crate::store;

/// How long the disk may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before that, if it says so at once.
const RETRY: Duration = Duration::from_secs(1);

/// Launches what the order on stdin says, and stays until the end of the task is on the disk.
pub(crate) fn run(args: &args::Supervise) -> Result<u8, Error> {
    let order: Order = serde_json::from_reader(io::stdin().lock())
        .map_err(|error| Error::own("no task was handed over; `meanwhile run` does that", error))?;
    // Nothing is ever printed there: the lock is stdout, because a descriptor has to be something that is known to be
    // open to be taken without danger.
    let lock = io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Error::own("cannot take over the lock", error))?;
    let store = store::open_as_heir(Inheritance::new(&args.name, lock))?;
    match launch(args, &order, &store) {
        Ok((tasks, signals)) => {
            let recovery = ownership::recover(&store);
            future::block_on(until_over(&tasks, &signals));
            until_written(&store);
            // Cut short, it would be left to whoever comes next.
            recovery.finish();
        }
        // Its id is known: there is nobody else who could tell.
        Err(error) => {
            store.push(not_started(args, &order, &error));
            until_written(&store);
        }
    }
    Ok(0)
}

fn launch(args: &args::Supervise, order: &Order, store: &Store) -> Result<(Tasks, Signals), Error> {
    let tasks = ownership::tasks(backend::for_one_task(&store.spool_dir()), store)?;
    // Before there is a task: whoever asks for the end of this process is to have it stopped and told as such.
    let signals = Signals::catch()?;
    let spec = order.spec().owner(Owner::new(args.session.as_str()));
    tasks
        .launch_as(args.task, spec)
        .map_err(|error| Error::own("run", error))?;
    Ok((tasks, signals))
}

fn not_started(args: &args::Supervise, order: &Order, error: &Error) -> Notification {
    let exit = Exit::new(Ending::failed_to_start(error.to_string(), None));
    let session = Owner::new(args.session.as_str());
    Notification::ended(args.task, session, &order.spec().command(), exit)
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
