//! Running a job: its future, with what ends it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use meanwhile_core::{Cancellation, ExitStatus, Job, JobContext, JobError, JobOutput};
use rustix::process::Signal;

/// What is told of a job that was killed. Like a process, it had no say in it.
pub(crate) const KILLED: ExitStatus = ExitStatus::Signal(Signal::KILL.as_raw());

type Work = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;

/// The future of a job, to be polled by the backend's executor. Resolves when the job ends, panics, or is
/// killed; the last is told as a SIGKILL.
pub struct JobFuture {
    /// `None` once it ended: what it held is dropped then, not when somebody gets around to it.
    running: Option<Work>,
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

    /// Writes why it failed. With nowhere to write to, the exit code alone has to tell.
    fn tell(&self, message: &str) {
        let _ = self.output.append(format!("{message}\n").as_bytes());
    }

    fn poll_running(&mut self, context: &mut Context<'_>) -> Poll<ExitStatus> {
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let result = ready!(running.as_mut().poll(context));
        if let Err(error) = &result {
            self.tell(&format!("error: {error}"));
        }
        self.running = None;
        Poll::Ready(ExitStatus::Code(result.is_err().into()))
    }
}

impl Future for JobFuture {
    type Output = ExitStatus;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ExitStatus> {
        if self.killed.as_mut().poll(context).is_ready() {
            // A panic while it is dropped does not bring it back to life.
            let running = self.running.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(running)));
            return Poll::Ready(KILLED);
        }
        // Polled, dropped and its error formatted in here: all of it is a job's own code.
        catch_unwind(AssertUnwindSafe(|| self.poll_running(context))).unwrap_or_else(|panic| {
            self.tell(&format!("panicked: {}", panic_message(&*panic)));
            let running = self.running.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(running)));
            Poll::Ready(ExitStatus::Code(101))
        })
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
