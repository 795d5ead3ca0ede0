//! The thread that polls jobs.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use meanwhile_core::ExitStatus;
use meanwhile_process::JobFuture;

use crate::lock;

/// Polls jobs, one at a time, on a thread that is there while jobs are.
#[derive(Default)]
pub(crate) struct JobThread(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    job_is_ready: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Arc<Job>>,
    live: usize,
}

struct Job {
    shared: Arc<Shared>,
    /// `None` once it has ended.
    work: Mutex<Option<Work>>,
}

struct Work {
    future: JobFuture,
    ended: Box<dyn FnOnce(ExitStatus) + Send>,
}

impl JobThread {
    /// Polls `future` to its end, then calls `ended`.
    pub(crate) fn run(&self, future: JobFuture, ended: impl FnOnce(ExitStatus) + Send + 'static) {
        let work = Work {
            future,
            ended: Box::new(ended),
        };
        let job = Arc::new(Job {
            shared: Arc::clone(&self.0),
            work: Mutex::new(Some(work)),
        });
        let is_first = {
            let mut state = lock(&self.0.state);
            state.ready.push_back(job);
            state.live += 1;
            state.live == 1
        };
        if is_first {
            let shared = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("meanwhile-jobs".to_owned());
            if thread.spawn(move || shared.run()).is_err() {
                self.0.give_up();
            }
        } else {
            self.0.job_is_ready.notify_one();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = lock(&self.state);
        while state.live > 0 {
            if let Some(job) = state.ready.pop_front() {
                drop(state);
                let ended = job.poll();
                state = lock(&self.state);
                state.live -= ended;
            } else {
                state = self
                    .job_is_ready
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// For want of a thread: the jobs are dropped, and those who wait for them told that they are lost.
    fn give_up(&self) {
        let mut state = lock(&self.state);
        while let Some(job) = state.ready.pop_front() {
            drop(state);
            let ended = job.end(ExitStatus::Lost);
            state = lock(&self.state);
            state.live -= ended;
        }
    }
}

impl Job {
    /// Polls it once and says how many jobs ended by that.
    fn poll(self: Arc<Self>) -> usize {
        let waker = Waker::from(Arc::clone(&self));
        let status = {
            let mut work = lock(&self.work);
            // Woken once more after its end.
            let Some(work) = &mut *work else { return 0 };
            Pin::new(&mut work.future).poll(&mut Context::from_waker(&waker))
        };
        match status {
            Poll::Pending => 0,
            Poll::Ready(status) => self.end(status),
        }
    }

    /// Tells its end and says how many jobs ended by that: none if it was woken once more after it.
    fn end(&self, status: ExitStatus) -> usize {
        let work = lock(&self.work).take();
        let Some(work) = work else { return 0 };
        drop(work.future);
        (work.ended)(status);
        1
    }
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        let shared = Arc::clone(&self.shared);
        lock(&shared.state).ready.push_back(self);
        shared.job_is_ready.notify_one();
    }
}

impl fmt::Debug for JobThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobThread").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_woken_after_its_end_does_not_count_where_no_thread_is_to_be_had() {
        let thread = JobThread::default();
        let ended = Job {
            shared: Arc::clone(&thread.0),
            work: Mutex::new(None),
        };
        Waker::from(Arc::new(ended)).wake();
        thread.0.give_up();
        assert_eq!(lock(&thread.0.state).live, 0);
    }
}
