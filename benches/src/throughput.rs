//! How long does it take to get through many short tasks, some of which run at once?

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::contest::Contest;
use crate::panel::Panel;
use crate::runner::{Entrant, Program, Runner, StdProcess};
use crate::series::Role;

/// The name of the question.
pub const THROUGHPUT: &str = "throughput";

/// The least that can be done on so many threads: each spawns and waits, over and over.
pub const STD_LOOPS: [&str; 3] = [
    "std loop, 1 thread",
    "std loop, 2 threads",
    "std loop, 4 threads",
];

/// How many tasks the whole batch has. In a row of criterion and in a test it has fewer.
const BATCH: usize = 2_000;

/// How many tasks may be under way: launched, and not known to have ended.
const WINDOW: usize = 64;

/// Asks all `entrants`, and [`STD_LOOPS`] beside them, for the time from the first launch until all ends are known.
///
/// An entrant is called from one thread, and what he does on others is his own affair. Ours do more for each task than
/// any of the others: it has a session of its own, its output is captured in files, and it counts when its notification
/// was drained.
pub fn throughput(panel: &mut impl Panel, entrants: &mut [Entrant]) {
    let count = panel.effort().choose(8, BATCH / 10, BATCH, BATCH);
    let rounds = panel.effort().choose(1, 1, 1, 2);
    let contest = Contest::new(THROUGHPUT, "").rounds(rounds);
    let loops = STD_LOOPS.into_iter().zip([1, 2, 4]);
    let contest = loops.fold(contest, |contest, (name, threads)| {
        contest.contender(Role::Floor, name, move || std_loop(threads, count))
    });
    panel.ask(contest.entrants(entrants, |runner| windowed(runner, count)));
}

/// Has `runner` run `count` tasks. As soon as some are known to have ended, as many are launched.
fn windowed(runner: &mut dyn Runner, count: usize) -> Duration {
    let before = Instant::now();
    let (mut launched, mut ended) = (0, 0);
    while ended < count {
        while launched < count.min(ended + WINDOW) {
            runner.launch(Program::True);
            launched += 1;
        }
        ended += runner.ended();
    }
    assert_eq!(ended, count, "each end is told of once");
    before.elapsed()
}

/// `count` times spawn and wait, on as many threads. A thread that is done with one takes the next that is left, so that
/// none is idle as long as there is any.
fn std_loop(threads: usize, count: usize) -> Duration {
    let before = Instant::now();
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut runner = StdProcess::default();
                while taken.fetch_add(1, Ordering::Relaxed) < count {
                    runner.launch(Program::True);
                    runner.ended();
                }
            });
        }
    });
    before.elapsed()
}
