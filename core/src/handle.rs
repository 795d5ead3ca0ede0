//! What callers hold of one task.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use event_listener::{EventListener, Listener};

use crate::admission::Shared;
use crate::blocking::Deadline;
use crate::record::{Record, StopPassed};
use crate::{Chunk, Exit, NoOutput, Output, Spec, Stop, Stream, TaskId};

/// Where a task stands.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waiting for its turn.
    Queued,
    /// Running since then.
    Running(SystemTime),
    /// Asked to end, and not over yet.
    Stopping,
    /// Over.
    Ended(Exit),
}

impl State {
    /// The word used on wires: `queued`, `running`, `stopping`, or that of the outcome.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running(_) => "running",
            Self::Stopping => "stopping",
            Self::Ended(exit) => exit.outcome().as_str(),
        }
    }
}

/// One task, to look at, wait for, or stop.
///
/// Cheap to clone; any number of threads and async tasks may wait on clones of it at once. Dropping it
/// changes nothing: the task runs on and is told when it ends.
#[derive(Debug, Clone)]
pub struct Handle {
    record: Arc<Record>,
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(record: Arc<Record>, shared: Arc<Shared>) -> Self {
        Self { record, shared }
    }

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.record.id
    }

    /// What it was launched with.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.record.spec
    }

    /// When it was launched.
    #[must_use]
    pub fn launched_at(&self) -> SystemTime {
        self.record.launched_at
    }

    /// For how long it has run, or ran.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.record.elapsed()
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        if let Some(exit) = self.exit() {
            State::Ended(exit)
        } else if self.record.is_stop_asked() {
            State::Stopping
        } else {
            self.record
                .started_at()
                .map_or(State::Queued, State::Running)
        }
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.record.exit().cloned()
    }

    /// Whether it runs in the foreground: somebody holds it as [`Attached`] and tells its ending.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.record.has_holder()
    }

    /// Asks for its end and returns at once; its notification tells when it is over. After the end this
    /// does nothing.
    pub fn stop(&self, stop: Stop) {
        if self.record.stop(stop) == StopPassed::Kept {
            self.shared.end_if_waiting(&self.record, stop.by);
        }
    }

    /// Its result was read here: its notification, if it is still pending, is not told again.
    pub fn mark_told(&self) {
        self.shared
            .queue()
            .consume(self.record.owner(), self.record.id);
    }

    /// Waits for its end.
    pub async fn wait(&self) -> Exit {
        loop {
            match self.exit_or_listen() {
                Ok(exit) => return exit,
                Err(listener) => listener.await,
            }
        }
    }

    /// Blocks the thread until its end.
    #[must_use]
    pub fn wait_blocking(&self) -> Exit {
        loop {
            match self.exit_or_listen() {
                Ok(exit) => return exit,
                Err(listener) => listener.wait(),
            }
        }
    }

    /// Blocks the thread until its end, or until `timeout` has passed; then `None`.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<Exit> {
        let deadline = Deadline::after(timeout);
        loop {
            match self.exit_or_listen() {
                Ok(exit) => return Some(exit),
                Err(listener) => {
                    if !deadline.wait(listener) {
                        return self.exit();
                    }
                }
            }
        }
    }

    /// Listens first and looks second, so that no end falls between.
    fn exit_or_listen(&self) -> Result<Exit, EventListener> {
        if let Some(exit) = self.exit() {
            return Ok(exit);
        }
        let listener = self.record.ended.listen();
        self.exit().ok_or(listener)
    }

    /// Reads up to `limit` bytes of its output from `offset`, while it runs or after.
    ///
    /// # Errors
    ///
    /// The operating system's, if the output cannot be read.
    pub fn output(&self, stream: Stream, offset: u64, limit: usize) -> io::Result<Chunk> {
        self.source().read(stream, offset, limit)
    }

    /// How many bytes it has written to `stream` so far.
    ///
    /// # Errors
    ///
    /// The operating system's, if the output cannot be read.
    pub fn written(&self, stream: Stream) -> io::Result<u64> {
        self.source().written(stream)
    }

    /// The file of its output; `None` while it is queued, or if its backend keeps no file.
    #[must_use]
    pub fn output_path(&self, stream: Stream) -> Option<PathBuf> {
        self.source().path(stream).map(ToOwned::to_owned)
    }

    fn source(&self) -> &dyn Output {
        self.record.output().map_or(&NoOutput, |output| &**output)
    }
}

/// A task in the foreground: whoever holds this tells its ending, the queue does not.
///
/// Dropping it, or [`detach`](Self::detach), moves the task to the background, whether it has ended by then
/// or not: the queue tells. So exactly one of the two does, without a race.
#[derive(Debug)]
pub struct Attached {
    handle: Handle,
}

impl Attached {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// The task.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Moves it to the background; its notification will come, or has come.
    pub fn detach(self) -> Handle {
        self.handle.clone()
    }

    /// The ending was told by the holder; there will be no notification.
    ///
    /// # Errors
    ///
    /// Gives the task back if it has not ended.
    pub fn told(self) -> Result<Exit, Self> {
        match self.handle.exit() {
            Some(exit) => {
                self.handle.record.forget_holder();
                Ok(exit)
            }
            None => Err(self),
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.handle.record.detach(self.handle.shared.queue());
    }
}
