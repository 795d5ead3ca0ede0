//! Very many tasks at once, and too few descriptors.

use std::env;
use std::fs::File;
use std::time::Duration;

use meanwhile_core::{ExitStatus, Lifecycle, OutputFiles, Spec, Stdin};
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

use crate::folder::HOLD;
use crate::process;
use crate::trial::{Needs, Trial};
use crate::wait;

/// How many tasks run at once; ten times as many if `MEANWHILE_TESTKIT_MANY` is set.
pub const MANY: usize = 1_000;
/// How many threads a backend may take for them, however many they are.
pub const MAX_THREADS: usize = 64;

/// A thousand tasks live at once, or as many as the backend declares, on a bounded number of threads;
/// all are told.
pub fn a_thousand_at_once<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::alone(make, Needs::LocalProcesses) else {
        return;
    };
    let factor = if env::var_os("MEANWHILE_TESTKIT_MANY").is_some() {
        10
    } else {
        1
    };
    let many = MANY * factor;
    let at_once = trial
        .tasks
        .capabilities()
        .max_live()
        .map_or(many, |max| max.min(many));
    let threads_before = process::threads();
    let spec = || trial.here(format!("echo >> up-now\n{HOLD}"));
    let handles: Vec<_> = (0..many).map(|_| trial.launch(spec())).collect();
    // Patience is for a few tasks; each further part gets as much again.
    for part in 1..=10 * factor {
        let started = at_once * part / (10 * factor);
        wait::until("all tasks live at once", || {
            trial.folder.lines("up-now").len() >= started
        });
    }
    if let (Some(before), Some(now)) = (threads_before, process::threads()) {
        let added = now.saturating_sub(before);
        assert!(
            added <= MAX_THREADS,
            "{added} threads were added for {at_once} tasks"
        );
    }
    trial.folder.open("gate");
    for handle in &handles {
        assert_eq!(trial.end(handle).status, ExitStatus::Code(0));
    }
    assert_eq!(
        trial.probe.pushed().len(),
        many,
        "one notification for each task"
    );
}

/// A start that the system has no descriptor for is made up for when there are some again.
pub fn a_lack_of_descriptors_passes<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::alone(make, Needs::LocalProcesses) else {
        return;
    };
    // What a backend opens once, it opens here.
    assert_eq!(trial.run(Spec::shell("true")).code(), Some(0));
    let lack = Lack::begin();
    // It needs several: one that the task before gives back a moment late is not enough.
    let spec = Spec::shell("exit 3")
        .output_files(OutputFiles::Split)
        .stdin(Stdin::Bytes(b"input".as_slice().into()));
    let handle = trial.launch(spec);
    // Whoever gives up does so at once. Whoever waits shows nothing, however long this looks.
    let given_up = handle.wait_timeout(Duration::from_millis(300));
    assert_eq!(given_up, None, "the start was given up");
    drop(lack);
    assert_eq!(trial.end(&handle).status, ExitStatus::Code(3));
}

/// No descriptor can be had in this process as long as this is there.
struct Lack {
    before: (rlim_t, rlim_t),
    _all: Vec<File>,
}

impl Lack {
    fn begin() -> Self {
        let before = getrlimit(Resource::RLIMIT_NOFILE).expect("a process knows its limits");
        // A lower limit, so that there are only a few to be taken.
        let soon = process::descriptors() as rlim_t + 16;
        setrlimit(Resource::RLIMIT_NOFILE, soon.min(before.0), before.1)
            .expect("a process may lower its own limit");
        let all = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        Self { before, _all: all }
    }
}

impl Drop for Lack {
    /// Gives them back. The limit goes first: so there are enough at once.
    fn drop(&mut self) {
        let (soft, hard) = self.before;
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("it was the limit before");
    }
}
