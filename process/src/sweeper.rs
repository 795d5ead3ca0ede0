//! Going through the trees of tasks: signalling and counting.

use std::fmt;
use std::sync::{Arc, Mutex};

use meanwhile_core::{Sweep, TaskId};
use rustix::process::Signal;

use crate::leader::Leader;
use crate::lock;
use crate::table::{self, Life};
use crate::tree::{self, LiveGroups};
use crate::workers::Workers;

/// One sweep of one task's tree.
pub(crate) struct Request {
    pub(crate) id: TaskId,
    pub(crate) leader: Arc<Leader>,
    pub(crate) sweep: Sweep,
    /// Gets the number of processes that were alive at the look, the leader not counted.
    pub(crate) reply: Box<dyn FnOnce(u32) + Send>,
}

/// Carries sweeps out on a worker, one at a time. Those that come while one is at work are done together after
/// it: one look at the process table serves them all, so that stopping ten thousand tasks takes a few looks.
#[derive(Default)]
pub(crate) struct Sweeper {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: Vec<Request>,
    is_at_work: bool,
}

impl Sweeper {
    pub(crate) fn submit(
        self: &Arc<Self>,
        request: Request,
        workers: &Workers,
        live: &Arc<LiveGroups>,
    ) {
        let was_at_work = {
            let mut state = lock(&self.state);
            state.pending.push(request);
            std::mem::replace(&mut state.is_at_work, true)
        };
        if !was_at_work {
            let (sweeper, live) = (Arc::clone(self), Arc::clone(live));
            workers.urgent(move || sweeper.work(&live));
        }
    }

    fn work(&self, live: &LiveGroups) {
        while let Some(requests) = self.take() {
            carry_out(requests, live);
        }
    }

    fn take(&self) -> Option<Vec<Request>> {
        let mut state = lock(&self.state);
        // Within the lock: a request that comes from now on finds nobody at it, and calls a worker.
        state.is_at_work = !state.pending.is_empty();
        state.is_at_work.then(|| std::mem::take(&mut state.pending))
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}

/// Looks once, then signals and counts for each request. The look comes first: a child whose parent dies of
/// the signal cannot be found by its ancestry any more.
pub(crate) fn carry_out(requests: Vec<Request>, live: &LiveGroups) {
    let tasks: Vec<_> = requests
        .iter()
        .map(|request| (request.id, &*request.leader))
        .collect();
    let trees = tree::find(&tasks, live);
    for (request, tree) in requests.into_iter().zip(trees) {
        let leader = request.leader.pid().as_raw_nonzero().get();
        let signals: &[Signal] = match request.sweep {
            Sweep::Terminate => &[Signal::TERM, Signal::CONT],
            Sweep::Kill => &[Signal::KILL],
            _ => &[],
        };
        for signal in signals {
            request.leader.signal_group(*signal);
        }
        let others = tree
            .iter()
            .filter(|entry| entry.life == Life::Alive && entry.pid != leader);
        let mut left = 0;
        for process in others {
            left += 1;
            if process.group != leader {
                table::signal(*process, signals);
            }
        }
        (request.reply)(left);
    }
}
