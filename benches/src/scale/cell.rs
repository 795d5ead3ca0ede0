//! One contender with its tasks, in a process of its own.

use std::env;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::sight::{self, Sight};
use crate::runner::{Entrant, Program, Runner};

/// The first argument of such a process; the name of the contender and the number of tasks follow.
const CELL: &str = "scale-cell";

/// Longer than any contender takes to start its tasks.
const PATIENCE: Duration = Duration::from_secs(300);
/// What is left to be done when the last program runs, such as waiting for it, is done by then.
const SETTLED: Duration = Duration::from_millis(5);

/// What a process writes to its stdout. Times are in seconds; what there was before the first launch does not count.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Findings {
    pub(super) start: f64,
    pub(super) launches: f64,
    pub(super) memory_a_task: f64,
    pub(super) threads: f64,
    pub(super) descriptors: f64,
    pub(super) stop_all: f64,
}

/// If this process was started for [`scale`](crate::scale()), does what it was started for: then returns `true`, and
/// `main` has nothing left to do.
///
/// To be called first in `main`, with how to make the contenders that `scale` is asked with. A runtime that is theirs
/// must be there before: its threads and its memory are not counted.
///
/// # Panics
///
/// If the contender does not do what it is asked. The process that is waited for fails by that.
#[must_use]
pub fn scale_cell(entrants: impl FnOnce() -> Vec<Entrant>) -> bool {
    let args: Vec<String> = env::args().skip(1).collect();
    let [cell, name, live] = args.as_slice() else {
        return false;
    };
    if cell != CELL {
        return false;
    }
    let mut entrant = entrants()
        .into_iter()
        .find(|entrant| entrant.name == *name)
        .expect("both processes make the same contenders");
    start_threads_of_smol();
    let live = live.parse().expect("the other process wrote a number");
    let findings = look_into(&mut *entrant.runner, live);
    serde_json::to_writer(io::stdout(), &findings).expect("the other process reads");
    true
}

/// Has a process of its own find out what `live` tasks cost the contender `name`.
pub(super) fn run(name: &str, live: usize) -> Findings {
    // For what contenders leave behind, such as the output of their tasks.
    let folder = env::temp_dir().join(format!("{CELL}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the system's temporary folder takes folders");
    let output = Command::new(env::current_exe().expect("a running program has a file"))
        .args([CELL, name, &live.to_string()])
        .env("TMPDIR", &folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("what runs already can be executed again");
    fs::remove_dir_all(&folder).expect("nobody else uses this folder");
    let status = output.status;
    assert!(status.success(), "{name} with {live} tasks: {status}");
    serde_json::from_slice(&output.stdout)
        .expect("a program of benchmarks calls `scale_cell` first of all")
}

fn look_into(runner: &mut dyn Runner, live: usize) -> Findings {
    let before = Sight::of_this_process();
    let began = Instant::now();
    (0..live).for_each(|_| runner.launch(Program::Sleep));
    let launches = began.elapsed();
    wait_until_running(live, began);
    let start = began.elapsed();

    thread::sleep(SETTLED);
    let then = Sight::of_this_process();

    let asked = Instant::now();
    runner.stop_all();
    let stop_all = asked.elapsed();
    assert_eq!(sight::children(), 0, "nothing must be left");
    let after = Sight::of_this_process();

    let more = |count: fn(&Sight) -> u64| count(&then).saturating_sub(count(&before)) as f64;
    // Some are only started to stop tasks.
    let threads = then
        .threads
        .max(after.threads)
        .saturating_sub(before.threads);
    Findings {
        start: start.as_secs_f64(),
        launches: launches.as_secs_f64(),
        memory_a_task: more(|sight| sight.memory) / live as f64,
        threads: threads as f64,
        descriptors: more(|sight| sight.descriptors),
        stop_all: stop_all.as_secs_f64(),
    }
}

/// Looks from outside, for all contenders alike: some return from a launch when the program runs, some long before.
fn wait_until_running(live: usize, began: Instant) {
    const LONGEST: Duration = Duration::from_millis(200);
    loop {
        let running = sight::children();
        if running >= live {
            return;
        }
        let elapsed = began.elapsed();
        assert!(
            elapsed < PATIENCE,
            "{running} of {live} run after {elapsed:?}"
        );
        // A look at thousands takes milliseconds from those who start them. So it comes again after half of the time
        // that seems to be left: a few times in all, and close to the end.
        let left = elapsed.as_secs_f64() * (live - running) as f64 / running.max(1) as f64;
        thread::sleep(Duration::from_secs_f64(left / 2.0).min(LONGEST));
    }
}

/// Those of its executor and of its reactor, which it starts when they are first needed: they belong to the runtime.
fn start_threads_of_smol() {
    smol::block_on(smol::spawn(async {
        smol::Timer::after(Duration::ZERO).await;
    }));
}
