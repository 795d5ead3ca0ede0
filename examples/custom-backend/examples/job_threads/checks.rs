//! The checks that every backend passes, and what they do not ask of jobs.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use meanwhile_core::{
    EndedBy, Exit, Handle, Job, JobContext, JobError, Outcome, OutputLimit, Spec, Stream, Tasks,
    async_trait,
};
use meanwhile_queue::MemoryQueue;

use super::JobThreads;

meanwhile_testkit::backend!(|| JobThreads);

#[test]
fn a_job_that_is_always_ready_does_not_outrun_its_deadline() {
    let soon = Duration::from_millis(20);
    let (exit, _) = run(Spec::job(AlwaysReady).timeout(soon).grace(soon));
    assert_eq!(exit.outcome(), Outcome::TimedOut);
}

#[test]
fn head_and_tail_of_the_output_are_kept() {
    let limit = OutputLimit::keep(OutputLimit::MIN);
    let (exit, handle) = run(Spec::job(Writes(10_000)).output_limit(limit));
    assert_eq!(
        (exit.output.bytes, exit.output.dropped),
        (80_000, 80_000 - limit.total())
    );
    let head = handle.output(Stream::Stdout, 0, 16).unwrap();
    assert_eq!((head.offset, &*head.bytes), (0, &b"0000000\n0000001\n"[..]));
    let tail = handle.output(Stream::Stdout, limit.head(), 8).unwrap();
    let first = 80_000 - limit.tail();
    assert_eq!(
        (tail.offset, tail.bytes),
        (first, format!("{:07}\n", first / 8).into_bytes())
    );
    assert_eq!(
        handle.output(Stream::Stdout, 79_992, 100).unwrap().bytes,
        b"0009999\n"
    );
}

#[test]
fn a_job_is_stopped_at_its_limit() {
    let limit = OutputLimit::stop_after(OutputLimit::MIN);
    let (exit, _) = run(Spec::job(Writes(u32::MAX)).output_limit(limit));
    assert_eq!(exit.ended_by, EndedBy::OutputLimit);
}

fn run(spec: Spec) -> (Exit, Handle) {
    let tasks = Tasks::new(JobThreads, MemoryQueue::new());
    let handle = tasks.launch(spec).unwrap();
    let exit = handle.wait_timeout(meanwhile_testkit::patience());
    (exit.expect("the job ends"), handle)
}

/// Writes its numbers, unless it is asked to end.
#[derive(Debug)]
struct Writes(u32);

#[async_trait]
impl Job for Writes {
    async fn run(&self, context: JobContext) -> Result<(), JobError> {
        for number in 0..self.0 {
            context.write(format!("{number:07}\n").as_bytes())?;
            if context.is_cancelled() {
                break;
            }
            let_others_go_first().await;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct AlwaysReady;

#[async_trait]
impl Job for AlwaysReady {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        loop {
            let_others_go_first().await;
        }
    }
}

async fn let_others_go_first() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
