//! `meanwhile wait`: until tasks have ended.

mod progress;

use std::cell::RefCell;
use std::io::{self, IsTerminal};

use meanwhile_queue::{Store, TaskRecord};
use smol::future;

use crate::args;
use crate::error::Error;
use crate::ids;
use crate::pause::pause;
use crate::signals::Signals;
use crate::stdio::{self, Output, complain};
use crate::store;
use crate::told;
use crate::watch;

/// How much of each output is excerpted in JSON.
const EXCERPT: usize = 8_000;

/// The exit code of a wait that took too long, after GNU `timeout`.
const TIMED_OUT: u8 = 124;

/// Waits for the tasks and gives the program's exit code.
pub(crate) fn run(args: &args::Wait) -> Result<u8, Error> {
    let store = store::open()?;
    let tasks = ids::find_all(&store, &args.ids)?;
    let signals = Signals::catch()?;
    smol::block_on(signals.or_end(wait(&store, tasks, args)))
}

async fn wait(store: &Store, tasks: Vec<TaskRecord>, args: &args::Wait) -> Result<u8, Error> {
    let tasks = RefCell::new(tasks);
    let too_long = async {
        match args.timeout {
            Some(timeout) => pause(timeout).await,
            None => future::pending().await,
        }
        Ok(Waited::TooLong)
    };
    let shown = async {
        if io::stderr().is_terminal() {
            match progress::show(store, &tasks).await {}
        }
        future::pending().await
    };
    let enough = enough(store, &tasks, args);
    let waited = future::or(enough, future::or(too_long, shown)).await?;

    let (mut ended, running): (Vec<_>, Vec<_>) = tasks
        .into_inner()
        .into_iter()
        .partition(|task| task.exit.is_some());
    if args.any {
        ended.sort_by_key(|task| task.exit.as_ref().map(|exit| exit.ended_at));
        ended.truncate(1);
    }
    match Output::bounded(1)?.write_through(text(&ended, args)).await {
        Ok(()) => told::consume(store, &ended),
        Err(error) => stdio::had_enough(error)?,
    }
    match waited {
        Waited::Enough => Ok(exit_code(&ended)),
        Waited::TooLong => {
            let ids: Vec<_> = running.iter().map(|task| task.id.as_str()).collect();
            complain(format_args!(
                "waited too long, not over yet: {}",
                ids.join(", ")
            ));
            Ok(TIMED_OUT)
        }
    }
}

/// Why the waiting is over.
enum Waited {
    Enough,
    TooLong,
}

/// Keeps `tasks` as they are now until all of them are over, or one if that is enough.
async fn enough(
    store: &Store,
    tasks: &RefCell<Vec<TaskRecord>>,
    args: &args::Wait,
) -> Result<Waited, Error> {
    let look = || {
        let mut tasks = tasks.borrow_mut();
        for task in tasks.iter_mut().filter(|task| task.exit.is_none()) {
            *task = ids::again(store, task.id)?;
        }
        let is_over = |task: &TaskRecord| task.exit.is_some();
        let is_enough = if args.any {
            tasks.iter().any(is_over)
        } else {
            tasks.iter().all(is_over)
        };
        Ok(is_enough.then_some(Waited::Enough))
    };
    watch::until(store, look).await
}

/// The first that is not 0.
fn exit_code(ended: &[TaskRecord]) -> u8 {
    let exits = ended.iter().filter_map(|task| task.exit.as_ref());
    let mut codes = exits.map(|exit| exit.to_exit_code());
    codes.find(|code| *code != 0).unwrap_or(0)
}

fn text(ended: &[TaskRecord], args: &args::Wait) -> Vec<u8> {
    let endings: Vec<_> = ended.iter().filter_map(TaskRecord::notification).collect();
    if args.json {
        told::json(&endings, EXCERPT)
    } else {
        told::text(&endings).into_bytes()
    }
}
