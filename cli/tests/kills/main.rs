//! Whatever is killed at whatever moment, each task is told, once, and truly.
//!
//! `MEANWHILE_KILL_ROUNDS` says how often; `MEANWHILE_SEED` repeats the chances of a run that failed, though not its
//! timing.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod processes;
mod random;
mod round;

use std::env;

use random::Random;
use round::Round;

#[test]
fn every_task_is_told_once_and_truly_whoever_is_killed() {
    let rounds = number("MEANWHILE_KILL_ROUNDS").unwrap_or(20);
    let seed = number("MEANWHILE_SEED").unwrap_or_else(random::seed);
    println!("MEANWHILE_SEED={seed}");
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap().keep();
    println!("in {}", folder.display());
    let mut lost = 0;
    for number in 0..rounds {
        // A store of its own, or that of the rounds before, with all that the kills left in it.
        let state = match random.below(2) {
            0 => folder.join("shared"),
            _ => folder.join(number.to_string()),
        };
        let witness = folder.join(format!("{number}.witness"));
        lost += Round::new(state, witness).run(&mut random);
    }
    println!("{lost} tasks were lost");
    assert!(lost > 0 || rounds < 10, "nothing was killed that mattered");
    // Kept for a look when something failed.
    std::fs::remove_dir_all(folder).unwrap();
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}
