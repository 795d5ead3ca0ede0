//! `meanwhile session`: an agent's tool calls as JSON lines, each answered when it is done.
//!
//! All of it runs on one thread. Each call is polled once in the order of the lines, which launches it; a call that is
//! not answered by that goes on beside the lines that follow.

mod answers;
mod input;
mod outstanding;
mod present;
mod timeline;

use std::io::{self, IsTerminal};
use std::rc::Rc;
use std::time::Duration;

use meanwhile_agent::{ToolUse, Toolbox};
use meanwhile_core::{EndedBy, Owner, Shutdown, Stop, Tasks};
use meanwhile_queue::{MemoryQueue, Selection, Store};
use smol::channel::Receiver;
use smol::{LocalExecutor, future};

use self::answers::Answers;
use self::input::{Entry, Request, Source};
use self::outstanding::Outstanding;
use self::present::{JsonLines, Present};
use self::timeline::Timeline;
use crate::args::{self, AtEnd};
use crate::backend;
use crate::error::Error;
use crate::ownership;
use crate::pause::pause;
use crate::session_name;
use crate::signals::{self, Signals};
use crate::state::Spool;
use crate::stdio::ReaderWatch;
use crate::store;
use crate::watch;

/// How long foreground calls may take to end by themselves when no further lines can come.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// How long the grace of a task may keep a session that is to end.
const LONGEST_GRACE: Duration = Duration::from_secs(10);

/// Serves the session and gives the program's exit code.
pub(crate) fn run(args: &args::Session) -> Result<u8, Error> {
    // Before signals are caught: one of them may end the waiting for a named pipe's writer.
    let source = Source::open(args.file.as_deref())?;
    let name = session_name::resolve(args.session.as_deref());
    let home = if args.store {
        Home::Shared(store::open_for_launch()?)
    } else {
        Home::Own(Spool::create(&name)?)
    };
    let signals = Signals::catch()?;
    let tasks = home.tasks(args.backend)?;
    let present: Box<dyn Present> = if io::stdout().is_terminal() && !args.json {
        Box::new(Timeline::new())
    } else {
        Box::new(JsonLines)
    };
    let (pace, at_end) = match args.file {
        Some(_) => (Pace::Answers, AtEnd::Wait),
        None => (Pace::Lines, AtEnd::Stop),
    };
    let executor = Rc::new(LocalExecutor::new());
    let session = Session {
        home,
        toolbox: Toolbox::new(tasks, Owner::new(name.as_str())),
        executor: Rc::clone(&executor),
        outstanding: Outstanding::default(),
        answers: Rc::new(Answers::new(present)?),
        reader: ReaderWatch::start()?,
        pace,
        at_end: args.at_end.unwrap_or(at_end),
    };
    let entries = source.read()?;
    let result = smol::block_on(executor.run(session.serve(&entries, &signals)));
    session.home.leave();
    result
}

/// Where output is kept and endings wait.
enum Home {
    /// In a folder of the session, and in memory.
    Own(Spool),
    /// Where other programs find them, and the next session of this name.
    Shared(Store),
}

impl Home {
    fn tasks(&self, backend: args::Backend) -> Result<Tasks, Error> {
        match self {
            Self::Own(spool) => {
                let backend = backend::start(backend, spool.path())?;
                Ok(Tasks::new(backend, MemoryQueue::new()))
            }
            Self::Shared(store) => {
                let backend = backend::start(backend, &store.spool_dir())?;
                let tasks = ownership::tasks(backend, store)?;
                ownership::recover(store);
                Ok(tasks)
            }
        }
    }

    /// Nothing is left behind that only this process knows.
    fn leave(&self) {
        if let Self::Shared(store) = self {
            ownership::settle(store);
        }
    }
}

/// What a turn waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// The lines before it: the client sees the answers, and sends what depends on one after it.
    Lines,
    /// The answers before it, too: in a recorded session, what follows was said when they were there.
    Answers,
}

struct Session {
    home: Home,
    toolbox: Toolbox,
    executor: Rc<LocalExecutor<'static>>,
    outstanding: Outstanding,
    answers: Rc<Answers>,
    reader: ReaderWatch,
    pace: Pace,
    at_end: AtEnd,
}

/// Why a session is over.
enum End {
    /// All lines were read, as far as that was possible.
    Input(io::Result<()>),
    Signal(i32),
    /// Nobody can be told anything any more.
    Unheard(io::Error),
}

impl Session {
    async fn serve(&self, entries: &Receiver<Entry>, signals: &Signals) -> Result<u8, Error> {
        let to_the_end = async {
            let read = self.take_all(entries).await;
            self.settle().await;
            match self.last_words().await {
                Ok(()) => End::Input(read),
                Err(error) => End::Unheard(error),
            }
        };
        let signalled = async { End::Signal(signals.next().await) };
        let further = async {
            signals.next().await;
        };
        let unheard =
            async { End::Unheard(future::or(self.answers.broken(), self.reader.gone()).await) };
        match future::or(to_the_end, future::or(signalled, unheard)).await {
            End::Input(read) => read
                .map(|()| 0)
                .map_err(|error| Error::own("cannot read the input to its end", error)),
            End::Signal(signal) => {
                self.stop_all(further).await;
                // The exit code says why it is over; a reader who is gone as well changes nothing.
                let told = async { drop(self.last_words().await) };
                future::or(told, signals::enough_said()).await;
                Ok(signals::exit_code(signal))
            }
            End::Unheard(error) => {
                self.stop_all(further).await;
                Err(Error::own(
                    "all tasks were stopped, because stdout cannot be written",
                    error,
                ))
            }
        }
    }

    async fn take_all(&self, entries: &Receiver<Entry>) -> io::Result<()> {
        while let Ok(entry) = entries.recv().await {
            match entry {
                Entry::Request(request) => self.take(request).await,
                Entry::Bad(line) => self.answers.bad_line(&line).await,
                Entry::Broken(error) => return Err(error),
            }
            // However fast lines come, answers that are due go out between them.
            future::yield_now().await;
        }
        Ok(())
    }

    async fn take(&self, request: Request) {
        self.answers.request(&request).await;
        match request {
            Request::ToolUse(tool_use) => self.call(tool_use).await,
            Request::Turn => {
                self.catch_up().await;
                self.turn().await;
            }
            Request::Wait { timeout } => {
                self.catch_up().await;
                self.until_pending(timeout).await;
                self.turn().await;
            }
        }
    }

    async fn call(&self, tool_use: ToolUse) {
        let mut call = Box::pin(self.toolbox.call(tool_use));
        if let Some(result) = future::poll_once(&mut call).await {
            self.answers.result(&result).await;
            return;
        }
        let answers = Rc::clone(&self.answers);
        let unanswered = self.outstanding.add();
        let rest = async move {
            answers.result(&call.await).await;
            drop(unanswered);
        };
        self.executor.spawn(rest).detach();
    }

    async fn catch_up(&self) {
        if self.pace == Pace::Answers {
            self.outstanding.all_answered().await;
        }
    }

    async fn until_pending(&self, timeout: Option<Duration>) {
        let inbox = self.toolbox.inbox();
        let given_up = async {
            match timeout {
                Some(timeout) => pause(timeout).await,
                // When nothing runs, nothing will be pending, however long the wait.
                None => self.nothing_runs().await,
            }
        };
        // A lease that another program let run out is told by nobody.
        let pending = async {
            while inbox.pending() == 0 {
                future::or(inbox.wait(), pause(watch::AFTER_A_LEASE)).await;
            }
        };
        future::or(pending, given_up).await;
    }

    async fn nothing_runs(&self) {
        self.toolbox.tasks().wait_idle().await;
        if let Home::Shared(store) = &self.home {
            loop {
                let listener = store.listen_to_all();
                let open = store.tasks(Selection::Open, Some(self.toolbox.owner()));
                // A store that cannot be read announces nothing, either.
                if !open.is_ok_and(|open| open.iter().any(|task| task.exit.is_none())) {
                    break;
                }
                listener.await;
            }
        }
    }

    async fn turn(&self) {
        self.answers
            .notifications(self.toolbox.notifications())
            .await;
    }

    /// Ends what runs when the input is over, as it was asked for.
    async fn settle(&self) {
        if self.at_end == AtEnd::Wait {
            return self.all_over().await;
        }
        let tasks = self.toolbox.tasks().list().into_iter();
        for in_background in tasks.filter(|task| !task.is_attached()) {
            in_background.stop(Stop::by(EndedBy::Shutdown));
        }
        future::or(self.outstanding.all_answered(), pause(LAST_CALLS)).await;
        self.stop_all(future::pending()).await;
    }

    /// Stops everything, and kills it when somebody is `impatient`, or a grace takes too long.
    async fn stop_all(&self, impatient: impl Future<Output = ()>) {
        let hurried = async {
            future::or(impatient, pause(LONGEST_GRACE)).await;
            self.toolbox
                .tasks()
                .shutdown(Shutdown::Stop(Some(Duration::ZERO)));
            future::pending().await
        };
        self.toolbox.tasks().shutdown(Shutdown::Stop(None));
        future::or(self.all_over(), hurried).await;
    }

    async fn all_over(&self) {
        self.outstanding.all_answered().await;
        self.toolbox.tasks().wait_idle().await;
    }

    /// Tells what is still pending, and waits until all is written.
    async fn last_words(&self) -> io::Result<()> {
        while self.toolbox.inbox().pending() > 0 {
            let told = self
                .answers
                .notifications(self.toolbox.notifications())
                .await;
            if told.recv().await.is_err() {
                break;
            }
        }
        self.answers.finish().await
    }
}
