//! What is left of a task whose loop is gone.

use std::sync::Arc;
use std::time::Duration;

use meanwhile_core::{EndedBy, ExitStatus, Sweep, Verdict};
use rustix::process::Signal;

use crate::leader::Leader;
use crate::local::Parts;
use crate::running::Untold;
use crate::sweeper::Request;

/// How often the tree is looked at after the first time: a fork bomb may need more than once.
const LOOKS: u32 = 20;
/// How long a killed leader is waited for between two looks.
const PATIENCE: Duration = Duration::from_millis(100);

/// Kills what is left and has the end told. The group is killed when this returns; the rest is up to the sweeper,
/// whose one look serves all the tasks of a loop that ended.
pub(crate) fn clear_away(
    leader: Arc<Leader>,
    stopped_by: Option<EndedBy>,
    untold: Untold,
    parts: Arc<Parts>,
) {
    let (sweep, ended_by) = match (stopped_by, leader.status()) {
        // It had ended by itself, and nobody was there to see it. Its survivors are left alone.
        (None, Some(_)) => (Sweep::Count, EndedBy::Itself),
        (by, _) => (Sweep::Kill, by.unwrap_or(EndedBy::Shutdown)),
    };
    if sweep == Sweep::Kill {
        leader.signal_group(Signal::KILL);
    }
    Remains {
        leader,
        ended_by,
        untold,
        parts,
    }
    .sweep(sweep, LOOKS);
}

struct Remains {
    leader: Arc<Leader>,
    ended_by: EndedBy,
    untold: Untold,
    parts: Arc<Parts>,
}

impl Remains {
    fn sweep(self, sweep: Sweep, looks: u32) {
        let (id, leader, parts) = (
            self.untold.id(),
            Arc::clone(&self.leader),
            Arc::clone(&self.parts),
        );
        let reply = Box::new(move |left| self.swept(sweep, left, looks));
        parts.sweeper.submit(
            Request {
                id,
                leader,
                sweep,
                reply,
            },
            &parts.registry,
        );
    }

    fn swept(self, sweep: Sweep, left: u32, looks: u32) {
        self.leader.wait_for_exit(PATIENCE);
        if sweep == Sweep::Kill && left > 0 && looks > 0 {
            return self.sweep(sweep, looks - 1);
        }
        let status = self.leader.status().unwrap_or(ExitStatus::Lost);
        self.leader.reap();
        self.parts.registry.remove(&self.leader);
        self.untold.tell(Verdict {
            status,
            ended_by: self.ended_by,
            survivors: left,
        });
    }
}
