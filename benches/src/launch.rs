//! For how long does a launch hold up its caller?

use std::hint::black_box;
use std::time::Instant;

use crate::contest::Contest;
use crate::panel::Panel;
use crate::runner::{Entrant, Program};

/// The name of the question.
pub const LAUNCH: &str = "launch";

/// Nothing else runs, in a parent of a few MiB.
pub const SMALL: &str = "nothing running";
/// Likewise, but the parent has 2 GiB resident.
pub const BESIDE_BALLAST: &str = "2 GiB resident";
/// Each contender has 1,000 tasks running.
pub const AMONG_MANY: &str = "1,000 running";

/// How much memory a large parent holds.
const LARGE: usize = 2 << 30;

/// How many tasks run in the third condition.
const MANY: usize = 1_000;

/// Asks all `entrants`: with nothing running in a small parent, in one of 2 GiB, and with 1,000 tasks running for each.
///
/// What was launched ends, and the caller knows of it, before the next is launched; that is not counted. Who has no
/// room for so many sits out the last.
pub fn launch(panel: &mut impl Panel, entrants: &mut [Entrant]) {
    let rounds = panel.effort().choose(1, 1, 60, 150);
    panel.ask(returns(SMALL, rounds, entrants.iter_mut()));

    let size = panel.effort().choose(LARGE >> 6, LARGE, LARGE, LARGE);
    // Written to, so that every page is there.
    let ballast = vec![1_u8; size];
    panel.ask(returns(BESIDE_BALLAST, rounds, entrants.iter_mut()));
    drop(black_box(ballast));

    let many = panel.effort().choose(10, MANY, MANY, MANY);
    let mut stoppable: Vec<&mut Entrant> = entrants
        .iter_mut()
        .filter(|entrant| entrant.runner.room() > many)
        .collect();
    for entrant in &mut stoppable {
        (0..many).for_each(|_| entrant.runner.launch(Program::Sleep));
    }
    let rounds = panel.effort().choose(1, 1, 20, 60);
    panel.ask(returns(
        AMONG_MANY,
        rounds,
        stoppable.iter_mut().map(|entrant| &mut **entrant),
    ));
    for entrant in stoppable {
        entrant.runner.stop_all();
    }
}

fn returns<'a>(
    condition: &str,
    rounds: usize,
    entrants: impl Iterator<Item = &'a mut Entrant>,
) -> Contest<'a> {
    let contest = Contest::new(LAUNCH, condition).rounds(rounds);
    contest.entrants(entrants, |runner| {
        let before = Instant::now();
        runner.launch(Program::True);
        let held_up = before.elapsed();
        runner.ended();
        held_up
    })
}
