//! The promises for work inside this process; for backends that declare jobs.

use std::fmt;
use std::future::pending;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use meanwhile_core::{
    EndedBy, ExitStatus, Job, JobContext, JobError, Lifecycle, Outcome, Spec, Stop, TaskId,
    async_trait,
};

use super::stop::LONG;
use super::tree::SOON;
use crate::trial::{Needs, Trial};
use crate::wait;

/// P4: a job that returns ends with code 0, an error is code 1 with its text in the output; its output is
/// kept, and it knows its id.
pub fn job_runs_and_ends<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let id = Arc::new(Mutex::new(None));
    let handle = trial.launch(Spec::job(Succeeds(Arc::clone(&id))));
    let exit = trial.end(&handle);
    assert_eq!(
        (&exit.status, exit.ended_by),
        (&ExitStatus::Code(0), EndedBy::Itself)
    );
    assert_eq!(
        trial.text(&handle),
        "one\ntwo\n",
        "the output of the job was not kept"
    );
    assert_eq!(
        exit.output.bytes, 8,
        "the bytes of the job were not counted"
    );
    assert!(exit.started_at.is_some(), "the job has a start");
    let its_id = *id.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(its_id, Some(handle.id()), "the job was told another id");
    assert_eq!(trial.told(&handle).exit, exit);

    let handle = trial.launch(Spec::job(Fails));
    let exit = trial.end(&handle);
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Code(1), EndedBy::Itself)
    );
    let text = trial.text(&handle);
    assert!(
        text.contains("the index is broken"),
        "the error is not in the output: {text}"
    );
}

/// P2: a job that panics ends with code 101 and its message in the output, and the backend goes on.
pub fn job_panic_is_an_end<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let handle = trial.launch(Spec::job(Panics));
    let exit = trial.end(&handle);
    assert_eq!(
        (exit.status, exit.ended_by),
        (ExitStatus::Code(101), EndedBy::Itself)
    );
    let text = trial.text(&handle);
    assert!(
        text.contains("seven is no prime"),
        "the message is not in the output: {text}"
    );
    let after = trial.run(Spec::job(Succeeds(Arc::default())));
    assert_eq!(
        after.status,
        ExitStatus::Code(0),
        "no job runs after a panic"
    );
}

/// P6: a stop asks the job, which may end in its own way.
pub fn job_is_cancelled<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let handle = trial.launch(Spec::job(EndsWhenAsked).grace(LONG));
    trial.wait_for_text(&handle, "waiting");
    handle.stop(Stop::by(EndedBy::User));
    let exit = trial.end(&handle);
    assert_eq!(
        (exit.ended_by, exit.outcome()),
        (EndedBy::User, Outcome::Stopped)
    );
    assert_eq!(
        trial.text(&handle),
        "waiting, asked",
        "the job was not asked to end"
    );
}

/// P6: a job that does not end when it is asked is dropped when the grace is over, and not before.
pub fn job_that_ignores_its_cancellation_is_dropped_after_the_grace<L: Lifecycle>(
    make: impl FnOnce() -> L,
) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let (job, dropped) = NeverEnds::new();
    let handle = trial.launch(Spec::job(job).grace(SOON));
    trial.wait_for_text(&handle, "waiting");
    let asked = Instant::now();
    handle.stop(Stop::by(EndedBy::Agent));
    let exit = trial.end(&handle);
    assert!(
        asked.elapsed() >= SOON,
        "the job was dropped before the grace was over"
    );
    assert_eq!(exit.ended_by, EndedBy::Agent);
    let dropped = dropped.recv_timeout(wait::patience());
    assert_eq!(dropped, Ok(()), "the job was left running");
}

/// P9: a job has its deadline like any task.
pub fn job_has_a_deadline<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let timeout = Duration::from_millis(100);
    let (job, _dropped) = NeverEnds::new();
    let exit = trial.run(Spec::job(job).timeout(timeout).grace(Duration::ZERO));
    assert_eq!(
        (exit.ended_by, exit.outcome()),
        (EndedBy::Timeout, Outcome::TimedOut)
    );
    assert!(
        exit.duration >= timeout,
        "it was stopped after {:?}",
        exit.duration
    );
}

#[derive(Debug)]
struct Succeeds(Arc<Mutex<Option<TaskId>>>);

#[async_trait]
impl Job for Succeeds {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.id());
        context.write(b"one\n")?;
        context.write(b"two\n")?;
        Ok(())
    }
}

#[derive(Debug)]
struct Fails;

#[async_trait]
impl Job for Fails {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        Err("the index is broken".into())
    }
}

#[derive(Debug)]
struct Panics;

#[async_trait]
impl Job for Panics {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        panic!("seven is no prime");
    }
}

#[derive(Debug)]
struct EndsWhenAsked;

#[async_trait]
impl Job for EndsWhenAsked {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        context.write(b"waiting")?;
        context.cancelled().await;
        context.write(b", asked")?;
        Ok(())
    }
}

/// Tells when its future is dropped.
struct NeverEnds(Mutex<Sender<()>>);

impl NeverEnds {
    fn new() -> (Self, mpsc::Receiver<()>) {
        let (tell, dropped) = mpsc::channel();
        (Self(Mutex::new(tell)), dropped)
    }
}

#[async_trait]
impl Job for NeverEnds {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        let tell = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let _tells = TellsWhenDropped(tell);
        context.write(b"waiting")?;
        pending().await
    }
}

impl fmt::Debug for NeverEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NeverEnds")
    }
}

struct TellsWhenDropped(Sender<()>);

impl Drop for TellsWhenDropped {
    fn drop(&mut self) {
        // The check may have failed and gone.
        let _ = self.0.send(());
    }
}
