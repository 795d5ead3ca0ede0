//! Async work inside this process.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use event_listener::{Event, listener};

use crate::TaskId;

/// Why a job failed. It is written to the job's output, and the exit code is 1.
pub type JobError = Box<dyn Error + Send + Sync>;

/// Work that runs inside this process, on the backend's own executor: a subagent, an indexer.
///
/// # For callers
///
/// `Ok` is exit code 0, `Err` code 1 with the error in the output, a panic code 101 with its message in the
/// output.
///
/// # For implementers
///
/// A job must not block its thread. When [`JobContext::cancelled`] resolves, it should end; after the grace
/// its future is dropped. What a job spawns by itself is its own to clean up. A job that holds a clone of the
/// [`Tasks`](crate::Tasks) that it runs in keeps them from being the last for as long as it is listed: give it a
/// [`Handle`](crate::Handle), or a weak reference.
///
/// ```
/// use meanwhile_core::{Job, JobContext, JobError, async_trait};
///
/// #[derive(Debug)]
/// struct Greet;
///
/// #[async_trait]
/// impl Job for Greet {
///     async fn run(&self, context: JobContext) -> Result<(), JobError> {
///         context.write(b"hello\n")?;
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Job: Debug + Send + Sync + 'static {
    /// Does the work.
    async fn run(&self, context: JobContext) -> Result<(), JobError>;

    /// What to show as the command; the debug form by default.
    fn name(&self) -> String {
        let mut name = String::new();
        // Writing to a String fails only if the Debug form does; then what there is of it must do.
        let _ = write!(name, "{self:?}");
        name
    }
}

/// Where a job's output goes: implemented by backends that run jobs.
pub trait JobOutput: Debug + Send + Sync + 'static {
    /// Appends `bytes`.
    ///
    /// # Errors
    ///
    /// The operating system's, such as a full disk.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
}

/// What a job is given: its id, a place to write, and the wish that it ends.
#[derive(Debug, Clone)]
pub struct JobContext {
    id: TaskId,
    output: Arc<dyn JobOutput>,
    cancellation: Cancellation,
}

impl JobContext {
    /// Made by backends that run jobs.
    #[must_use]
    pub fn new(id: TaskId, output: Arc<dyn JobOutput>, cancellation: Cancellation) -> Self {
        Self {
            id,
            output,
            cancellation,
        }
    }

    /// The id of this task.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Appends to the output of this task.
    ///
    /// # Errors
    ///
    /// The operating system's, such as a full disk.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.output.append(bytes)
    }

    /// Resolves when the job is asked to end.
    pub async fn cancelled(&self) {
        self.cancellation.asked().await;
    }

    /// Whether the job is asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_asked()
    }
}

/// A wish that something ends: asked for once, seen by everybody. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<(AtomicBool, Event)>);

impl Cancellation {
    /// Asks. Asking again changes nothing.
    pub fn ask(&self) {
        let (asked, event) = &*self.0;
        asked.store(true, Ordering::Release);
        event.notify(usize::MAX);
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.0.load(Ordering::Acquire)
    }

    /// Resolves when it is asked for.
    pub async fn asked(&self) {
        while !self.is_asked() {
            listener!(self.0.1 => listener);
            // Asked between the look and the listening: the notification would have missed us.
            if self.is_asked() {
                return;
            }
            listener.await;
        }
    }
}
