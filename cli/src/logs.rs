//! `meanwhile logs`: what a task wrote, byte for byte.

mod printer;

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use meanwhile_core::TaskId;
use meanwhile_queue::{Store, TaskRecord};
use smol::future;

use self::printer::{Begin, Printer};
use crate::args;
use crate::error::Error;
use crate::ids;
use crate::pause::pause;
use crate::signals::Signals;
use crate::stdio::{self, Output, ReaderWatch};
use crate::store;
use crate::watch;

/// How often the output is looked at while the task runs.
const PACE: Duration = Duration::from_millis(50);

/// Prints the output and gives the program's exit code.
pub(crate) fn run(args: &args::Logs) -> Result<u8, Error> {
    let store = store::open()?;
    let task = ids::find(&store, &args.id)?;
    let signals = Signals::catch()?;
    let reader = ReaderWatch::start()?;
    // A few pieces only: whoever reads slowly must not fill the memory.
    let output = Output::bounded(4)?;
    smol::block_on(signals.or_end(async {
        let print = async {
            if args.follow {
                follow(&store, task.id, args, &output).await?;
            } else if let Some(path) = file(&task, args)? {
                let mut printer = Printer::new(path, begin(args), &output);
                printer.print().await?;
                printer.must_have_found(&task)?;
            }
            output.finish().await.or_else(stdio::had_enough)
        };
        let unheard = async { stdio::had_enough(future::or(reader.gone(), output.broken()).await) };
        future::or(print, unheard).await.map(|()| 0)
    }))
}

fn begin(args: &args::Logs) -> Begin {
    match args.tail {
        Some(lines) => Begin::LastLines(lines),
        None => Begin::Byte(args.offset.unwrap_or(0)),
    }
}

/// The file that is asked for; `None` if the task has not come so far that it has one.
fn file(task: &TaskRecord, args: &args::Logs) -> Result<Option<PathBuf>, Error> {
    if args.stderr && task.stdout.is_some() && task.stderr.is_none() {
        let problem = "writes its stderr into the same file as its stdout: leave --stderr out";
        return Err(Error::failed(format!("{} {problem}", task.id)));
    }
    let file = if args.stderr {
        &task.stderr
    } else {
        &task.stdout
    };
    Ok(file.clone())
}

async fn follow(
    store: &Store,
    id: TaskId,
    args: &args::Logs,
    output: &Output,
) -> Result<(), Error> {
    let accepted = watch::until(store, || {
        let task = ids::again(store, id)?;
        Ok((task.stdout.is_some() || task.exit.is_some()).then_some(task))
    });
    let Some(path) = file(&accepted.await?, args)? else {
        return Ok(());
    };
    let mut printer = Printer::new(path, begin(args), output);
    let mut over = pin!(watch::until(store, || {
        let task = ids::again(store, id)?;
        Ok(task.exit.is_some().then_some(task))
    }));
    printer.print().await?;
    loop {
        let ended = async { Some((&mut over).await) };
        let not_yet = async {
            pause(PACE).await;
            None
        };
        let ended = future::or(ended, not_yet).await.transpose()?;
        // Looked for the end first and reads second, so that nothing that was written falls between.
        printer.print().await?;
        if let Some(task) = ended {
            return printer.must_have_found(&task);
        }
    }
}
