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

/// A job that returns ends with code 0, an error is code 1 with its text in the output; its output is
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

/// A job that panics ends with code 101 and its message in the output, and the backend goes on.
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
    assert_jobs_run(&trial);
}

/// What a job holds may panic when it is dropped, at its end or when it is killed. That is the end of this job
/// alone.
pub fn a_job_that_panics_when_it_is_dropped_harms_no_other<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let ends = trial.launch(Spec::job(PanicsWhenDropped::AtItsEnd));
    let exit = trial.end(&ends);
    assert_eq!(
        (&exit.status, exit.ended_by),
        (&ExitStatus::Code(101), EndedBy::Itself)
    );
    assert_eq!(trial.told(&ends).exit, exit);
    assert_jobs_run(&trial);

    let killed = trial.launch(Spec::job(PanicsWhenDropped::WhenKilled));
    trial.wait_for_text(&killed, "waiting");
    killed.stop(Stop::by(EndedBy::Agent).grace(Duration::ZERO));
    let exit = trial.end(&killed);
    assert_eq!(
        (exit.ended_by, exit.outcome()),
        (EndedBy::Agent, Outcome::Stopped),
        "a killed job ended as {:?}",
        exit.status
    );
    assert_eq!(trial.told(&killed).exit, exit);
    assert_jobs_run(&trial);
}

/// The error of a job may panic when it is written down. That is a panic of this job alone.
pub fn an_error_that_panics_when_it_is_shown_harms_no_other<L: Lifecycle>(
    make: impl FnOnce() -> L,
) {
    let Some(trial) = Trial::new(make, Needs::Jobs) else {
        return;
    };
    let handle = trial.launch(Spec::job(FailsUnspeakably));
    let exit = trial.end(&handle);
    assert_eq!(
        (&exit.status, exit.ended_by),
        (&ExitStatus::Code(101), EndedBy::Itself)
    );
    assert_eq!(trial.told(&handle).exit, exit);
    assert_jobs_run(&trial);
}

#[track_caller]
fn assert_jobs_run(trial: &Trial) {
    let next = trial.run(Spec::job(Succeeds(Arc::default())));
    assert_eq!(
        next.status,
        ExitStatus::Code(0),
        "no job runs after a panic"
    );
}

/// A stop asks the job, which may end in its own way.
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

/// A job that does not end when it is asked is dropped when the grace is over, and not before.
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

/// A job has its deadline like any task.
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
enum PanicsWhenDropped {
    AtItsEnd,
    WhenKilled,
}

#[async_trait]
impl Job for PanicsWhenDropped {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        let _held = Bomb;
        context.write(b"waiting")?;
        match self {
            Self::AtItsEnd => Ok(()),
            Self::WhenKilled => pending().await,
        }
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped with the pin out");
    }
}

#[derive(Debug)]
struct FailsUnspeakably;

#[async_trait]
impl Job for FailsUnspeakably {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        Err(Box::new(Unspeakable))
    }
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("there are no words for it");
    }
}

impl std::error::Error for Unspeakable {}

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
