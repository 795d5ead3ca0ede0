//! Changes that are not written yet.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::change::Change;

/// How many changes go into one transaction: while it lasts, launches wait.
const BATCH: usize = 256;

/// The line of changes in front of the writer.
///
/// A batch stays in it until it is written, so that whoever looks while the disk is full sees all that is not.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    state: Mutex<State>,
    /// Notified when there is something for the writer to do.
    work: Condvar,
    /// Notified when the writer has got on, or cannot.
    progress: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Change>>,
    /// What the writer is at.
    writing: Vec<Arc<Change>>,
    /// How many were ever put in, written, and made safe from a power cut.
    submitted: u64,
    written: u64,
    durable: u64,
    problem: Option<String>,
    is_closed: bool,
}

/// Whether what was submitted is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Written,
    /// Not now: the last attempt failed.
    Held,
}

impl Backlog {
    /// Puts `change` in. Never waits.
    pub(super) fn submit(&self, change: Change) {
        let mut state = self.lock();
        state.submitted += 1;
        state.waiting.push_back(Arc::new(change));
        self.work.notify_one();
    }

    /// Whether everything is written, so that a further change may be written past the line.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && state.writing.is_empty()
    }

    /// Whether the last attempt to write failed.
    pub(super) fn is_held(&self) -> bool {
        self.lock().problem.is_some()
    }

    /// Waits until all that was submitted before is in the database, or it turns out that this is not possible now.
    pub(super) fn settle(&self) -> Settled {
        let mut state = self.lock();
        let goal = state.submitted;
        loop {
            if state.written >= goal {
                return Settled::Written;
            }
            if state.problem.is_some() {
                return Settled::Held;
            }
            state = self.wait(state);
        }
    }

    /// Waits until all that was submitted before is safe on the disk. Gives up at `deadline` and says what is in the way.
    pub(super) fn wait_until_durable(
        &self,
        deadline: Option<Instant>,
    ) -> Result<(), Option<String>> {
        let mut state = self.lock();
        let goal = state.submitted;
        while state.durable < goal {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return Err(state.problem.clone()),
                Some(left) => {
                    let waited = self.progress.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wait(state),
            };
        }
        Ok(())
    }

    /// All that is not written yet, in order.
    pub(super) fn unwritten(&self) -> Vec<Arc<Change>> {
        let state = self.lock();
        state
            .writing
            .iter()
            .chain(&state.waiting)
            .cloned()
            .collect()
    }

    /// For the writer: waits for the next batch, which is empty if none has come in `patience`. `None` when it was
    /// closed and nothing is left.
    pub(super) fn next_batch(&self, patience: Option<Duration>) -> Option<Vec<Arc<Change>>> {
        let mut state = self.lock();
        let deadline = patience.map(|patience| Instant::now() + patience);
        while state.writing.is_empty() && state.waiting.is_empty() {
            if state.is_closed {
                return None;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return Some(Vec::new()),
                Some(left) => {
                    let waited = self.work.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
        if state.writing.is_empty() {
            let count = state.waiting.len().min(BATCH);
            state.writing = state.waiting.drain(..count).collect();
        }
        Some(state.writing.clone())
    }

    /// For the writer: the batch is in the database.
    pub(super) fn mark_written(&self) {
        let mut state = self.lock();
        state.written += state.writing.len() as u64;
        state.writing.clear();
        state.problem = None;
        self.progress.notify_all();
    }

    /// For the writer: all that is written so far is safe on the disk.
    pub(super) fn mark_durable(&self) {
        let mut state = self.lock();
        state.durable = state.written;
        self.progress.notify_all();
    }

    /// Nothing can be written now. Waits for `pause`, less if it is closed meanwhile.
    pub(super) fn mark_held(&self, problem: String, pause: Duration) {
        let mut state = self.lock();
        state.problem = Some(problem);
        self.progress.notify_all();
        let deadline = Instant::now() + pause;
        while !state.is_closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.work.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing more will be submitted: the writer ends when all is written, or cannot be.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.work.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.progress
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
