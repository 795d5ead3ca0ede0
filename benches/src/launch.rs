//! What a launch costs on any backend, and the floor beneath it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use criterion::Criterion;
use meanwhile_core::{Handle, Lifecycle, Owner, Spec, Tasks};
use meanwhile_queue::MemoryQueue;

/// The program that every contender runs: one that ends at once.
const PROGRAM: &str = "true";

/// Measures a launch on `backend`: until it returns, and until its notification is drained.
///
/// One task is live at a time.
///
/// # Panics
///
/// If the backend does not run the program `true` to its end.
pub fn launch(criterion: &mut Criterion, name: &str, backend: impl Lifecycle) {
    let tasks = Tasks::new(backend, MemoryQueue::new());
    let inbox = tasks.inbox(Owner::default());
    let start = || -> Handle {
        tasks
            .launch(Spec::program(PROGRAM))
            .expect("the backend runs programs")
    };
    let drain = || {
        inbox.wait_blocking();
        let ended = inbox.drain();
        assert_eq!(
            ended[0].exit.code(),
            Some(0),
            "a backend must not win by failing"
        );
        ended.acknowledge();
    };
    returns(criterion, name, start, |_| drain());
    drained(criterion, name, || {
        start();
        drain();
    });
}

/// Measures the floor: what the standard library takes for the spawn alone, and for spawn and wait.
///
/// # Panics
///
/// If there is no program `true`.
pub fn launch_floor(criterion: &mut Criterion) {
    let start = || -> Child {
        Command::new(PROGRAM)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("POSIX demands a program `true`")
    };
    let wait = |mut child: Child| {
        child.wait().expect("nobody else waits for this child");
    };
    returns(criterion, "std", start, wait);
    drained(criterion, "std", || wait(start()));
}

/// Times `start` alone; each start is brought to its end before the next.
fn returns<T>(criterion: &mut Criterion, name: &str, start: impl Fn() -> T, end: impl Fn(T)) {
    criterion
        .benchmark_group("launch_returns")
        .bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let mut held_up = Duration::ZERO;
                for _ in 0..rounds {
                    let before = Instant::now();
                    let started = start();
                    held_up += before.elapsed();
                    end(started);
                }
                held_up
            });
        });
}

fn drained(criterion: &mut Criterion, name: &str, whole: impl Fn()) {
    criterion
        .benchmark_group("launch_to_drained")
        .bench_function(name, |bencher| bencher.iter(&whole));
}
