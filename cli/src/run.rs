//! `meanwhile run --wait`: one command as a task, followed to its end.

mod progress;

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use meanwhile_agent::Toolbox;
use meanwhile_core::{EndedBy, Exit, Handle, OutputLimit, Owner, Spec, Stop, Stream, Tasks};
use meanwhile_queue::MemoryQueue;
use smol::future;

use self::progress::Progress;
use crate::args;
use crate::backend;
use crate::error::Error;
use crate::pause::pause;
use crate::signals::{self, Signals};
use crate::state::Spool;
use crate::stdio::{Output, complain, print_text};

/// How often the output is looked at.
const PACE: Duration = Duration::from_millis(50);

/// How much output is read at once.
const PIECE: usize = 64 << 10;

/// Runs the command and gives the program's exit code.
pub(crate) fn run(args: args::Run) -> Result<u8, Error> {
    if !args.wait {
        return Err(Error::usage(
            "run: --wait is required: this program follows its task to the end",
        ));
    }
    let owner = Owner::new(args.session.as_str());
    let session = args.session.clone();
    let backend = args.backend;
    let spec = spec(args).owner(owner.clone());
    spec.validate()
        .map_err(|error| Error::usage(format!("run: {error}")))?;

    let spool = Spool::create(&session)?;
    let signals = Signals::catch()?;
    let tasks = Tasks::new(backend::start(backend, spool.path())?, MemoryQueue::new());
    let task = tasks
        .launch(spec)
        .map_err(|error| Error::own("run", io::Error::other(error)))?;
    let follower = Follower::of(task)?;
    let code = smol::block_on(follower.follow(&signals))?;

    let told = Toolbox::new(tasks, owner).notifications();
    print_text(&told.text);
    told.acknowledge();
    Ok(code)
}

fn spec(args: args::Run) -> Spec {
    let mut words = args.command;
    let mut spec = if words.len() == 1 {
        Spec::shell(words.remove(0))
    } else {
        Spec::program(words.remove(0)).args(words)
    };
    for (key, value) in args.env {
        spec = spec.env(key, value);
    }
    if let Some(description) = args.description {
        spec = spec.description(description);
    }
    if let Some(cwd) = args.cwd {
        spec = spec.cwd(cwd);
    }
    if let Some(timeout) = args.timeout {
        spec = spec.timeout(timeout);
    }
    if let Some(grace) = args.grace {
        spec = spec.grace(grace);
    }
    if let Some(limit) = args.output_limit {
        spec = spec.output_limit(OutputLimit::keep(limit));
    }
    spec
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
    fn of(task: Handle) -> Result<Self, Error> {
        let is_watched = io::stderr().is_terminal();
        let output = if is_watched && io::stdout().is_terminal() {
            None
        } else {
            // A few pieces only: whoever reads slowly must not fill the memory.
            Some(Output::bounded(4)?)
        };
        let progress = is_watched.then(|| Progress::of(&task));
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
                progress.show(&self.task);
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
