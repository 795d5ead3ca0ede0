//! How long does it take from the launch of `/bin/true` until its caller knows of its end?

use std::time::Instant;

use crate::contest::Contest;
use crate::panel::Panel;
use crate::runner::{Entrant, Program};

/// The name of the question.
pub const EXIT: &str = "exit";

/// Asks all `entrants`, one task at a time. For ours it is the notification that counts, when it is drained.
pub fn exit(panel: &mut impl Panel, entrants: &mut [Entrant]) {
    let rounds = panel.effort().choose(1, 1, 100, 300);
    let contest = Contest::new(EXIT, "").rounds(rounds);
    panel.ask(contest.entrants(entrants, |runner| {
        let before = Instant::now();
        runner.launch(Program::True);
        runner.ended();
        before.elapsed()
    }));
}
