//! `meanwhile run --wait`: staying with the task until it has ended.

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use meanwhile_agent::{Notifications, Toolbox};
use meanwhile_core::{EndedBy, Exit, Handle, Notification, Spec, Stop, Stream};
use meanwhile_queue::Store;
use smol::future;

use crate::args::Backend;
use crate::backend;
use crate::error::Error;
use crate::ownership;
use crate::pause::pause;
use crate::progress::Progress;
use crate::signals::{self, Signals};
use crate::stdio::{Output, complain, is_file, try_print_text};
use crate::store;
use crate::tail::Tail;

/// How often the output is looked at.
const PACE: Duration = Duration::from_millis(50);

/// How much output is read at once.
const PIECE: usize = 64 << 10;

/// Launches the task, follows it, tells its ending, and gives the program's exit code.
pub(super) fn follow(spec: Spec, backend: Backend) -> Result<u8, Error> {
    let store = store::open_for_launch()?;
    let signals = Signals::catch()?;
    let tasks = ownership::tasks(backend::start(backend, &store.spool_dir())?, &store)?;
    let task = tasks
        .launch(spec)
        .map_err(|error| Error::own("run", error))?;
    ownership::recover(&store);
    let follower = Follower::of(task.clone(), &store)?;
    let code = smol::block_on(follower.follow(&signals))?;
    if let Some(exit) = task.exit() {
        tell(&task, exit);
    }
    ownership::settle(&store);
    Ok(code)
}

/// Tells this ending and no other of the session: the agent may not read what this program prints.
fn tell(task: &Handle, exit: Exit) {
    let spec = task.spec();
    let ending = Notification::ended(task.id(), spec.get_owner().clone(), &spec.command(), exit)
        .described(spec.get_description())
        .with_output_path(task.output_path(Stream::Stdout));
    let told = Notifications::of(&[ending], Toolbox::NOTIFICATION_BUDGET);
    // A terminal that was closed has not told it to anybody.
    if try_print_text(&told.text).is_ok() {
        task.mark_told();
    }
}

/// One task on its way, shown as far as somebody looks.
struct Follower {
    task: Handle,
    /// Where the output goes as it comes; none on a terminal, which shows the progress instead.
    output: Option<Output>,
    progress: Option<Progress>,
    /// How much of the output was passed on.
    offset: Cell<u64>,
}

/// Why there is nothing more to follow.
enum End {
    Task(Exit),
    Signal(i32),
    /// Nobody can be shown the output any more.
    Unheard(io::Error),
}

impl Follower {
    fn of(task: Handle, store: &Store) -> Result<Self, Error> {
        // What stdout is piped to may well write to the terminal, and a bar would be in its way.
        let is_apart = io::stdout().is_terminal() || is_file(io::stdout());
        let is_watched = is_apart && io::stderr().is_terminal();
        let output = if is_watched && io::stdout().is_terminal() {
            None
        } else {
            // A few pieces only: whoever reads slowly must not fill the memory.
            Some(Output::bounded(4)?)
        };
        let progress = is_watched.then(|| progress(&task, store));
        Ok(Self {
            task,
            output,
            progress,
            offset: Cell::new(0),
        })
    }

    async fn follow(&self, signals: &Signals) -> Result<u8, Error> {
        let to_the_end = async {
            match self.pass_all_on().await {
                Ok(exit) => End::Task(exit),
                Err(error) => End::Unheard(error),
            }
        };
        let signalled = async { End::Signal(signals.next().await) };
        let end = future::or(to_the_end, future::or(signalled, self.unheard())).await;
        let result = match end {
            End::Task(exit) => Ok(exit.to_exit_code()),
            End::Signal(signal) => {
                self.stop(signals).await;
                let rest = async { drop(self.pass_all_on().await) };
                future::or(rest, signals::enough_said()).await;
                Ok(signals::exit_code(signal))
            }
            End::Unheard(error) => {
                self.stop(signals).await;
                Err(Error::own(
                    "the task was stopped, because stdout cannot be written",
                    error,
                ))
            }
        };
        if let Some(progress) = &self.progress {
            progress.clear();
        }
        result
    }

    async fn unheard(&self) -> End {
        match &self.output {
            Some(output) => End::Unheard(output.broken().await),
            None => future::pending().await,
        }
    }

    /// Stops the task and waits for its end; a further signal kills it.
    async fn stop(&self, signals: &Signals) {
        let stop = Stop::by(EndedBy::User);
        self.task.stop(stop);
        let hurried = async {
            signals.next().await;
            self.task.stop(stop.grace(Duration::ZERO));
            future::pending().await
        };
        future::or(async { drop(self.task.wait().await) }, hurried).await;
    }

    /// Passes the output on until the task has ended and all of it is written.
    async fn pass_all_on(&self) -> io::Result<Exit> {
        loop {
            // Looks for the end first and reads second, so that nothing that was written falls between.
            let exit = self.task.exit();
            if let Some(output) = &self.output
                && let Err(error) = self.pass_on(output, exit.as_ref()).await
            {
                // Said once, and nothing of the task's: its file stays.
                complain(format_args!("cannot read the output: {error}"));
                self.offset.set(u64::MAX);
            }
            if let Some(exit) = exit {
                if let Some(output) = &self.output {
                    output.finish().await?;
                }
                return Ok(exit);
            }
            if let Some(progress) = &self.progress {
                let tail = Tail::of(self.task.output_path(Stream::Stdout).as_deref());
                progress.show(self.task.elapsed(), &tail.last_line);
            }
            future::or(async { drop(self.task.wait().await) }, pause(PACE)).await;
        }
    }

    async fn pass_on(&self, output: &Output, exit: Option<&Exit>) -> io::Result<()> {
        // No further than this: a task may write faster than it is read, and what outlives it for ever.
        let end = exit.map_or_else(
            || self.task.written(Stream::Stdout),
            |exit| Ok(exit.output.bytes),
        )?;
        while self.offset.get() < end {
            let offset = self.offset.get();
            let chunk = self.task.output(Stream::Stdout, offset, PIECE)?;
            if chunk.bytes.is_empty() {
                break;
            }
            if chunk.offset > offset {
                let dropped = chunk.offset - offset;
                complain(format_args!(
                    "{dropped} bytes of output were dropped here, see --output-limit"
                ));
            }
            let next = chunk.next_offset();
            output.write(chunk.bytes).await;
            self.offset.set(next);
        }
        Ok(())
    }
}

fn progress(task: &Handle, store: &Store) -> Progress {
    let spec = task.spec();
    let command = spec.command();
    // An estimate that cannot be had is missed by nobody.
    let usual = store.usual(&command, spec.get_cwd()).ok().flatten();
    Progress::new(spec.get_description().unwrap_or(&command), usual)
}
