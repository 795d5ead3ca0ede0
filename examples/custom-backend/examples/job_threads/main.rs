//! A small backend, complete: runs each job on a thread of its own. `docs/implementing-a-backend.md` walks
//! through it.

#[cfg(test)]
mod checks;
mod output;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{
    Action, Cancellation, Capabilities, EndedBy, Ending, Event, ExitStatus, Job, JobContext,
    JobError, JobOutput, Lifecycle, Output, Owner, Report, Spec, Stop, Supervision, Sweep, Task,
    Tasks, Work, async_trait,
};
use meanwhile_queue::MemoryQueue;

use crate::output::Kept;

/// Runs jobs, each on a thread of its own.
#[derive(Debug)]
struct JobThreads;

impl Lifecycle for JobThreads {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let (mail, mailbox) = mpsc::channel();
        let output = Arc::new(Kept::new(spec.get_output_limit()));
        let control = Control {
            mail: mail.clone(),
            output: Arc::clone(&output),
        };
        // The report goes to the thread once there is one, so that it is still here if there is none.
        let (hand_over, handed_over) = mpsc::channel();
        let run = move || {
            if let Ok(report) = handed_over.recv() {
                supervise(&spec, report, &output, &mail, &mailbox);
            }
        };
        match thread::Builder::new().name("job".to_owned()).spawn(run) {
            // The thread waits for it, so it cannot be gone.
            Ok(_) => drop(hand_over.send(report)),
            Err(error) => {
                let message = format!("cannot start a thread: {error}");
                report.exited(Ending::failed_to_start(message, error.raw_os_error()));
            }
        }
        Box::new(control)
    }

    fn capabilities(&self) -> Capabilities {
        // However many are launched, there are no more threads than that: the others wait in `Tasks`.
        Capabilities::none().with_jobs().with_max_live(64)
    }
}

/// The control half of one task.
#[derive(Debug)]
struct Control {
    mail: Sender<Mail>,
    output: Arc<Kept>,
}

/// What the thread of a task waits for.
#[derive(Debug)]
enum Mail {
    Event(Event),
    /// The job has something to do.
    Poll,
}

impl Task for Control {
    fn stop(&self, stop: Stop) {
        // After the end nobody listens, and nothing is left to be stopped.
        let _ = self.mail.send(Mail::Event(Event::Stop(stop)));
    }

    fn output(&self) -> Arc<dyn Output> {
        Arc::clone(&self.output) as Arc<dyn Output>
    }
}

/// The whole life of one task, on its own thread.
fn supervise(
    spec: &Spec,
    report: Report,
    output: &Arc<Kept>,
    mail: &Sender<Mail>,
    mailbox: &Receiver<Mail>,
) {
    let Work::Job(job) = spec.get_work() else {
        return report.exited(Ending::failed_to_start("only jobs are run here", None));
    };
    let asked_to_end = Cancellation::default();
    let context = JobContext::new(report.id(), output.clone(), asked_to_end.clone());
    let mut work = Some(job.run(context));
    let waker = Waker::from(Arc::new(PollAgain(mail.clone())));
    waker.wake_by_ref();

    let mut supervision = Supervision::new(spec);
    supervision.on(Event::Started, Instant::now());
    report.started();
    loop {
        let event = match next_mail(mailbox, supervision.timer()) {
            None => Event::Tick,
            Some(Mail::Event(event)) => event,
            Some(Mail::Poll) => match poll(&mut work, &waker, output) {
                Poll::Ready(status) => Event::Exited(status),
                Poll::Pending if output.is_stop_due() => {
                    Event::Stop(Stop::by(EndedBy::OutputLimit))
                }
                Poll::Pending => continue,
            },
        };
        let mut action = supervision.on(event, Instant::now());
        while let Some(Action::Sweep(sweep, ticket)) = action {
            match sweep {
                Sweep::Terminate | Sweep::Signal(_) => asked_to_end.ask(),
                // Dropping its future is what kills a job, also if it panics at that. It had no say in it, as
                // a process has none.
                Sweep::Kill if work.is_some() => {
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(work.take())));
                    let killed = Event::Exited(ExitStatus::Signal(9));
                    let _ = mail.send(Mail::Event(killed));
                }
                _ => {}
            }
            // A job has no other processes that could be left.
            action = supervision.on(Event::Swept(ticket, 0), Instant::now());
        }
        if let Some(Action::Finish(verdict)) = action {
            return report.exited(Ending {
                status: verdict.status,
                ended_by: verdict.ended_by,
                survivors: verdict.survivors,
                output: output.stats(),
            });
        }
    }
}

/// Waits for what comes first; `None` if that is the timer. One that is due goes before all mail: a job that
/// is always ready must not outrun its deadline.
fn next_mail(mailbox: &Receiver<Mail>, timer: Option<Instant>) -> Option<Mail> {
    match timer.map(|at| at.saturating_duration_since(Instant::now())) {
        None => mailbox.recv().ok(),
        Some(Duration::ZERO) => None,
        Some(wait) => mailbox.recv_timeout(wait).ok(),
    }
}

type JobFuture<'a> = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send + 'a>>;

/// Polls a job that has not ended yet, and says how it ended if it does now.
fn poll(work: &mut Option<JobFuture<'_>>, waker: &Waker, output: &Kept) -> Poll<ExitStatus> {
    let polled = catch_unwind(AssertUnwindSafe(|| run_its_code(work, waker)));
    let (code, last_words) = match polled {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(Ok(()))) => (0, None),
        Ok(Poll::Ready(Err(error))) => (1, Some(error)),
        Err(panic) => {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(work.take())));
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            (
                101,
                Some(format!("panicked: {}\n", text.unwrap_or("no message"))),
            )
        }
    };
    if let Some(words) = last_words {
        // Where it cannot be written down, the code alone has to tell.
        let _ = output.append(words.as_bytes());
    }
    Poll::Ready(ExitStatus::Code(code))
}

/// To poll a job, to show its error and to drop it is all to run code of its own, which may panic.
fn run_its_code(work: &mut Option<JobFuture<'_>>, waker: &Waker) -> Poll<Result<(), String>> {
    let Some(future) = work else {
        return Poll::Pending;
    };
    let result = ready!(future.as_mut().poll(&mut Context::from_waker(waker)));
    let result = result.map_err(|error| format!("error: {error}\n"));
    *work = None;
    Poll::Ready(result)
}

/// Wakes a job by mail.
struct PollAgain(Sender<Mail>);

impl Wake for PollAgain {
    fn wake(self: Arc<Self>) {
        // After the end nobody listens.
        let _ = self.0.send(Mail::Poll);
    }
}

fn main() -> Result<(), meanwhile_core::LaunchError> {
    let tasks = Tasks::new(JobThreads, MemoryQueue::new());
    tasks.launch(Spec::job(CountTo(3)))?;
    let inbox = tasks.inbox(Owner::default());
    inbox.wait_blocking();
    let ended = inbox.drain();
    println!("{} has {}", ended[0].command, ended[0].exit.outcome());
    ended.acknowledge();
    Ok(())
}

#[derive(Debug)]
struct CountTo(u32);

#[async_trait]
impl Job for CountTo {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        for number in 1..=self.0 {
            context.write(format!("{number}\n").as_bytes())?;
        }
        Ok(())
    }
}
