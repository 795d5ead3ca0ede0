//! One thread that keeps every growing spool within its limit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::lock;
use crate::spool::Spool;

/// Looks at each watched spool from time to time: often while it grows, ever more rarely while it does not.
/// A look is one `stat`.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    earlier_or_end: Condvar,
}

#[derive(Default)]
struct State {
    watches: BinaryHeap<Reverse<Due>>,
    thread: Thread,
    ended: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Thread {
    #[default]
    None,
    /// Asleep until then, or until it is woken.
    Until(Option<Instant>),
    Awake,
}

/// One spool under watch, until [`end`](Self::end).
pub(crate) struct Watch {
    spool: Arc<Spool>,
    over: AtomicBool,
    /// Called, once, when the task is to be stopped for its output.
    at_limit: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

struct Due {
    at: Instant,
    pause: Duration,
    written: u64,
    watch: Arc<Watch>,
}

impl Watcher {
    /// A process writes 2 GB/s into the page cache: up to 30 MB between two looks at a spool that grows.
    const SHORTEST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(1);
    /// What falls due within this time is looked at together: of many short tasks not each wakes the thread, which would
    /// take a processor from one that is just starting.
    const AT_ONCE: Duration = Duration::from_millis(5);

    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::default(),
        }
    }

    /// Watches `spool`; `at_limit` is called if it outgrows a limit that stops its task.
    pub(crate) fn watch(
        &self,
        spool: Arc<Spool>,
        at_limit: Box<dyn FnOnce() + Send>,
    ) -> Arc<Watch> {
        let watch = Arc::new(Watch {
            spool,
            over: AtomicBool::new(false),
            at_limit: Mutex::new(Some(at_limit)),
        });
        let at = Instant::now() + Self::SHORTEST;
        let due = Due {
            at,
            pause: Self::SHORTEST,
            written: 0,
            watch: Arc::clone(&watch),
        };
        let mut state = lock(&self.shared.state);
        state.watches.push(Reverse(due));
        match state.thread {
            Thread::None => self.start_thread(&mut state),
            // A thread that wakes soon anyhow is not woken for each of many short tasks.
            Thread::Until(until) if until.is_none_or(|until| until > at + Self::SHORTEST) => {
                self.shared.earlier_or_end.notify_one();
            }
            Thread::Until(_) | Thread::Awake => {}
        }
        watch
    }

    fn start_thread(&self, state: &mut State) {
        let shared = Arc::clone(&self.shared);
        // If no thread is to be had now, the next task tries again; ends trim in any case.
        if thread::Builder::new()
            .name("meanwhile-spool".to_owned())
            .spawn(move || shared.run())
            .is_ok()
        {
            state.thread = Thread::Awake;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        lock(&self.shared.state).ended = true;
        self.shared.earlier_or_end.notify_one();
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

impl Watch {
    /// Nobody writes any more: a last look, and no further ones.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.spool.trim();
    }

    fn look(&self) -> u64 {
        let written = self.spool.trim();
        if self.spool.is_stop_due(written)
            && let Some(at_limit) = lock(&self.at_limit).take()
        {
            at_limit();
        }
        written
    }
}

impl Shared {
    /// Ends when the watcher is dropped.
    fn run(&self) {
        let mut state = lock(&self.state);
        while !state.ended {
            let now = Instant::now();
            let next = state.watches.peek().map(|Reverse(due)| due.at);
            if next.is_some_and(|at| at <= now) {
                let due = state.watches.pop();
                drop(state);
                let again = due.and_then(|Reverse(due)| due.look(now));
                state = lock(&self.state);
                state.watches.extend(again.map(Reverse));
            } else {
                let next = next.map(|at| at.max(now + Watcher::AT_ONCE));
                state.thread = Thread::Until(next);
                state = match next {
                    Some(at) => {
                        let (state, _) = self
                            .earlier_or_end
                            .wait_timeout(state, at - now)
                            .unwrap_or_else(PoisonError::into_inner);
                        state
                    }
                    None => self
                        .earlier_or_end
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner),
                };
                state.thread = Thread::Awake;
            }
        }
    }
}

impl Due {
    /// Looks, and says when to look again, if at all.
    fn look(mut self, now: Instant) -> Option<Self> {
        if self.watch.over.load(Ordering::Acquire) {
            return None;
        }
        let written = self.watch.look();
        self.pause = if written == self.written {
            (self.pause * 2).min(Watcher::LONGEST)
        } else {
            Watcher::SHORTEST
        };
        self.written = written;
        self.at = now + self.pause;
        Some(self)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}
