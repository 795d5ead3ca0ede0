//! What does it cost to pass the endings of tasks from those who see them to the agent's next turn?

mod channel;
mod line;

use std::sync::{Barrier, mpsc as std_mpsc};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{Ending, Exit, ExitStatus, Inbox, Notification, Owner, TaskId};
use tokio::sync::mpsc as tokio_mpsc;

use self::channel::Batches;
use self::line::{Guarded, Line};
use crate::contest::{Contest, Reading};
use crate::panel::Panel;
use crate::series::{Role, Unit};

/// The name of the question.
pub const QUEUE: &str = "queue";

/// One thread pushes 40,000 while another takes, until all have arrived.
const ONE_PRODUCER: &str = "1 producer";
/// Four threads push 10,000 each while another takes, likewise.
pub const FOUR_PRODUCERS: &str = "4 producers";
/// A turn that finds nothing.
const NONE_PENDING: &str = "0 pending";
/// A turn that finds one ending.
const ONE_PENDING: &str = "1 pending";
/// A burst of 1,000, and the turn that finds it.
pub const BURST: &str = "1,000 pending";
/// A turn that finds 100,000.
const MANY_PENDING: &str = "100,000 pending";

/// Until the turn has all that was pending, as one slice.
pub const DRAIN: &str = "drain";
/// Until the turn is rid of what it took: ours acknowledges, all drop.
const ACKNOWLEDGE_AND_DROP: &str = "acknowledge+drop";
/// Until all is pushed that the turn will find.
const PUSH: &str = "push";

/// The name of ours.
pub const MEMORY_QUEUE: &str = "MemoryQueue";
/// What it is compared with first: a list behind a lock, which promises nothing.
const LIST: &str = "Mutex<Vec>";
/// A peer that a target names.
pub const CROSSBEAM: &str = "crossbeam-channel";
/// Another one: bounded, and items are taken one by one.
pub const TOKIO: &str = "tokio mpsc";
/// Likewise, but unbounded.
pub const TOKIO_UNBOUNDED: &str = "tokio unbounded";

/// How many fit into a bounded channel, unless more are to be pending.
const ROOM: usize = 1_024;

/// Asks everybody who passes items from thread to thread. The items are the same for all: a [`Notification`] is 200 bytes,
/// and its command lies elsewhere. In a stream each is dropped as soon as it has arrived, by whoever took it.
///
/// Ours does more than a channel: an ending that was drained stays in the queue, on lease, until it is acknowledged, and
/// comes back if it is not; each owner has a line; any number may wait. What the lease costs is what ours takes longer than
/// the list from drained to dropped.
///
/// Ours is unbounded, as are the list and one of tokio's channels. The others have room for 1,024, or for all that is to
/// be pending, and block whoever finds none. Channels hand out one item after the other; those that can hand out many at
/// once take part a second time, `in batches`.
pub fn queue(panel: &mut impl Panel) {
    let effort = panel.effort();

    let rounds = effort.choose(1, 1, 7, 12);
    let items = effort.choose(100, 40_000, 40_000, 40_000);
    for (condition, producers) in [(ONE_PRODUCER, 1), (FOUR_PRODUCERS, 4)] {
        let work = Work::Stream { producers, items };
        panel.ask(contest(condition, rounds, work));
    }

    for (condition, pending) in [(NONE_PENDING, 0), (ONE_PENDING, 1), (BURST, 1_000)] {
        let turns = effort.choose(1, 10, 10, 10);
        let rounds = effort.choose(1, 1, 20, 30);
        let work = Work::Turns { turns, pending };
        panel.ask(contest(condition, rounds, work));
    }
    let pending = effort.choose(1_000, 100_000, 100_000, 100_000);
    let rounds = effort.choose(1, 1, 3, 4);
    let work = Work::Turns { turns: 1, pending };
    panel.ask(contest(MANY_PENDING, rounds, work));
}

fn contest(condition: &str, rounds: usize, work: Work) -> Contest<'static> {
    use Role::{Floor, Ours, Peer};
    Contest::new(QUEUE, condition)
        .rounds(rounds)
        .contender(Floor, LIST, work.on::<Guarded>())
        .contender(Ours, MEMORY_QUEUE, work.on::<Inbox>())
        .contender(Peer, CROSSBEAM, work.on::<crossbeam_channel::Receiver<_>>())
        .contender(Peer, "flume", work.on::<flume::Receiver<_>>())
        .contender(
            Peer,
            "flume, in batches",
            work.on::<Batches<flume::Receiver<_>>>(),
        )
        .contender(Peer, "kanal", work.on::<kanal::Receiver<_>>())
        .contender(
            Peer,
            "async-channel",
            work.on::<async_channel::Receiver<_>>(),
        )
        .contender(Peer, TOKIO, work.on::<tokio_mpsc::Receiver<_>>())
        .contender(
            Peer,
            "tokio mpsc, in batches",
            work.on::<Batches<tokio_mpsc::Receiver<_>>>(),
        )
        .contender(
            Peer,
            TOKIO_UNBOUNDED,
            work.on::<tokio_mpsc::UnboundedReceiver<_>>(),
        )
        .contender(
            Peer,
            "tokio unbounded, in batches",
            work.on::<Batches<tokio_mpsc::UnboundedReceiver<_>>>(),
        )
        .contender(Peer, "std mpsc", work.on::<std_mpsc::Receiver<_>>())
}

/// What each line has to carry.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// So many `items`, from so many threads, while another takes them.
    Stream { producers: usize, items: usize },
    /// So many `turns`, each of which finds so many `pending`. What counts is the mean of the turns.
    Turns { turns: u32, pending: usize },
}

impl Work {
    /// Does it on a line of its own, which lasts for all rounds.
    fn on<L: Line>(self) -> Box<dyn FnMut() -> Reading> {
        let owner = Owner::default();
        match self {
            Self::Stream { producers, items } => {
                let (entrance, mut line) = L::open(&owner, ROOM);
                Box::new(move || stream(&entrance, &mut line, &owner, producers, items).into())
            }
            Self::Turns { turns, pending } => {
                let (entrance, mut line) = L::open(&owner, pending.max(ROOM));
                Box::new(move || repeat(&entrance, &mut line, &owner, turns, pending))
            }
        }
    }
}

/// The time from the first push until all have arrived and are dropped.
fn stream<L: Line>(
    entrance: &L::Entrance,
    line: &mut L,
    owner: &Owner,
    producers: usize,
    items: usize,
) -> Duration {
    let start = Barrier::new(producers + 1);
    thread::scope(|scope| {
        let produce = || {
            let entrance = entrance.clone();
            let items = endings(owner, items / producers);
            start.wait();
            let began = Instant::now();
            for item in items {
                L::push(&entrance, item);
            }
            began
        };
        let producers: Vec<_> = (0..producers).map(|_| scope.spawn(produce)).collect();
        start.wait();
        let mut arrived = 0;
        while arrived < items {
            arrived += line.receive();
        }
        let over = Instant::now();
        assert_eq!(arrived, items, "each must arrive once");
        // Not from when this thread was released: by then the others may have pushed a lot.
        let began = producers
            .into_iter()
            .map(|producer| producer.join().expect("nothing refuses an item"));
        over - began.min().unwrap_or(over)
    })
}

fn repeat<L: Line>(
    entrance: &L::Entrance,
    line: &mut L,
    owner: &Owner,
    turns: u32,
    pending: usize,
) -> Reading {
    let (mut pushing, mut draining, mut finishing) = Default::default();
    for _ in 0..turns {
        let [push, drain, finish] = turn(entrance, line, owner, pending);
        pushing += push;
        draining += drain;
        finishing += finish;
    }
    let mean = |time: Duration| (time / turns).as_secs_f64();
    Reading::new()
        .and(DRAIN, Unit::Seconds, mean(draining))
        .and(ACKNOWLEDGE_AND_DROP, Unit::Seconds, mean(finishing))
        .and(PUSH, Unit::Seconds, mean(pushing))
}

/// Pushes, drains and finishes, and says how long each took.
fn turn<L: Line>(
    entrance: &L::Entrance,
    line: &mut L,
    owner: &Owner,
    pending: usize,
) -> [Duration; 3] {
    let items = endings(owner, pending);
    let ends = |items: &[Notification]| {
        let id = |item: &Notification| item.event_id;
        (items.first().map(id), items.last().map(id))
    };
    let pushed = ends(&items);
    let mut items = items.into_iter();

    let before = Instant::now();
    for item in items.by_ref() {
        L::push(entrance, item);
    }
    let push = before.elapsed();

    let before = Instant::now();
    let batch = line.drain();
    let drain = before.elapsed();

    assert_eq!((batch.len(), ends(&batch)), (pending, pushed));

    let before = Instant::now();
    L::finish(batch);
    [push, drain, before.elapsed()]
}

/// So many ends of tasks that succeeded.
fn endings(owner: &Owner, count: usize) -> Vec<Notification> {
    let ending = |_| {
        let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
        Notification::ended(TaskId::random(), owner.clone(), "cargo test", exit)
    };
    (0..count).map(ending).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_as_large_as_is_said() {
        assert_eq!(size_of::<Notification>(), 200);
    }
}
