//! What ended meanwhile, handed to the agent's next turn.

use meanwhile_core::{Drained, Inbox, Notification, Tasks};
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
    /// `None` if they were not drained.
    #[serde(skip)]
    drained: Option<Drained>,
}

impl Notifications {
    /// The least budget: with less, a text could not even name what ended.
    const LEAST_BUDGET: usize = 1_000;

    /// Drains `inbox` in a program that does not run the tasks: their output is read from its files. The text
    /// has at most `budget` characters, as that of [`Toolbox::notifications_within`](crate::Toolbox).
    #[must_use = "what is not acknowledged comes back"]
    pub fn from_inbox(inbox: &Inbox, budget: usize) -> Self {
        Self::drain_by(inbox, budget, Source::file_of)
    }

    /// Tells of `endings`, in this order, whoever was told before: nothing is drained, and to acknowledge it
    /// changes nothing.
    #[must_use]
    pub fn of(endings: &[Notification], budget: usize) -> Self {
        Self::tell(endings, budget, Source::file_of)
    }

    pub(crate) fn drain(inbox: &Inbox, tasks: &Tasks, budget: usize) -> Self {
        Self::drain_by(inbox, budget, |ended| match tasks.get(ended.task_id) {
            Some(handle) => Source::Task(handle),
            None => Source::file_of(ended),
        })
    }

    fn drain_by(inbox: &Inbox, budget: usize, source: impl Fn(&Notification) -> Source) -> Self {
        let drained = inbox.drain();
        let mut told = Self::tell(&drained, budget, source);
        told.drained = Some(drained);
        told
    }

    fn tell(
        endings: &[Notification],
        budget: usize,
        source: impl Fn(&Notification) -> Source,
    ) -> Self {
        let budget = budget.max(Self::LEAST_BUDGET);
        let count = text::nameable(endings.len(), budget);
        let remaining = endings.len() - count;
        let told = &endings[..count];
        // More than an equal share of the text: what others leave of theirs is given away.
        let excerpt_limit = (budget.saturating_mul(10) / count.max(1)).clamp(500, 8_000);
        let excerpts: Vec<_> = told
            .iter()
            .map(|ended| Excerpt::read(&source(ended), ended.exit.output.bytes, excerpt_limit))
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
            remaining,
            text: text::render(&ended, remaining, budget),
            drained: None,
        }
    }

    /// They were handed over, and are not told again.
    pub fn acknowledge(self) {
        if let Some(drained) = self.drained {
            drained.acknowledge_first(self.count);
        }
    }
}
