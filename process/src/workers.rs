//! A few named threads for work that blocks.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{lock, scheduling};

type Work = Box<dyn FnOnce() + Send>;

/// A fixed number of threads, started when they are first needed. They end when the last `Workers` is
/// dropped and what was handed to them is done.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    name: &'static str,
    most: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work_or_end: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    idle: usize,
    ended: bool,
}

impl Workers {
    /// Threads `name-1` to `name-most`.
    pub(crate) fn new(name: &'static str, most: usize) -> Self {
        Self {
            shared: Arc::default(),
            name,
            most,
        }
    }

    /// Hands work over. It is begun in the order of the calls.
    pub(crate) fn submit(&self, work: impl FnOnce() + Send + 'static) {
        let needs_thread = {
            let mut state = lock(&self.shared.state);
            state.waiting.push_back(Box::new(work));
            let needed = state.waiting.len() > state.idle && state.threads < self.most;
            if needed {
                state.threads += 1;
            }
            needed.then_some(state.threads)
        };
        match needs_thread {
            Some(number) => self.start_thread(number),
            None => self.shared.work_or_end.notify_one(),
        }
    }

    fn start_thread(&self, number: usize) {
        let shared = Arc::clone(&self.shared);
        let name = format!("{}-{number}", self.name);
        if thread::Builder::new()
            .name(name)
            .spawn(move || shared.run())
            .is_err()
        {
            // No thread is to be had. The others will do it, and if there is none, this one: late and on the
            // caller's time, but not lost.
            let none_left = {
                let mut state = lock(&self.shared.state);
                state.threads -= 1;
                state.threads == 0
            };
            if none_left {
                self.shared.run_what_there_is();
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        lock(&self.shared.state).ended = true;
        self.shared.work_or_end.notify_all();
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn run(&self) {
        let mut state = lock(&self.state);
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                run_one(work);
                state = lock(&self.state);
            } else if state.ended {
                return;
            } else {
                state.idle += 1;
                drop(state);
                // Without the lock that it comes back with: whoever launches must not wait for its change of class.
                scheduling::wait_humbly(|| drop(self.wait()));
                state = lock(&self.state);
                state.idle -= 1;
            }
        }
    }

    /// Blocks until there is work, or the end.
    fn wait(&self) -> MutexGuard<'_, State> {
        self.work_or_end
            .wait_while(lock(&self.state), |state| {
                state.waiting.is_empty() && !state.ended
            })
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn run_what_there_is(&self) {
        loop {
            let Some(work) = lock(&self.state).waiting.pop_front() else {
                return;
            };
            run_one(work);
        }
    }
}

/// A panic ends the one task whose report it drops, not the thread that all others need.
fn run_one(work: Work) {
    let _ = catch_unwind(AssertUnwindSafe(work));
}
