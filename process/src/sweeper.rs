//! Going through the trees of tasks: signalling and counting.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use meanwhile_core::{Sweep, TaskId};
use rustix::process::Signal;

use crate::leader::Leader;
use crate::lock;
use crate::registry::Registry;
use crate::table::{self, Entry, Life};
use crate::tree;
use crate::workers::Workers;

/// One sweep of one task's tree.
pub(crate) struct Request {
    pub(crate) id: TaskId,
    pub(crate) leader: Arc<Leader>,
    pub(crate) sweep: Sweep,
    /// Gets the number of processes that were alive at the look, the leader not counted.
    pub(crate) reply: Box<dyn FnOnce(u32) + Send>,
}

impl Request {
    /// A reply may get as far as a host's queue. Its panic costs the one task that it is about, and not those whose
    /// sweeps wait behind it.
    fn answer(self, left: u32) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.reply)(left)));
    }
}

/// Carries sweeps out, one at a time. Those that come while one is at work are done together after it: one look
/// at the process table serves them all, so that stopping ten thousand tasks takes a few looks.
///
/// It has a thread of its own, `meanwhile-sweep-1`: where the system has no room for another process, spawners
/// wait, and the tasks that would make room must be stopped all the same.
pub(crate) struct Sweeper {
    thread: Workers,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pending: Vec<Request>,
    is_at_work: bool,
}

impl Sweeper {
    pub(crate) fn new() -> Self {
        Self {
            thread: Workers::new("meanwhile-sweep", 1),
            state: Arc::default(),
        }
    }

    pub(crate) fn submit(&self, request: Request, registry: &Arc<Registry>) {
        let was_at_work = {
            let mut state = lock(&self.state);
            state.pending.push(request);
            std::mem::replace(&mut state.is_at_work, true)
        };
        if !was_at_work {
            let (state, registry) = (Arc::clone(&self.state), Arc::clone(registry));
            self.thread.submit(move || {
                while let Some(requests) = take(&state) {
                    carry_out(requests, &registry);
                }
            });
        }
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}

fn take(state: &Mutex<State>) -> Option<Vec<Request>> {
    let mut state = lock(state);
    // Within the lock: a request that comes from now on finds nobody at it, and calls the thread.
    state.is_at_work = !state.pending.is_empty();
    state.is_at_work.then(|| std::mem::take(&mut state.pending))
}

/// Carries all of them out. A look is not of one moment: who forks and ends in the middle of it may be seen dead, and the
/// child not at all. So where the leader has ended and nobody is found, there is another look unless that is certain.
fn carry_out(requests: Vec<Request>, registry: &Registry) {
    const LOOKS: usize = 3;
    let mut open = requests;
    for _ in 1..LOOKS {
        open = look(open, registry)
            .into_iter()
            .filter_map(|(request, left)| {
                let is_settled = left > 0
                    || request.leader.status().is_none()
                    || tree::is_certainly_gone(request.id, &request.leader, registry);
                if is_settled {
                    request.answer(left);
                    return None;
                }
                Some(request)
            })
            .collect();
        if open.is_empty() {
            return;
        }
    }
    for (request, left) in look(open, registry) {
        request.answer(left);
    }
}

/// Looks once, then signals and counts for each request. The look comes first: a child whose parent dies of
/// the signal cannot be found by its ancestry any more.
fn look(requests: Vec<Request>, registry: &Registry) -> Vec<(Request, u32)> {
    let tasks: Vec<_> = requests
        .iter()
        .map(|request| (request.id, &*request.leader))
        .collect();
    let trees = tree::find(&tasks, registry).ok();
    let mut trees = trees.map(Vec::into_iter);
    let swept = requests.into_iter().map(|request| {
        let leader = &request.leader;
        let signals = signal_group(leader, request.sweep);
        let left = match trees.as_mut().and_then(Iterator::next) {
            Some(tree) => signal_others(&tree, leader, &signals),
            // Nothing could be seen. Nobody is taken for gone by that while there is a group.
            None => u32::from(!leader.is_group_empty()),
        };
        (request, left)
    });
    swept.collect()
}

/// Sends the group what the sweep is about, and says which signals that is.
pub(crate) fn signal_group(leader: &Leader, sweep: Sweep) -> Vec<Signal> {
    let signals = signals(sweep);
    for signal in &signals {
        leader.signal_group(*signal);
    }
    signals
}

fn signals(sweep: Sweep) -> Vec<Signal> {
    match sweep {
        Sweep::Terminate => vec![Signal::TERM, Signal::CONT],
        // Whoever asks for a signal that is none gets the usual one.
        Sweep::Signal(number) => {
            let polite = Signal::from_named_raw(number).unwrap_or(Signal::TERM);
            vec![polite, Signal::CONT]
        }
        Sweep::Kill => vec![Signal::KILL],
        _ => Vec::new(),
    }
}

/// Signals those that left the group, and counts all but the leader.
fn signal_others(tree: &[Entry], leader: &Leader, signals: &[Signal]) -> u32 {
    let others = tree
        .iter()
        .filter(|entry| entry.life == Life::Alive && entry.pid != leader.id());
    let mut left = 0;
    for process in others {
        left += 1;
        if process.group != leader.id() {
            table::signal(*process, signals);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::sync::mpsc;
    use std::time::Duration;

    use rustix::process::Pid;

    use super::*;

    fn request(child: &Child, reply: impl FnOnce() + Send + 'static) -> Request {
        Request {
            id: TaskId::random(),
            leader: Arc::new(Leader::new(Pid::from_child(child), None)),
            sweep: Sweep::Count,
            reply: Box::new(move |_| reply()),
        }
    }

    #[test]
    fn a_reply_that_panics_costs_no_other_its_own() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let (sweeper, registry) = (Sweeper::new(), Arc::default());
        let submit = |reply: Box<dyn FnOnce() + Send>| {
            sweeper.submit(request(&child, reply), &registry);
        };
        let (replied, replies) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        submit(Box::new(move || {
            let _ = may_go_on.recv();
        }));
        // While that one holds the thread up: these two are carried out together.
        submit(Box::new(|| panic!("a host's code")));
        let neighbour = replied.clone();
        submit(Box::new(move || neighbour.send("with it").unwrap()));
        drop(go_on);
        let with_it = replies.recv_timeout(Duration::from_secs(60));
        submit(Box::new(move || replied.send("after it").unwrap()));
        let after_it = replies.recv_timeout(Duration::from_secs(60));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!([with_it, after_it], [Ok("with it"), Ok("after it")]);
    }
}
