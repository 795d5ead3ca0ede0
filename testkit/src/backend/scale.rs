//! P11: very many tasks at once.

use std::env;

use meanwhile_core::{ExitStatus, Lifecycle};

use crate::folder::HOLD;
use crate::process;
use crate::trial::{Needs, Trial};
use crate::wait;

/// How many tasks run at once; ten times as many if `MEANWHILE_TESTKIT_MANY` is set.
pub const MANY: usize = 1_000;
/// How many threads a backend may take for them, however many they are.
pub const MAX_THREADS: usize = 64;

/// P11: a thousand tasks live at once, or as many as the backend declares, on a bounded number of threads;
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
