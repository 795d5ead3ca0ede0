//! Running a job: its future, with what ends it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use meanwhile_core::{Cancellation, ExitStatus, Job, JobContext, JobError, JobOutput};
use rustix::process::Signal;

/// What is told of a job that was killed. Like a process, it had no say in it.
pub(crate) const KILLED: ExitStatus = ExitStatus::Signal(Signal::KILL.as_raw());

type Running = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;

/// The future of a job, to be polled by the backend's executor. Resolves when the job ends, panics, or is
/// killed; the last is told as a SIGKILL.
pub struct JobFuture {
    /// `None` once it ended: what it held is dropped then, not when somebody gets around to it.
    running: Option<Running>,
    killed: Pin<Box<dyn Future<Output = ()> + Send>>,
    output: Arc<dyn JobOutput>,
}

impl JobFuture {
    pub(crate) fn new(
        job: Arc<dyn Job>,
        context: JobContext,
        output: Arc<dyn JobOutput>,
        kill: Cancellation,
    ) -> Self {
        Self {
            running: Some(Box::pin(async move { job.run(context).await })),
            killed: Box::pin(async move { kill.asked().await }),
            output,
        }
    }

    fn tell(&self, message: &str) {
        // With nowhere to write to, the exit code alone has to tell.
        let _ = self.output.append(format!("{message}\n").as_bytes());
    }
}

impl Future for JobFuture {
    type Output = ExitStatus;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ExitStatus> {
        if self.killed.as_mut().poll(context).is_ready() {
            self.running = None;
            return Poll::Ready(KILLED);
        }
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let result = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context)));
        let status = match result {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => 0,
            Ok(Poll::Ready(Err(error))) => {
                self.tell(&format!("error: {error}"));
                1
            }
            Err(panic) => {
                self.tell(&format!("panicked: {}", panic_message(&*panic)));
                101
            }
        };
        self.running = None;
        Poll::Ready(ExitStatus::Code(status))
    }
}

impl fmt::Debug for JobFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobFuture").finish_non_exhaustive()
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
