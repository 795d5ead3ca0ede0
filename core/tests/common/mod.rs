//! A backend and a queue that do what a test says.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod backend;
pub(crate) mod queue;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use meanwhile_core::{Handle, Owner, Spec, Tasks};

/// Far longer than any of this takes: who waits for so long waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Tasks on a backend that runs each of them until the test ends it.
pub(crate) fn tasks() -> (Tasks, backend::Backend, queue::List) {
    tasks_on(backend::Backend::new())
}

pub(crate) fn tasks_on(backend: backend::Backend) -> (Tasks, backend::Backend, queue::List) {
    let queue = queue::List::new();
    let tasks = Tasks::new(backend.clone(), queue.clone());
    (tasks, backend, queue)
}

#[track_caller]
pub(crate) fn launch(tasks: &Tasks, command: &str) -> Handle {
    tasks.launch(Spec::shell(command)).expect("a valid spec")
}

/// The commands of all that is pending for the default owner, drained and acknowledged.
pub(crate) fn told(tasks: &Tasks) -> Vec<String> {
    let drained = tasks.inbox(Owner::default()).drain();
    let commands = drained
        .iter()
        .map(|item| item.command.to_string())
        .collect();
    drained.acknowledge();
    commands
}

/// A job that a backend of these tests never runs.
#[derive(Debug)]
pub(crate) struct Idle;

#[meanwhile_core::async_trait]
impl meanwhile_core::Job for Idle {
    async fn run(&self, _: meanwhile_core::JobContext) -> Result<(), meanwhile_core::JobError> {
        Ok(())
    }
}

/// Which of two threads was first, as the other one saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    First,
    Second,
}

/// Whether this thread came before the end of a task.
pub(crate) fn came(handle: &Handle) -> Came {
    match handle.exit() {
        None => Came::First,
        Some(_) => Came::Second,
    }
}

/// Has two threads do these at once, for each of so many things that `make` makes. Whoever came first is held
/// back a little in the next round, so that the two meet within nanoseconds most of the time.
pub(crate) fn race<T: Send + Sync, R>(
    rounds: usize,
    make: impl Fn() -> T,
    one: impl Fn(&T) + Sync,
    other: impl Fn(&T, usize) -> (Came, R),
    check: impl Fn(&T, R),
) {
    let arrived = AtomicUsize::new(0);
    let (arrived, one) = (&arrived, &one);
    thread::scope(|scope| {
        let (hand_over, things) = mpsc::channel::<(Arc<T>, usize)>();
        let (done, is_done) = mpsc::channel();
        scope.spawn(move || {
            for (round, (thing, steps)) in things.into_iter().enumerate() {
                meet(arrived, round);
                dawdle(steps);
                one(&thing);
                done.send(()).expect("the other thread waits for it");
            }
        });
        let mut held_back = [0_usize; 2];
        for round in 0..rounds {
            let thing = Arc::new(make());
            let handed_over = hand_over.send((Arc::clone(&thing), held_back[0]));
            handed_over.expect("the other thread waits for it");
            meet(arrived, round);
            dawdle(held_back[1]);
            let (came, result) = other(&thing, round);
            is_done.recv().expect("the other thread did its part");
            check(&thing, result);
            let [early, late] = match came {
                Came::First => [1, 0],
                Came::Second => [0, 1],
            };
            if held_back[late] > 0 {
                held_back[late] -= 1;
            } else {
                held_back[early] += 1;
            }
        }
    });
}

/// Spins until both threads are here: any other way of waiting would wake one of them too late.
fn meet(arrived: &AtomicUsize, round: usize) {
    arrived.fetch_add(1, Ordering::AcqRel);
    let mut tries = 0;
    while arrived.load(Ordering::Acquire) < 2 * (round + 1) {
        tries += 1;
        // Where there is no second core for the other thread, it needs this one.
        if tries > 10_000 {
            thread::yield_now();
        }
    }
}

fn dawdle(steps: usize) {
    for step in 0..steps {
        std::hint::black_box(step);
    }
}
