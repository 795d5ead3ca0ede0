//! What ended meanwhile, handed to the agent's next turn.

use meanwhile_core::{Drained, Inbox, Tasks};
use serde::Serialize;

use crate::Item;
use crate::excerpt::{Excerpt, Source};
use crate::quote::clean;
use crate::text::{self, Ended};

/// What ended since the last turn, as one text for the model and as data, on lease.
///
/// [`acknowledge`](Self::acknowledge) it once it was handed over. Dropped without, all of it comes back in
/// the next drain. It serializes as `{"count":1,"text":"...","items":[...],"remaining":0}`.
#[non_exhaustive]
#[derive(Debug, Serialize)]
pub struct Notifications {
    /// How many endings it tells.
    pub count: usize,
    /// What the model reads; empty if nothing ended.
    pub text: String,
    /// The same as data, in the order in which the tasks ended.
    pub items: Vec<Item>,
    /// How many endings the text had no room even to name: they stay pending for the next drain.
    pub remaining: usize,
    #[serde(skip)]
    drained: Drained,
}

impl Notifications {
    /// The least budget: with less, a text could not even name what ended.
    const LEAST_BUDGET: usize = 1_000;

    pub(crate) fn drain(inbox: &Inbox, tasks: &Tasks, budget: usize) -> Self {
        let budget = budget.max(Self::LEAST_BUDGET);
        let drained = inbox.drain();
        let count = text::nameable(drained.len(), budget);
        let told = &drained[..count];
        // More than an equal share of the text: what others leave of theirs is given away.
        let excerpt_limit = (budget.saturating_mul(10) / count.max(1)).clamp(500, 8_000);
        let excerpts: Vec<_> = told
            .iter()
            .map(|notification| {
                let source = Source::of(notification, tasks);
                Excerpt::read(&source, notification.exit.output.bytes, excerpt_limit)
            })
            .collect();
        let ended: Vec<_> = told
            .iter()
            .zip(&excerpts)
            .map(|(notification, excerpt)| Ended {
                notification,
                excerpt,
            })
            .collect();
        let items = ended
            .iter()
            .map(|ended| Item::new(ended.notification, ended.excerpt.text(clean, "")));
        Self {
            count,
            items: items.collect(),
            remaining: drained.len() - count,
            text: text::render(&ended, drained.len() - count, budget),
            drained,
        }
    }

    /// They were handed over, and are not told again.
    pub fn acknowledge(self) {
        self.drained.acknowledge_first(self.count);
    }
}
