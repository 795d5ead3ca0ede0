//! Handing out what is pending: from the database, and from memory while nothing can be written.

use std::sync::Arc;
use std::time::Duration;

use meanwhile_core::{Notification, Owner};

use super::backlog::Settled;
use super::change::Change;
use super::error::StoreError;
use super::shared::{Shared, lock};
use super::{clock, pending};

impl Shared {
    pub(super) fn pending(self: &Arc<Self>, owner: &Owner) -> usize {
        if self.settle() == Settled::Written {
            let action = "cannot count what is pending";
            if let Ok(count) = self.with(action, |db| pending::count(db, owner)) {
                return count;
            }
        }
        self.pending_in_memory(owner).len()
    }

    pub(super) fn drain(
        self: &Arc<Self>,
        owner: &Owner,
        max: usize,
        lease: Duration,
    ) -> Vec<Notification> {
        let _one_at_a_time = lock(&self.draining);
        if self.settle() == Settled::Written {
            match self.drain_database(owner, max, lease) {
                Ok(items) => return items,
                Err(error) => self.warn(&error.to_string()),
            }
        }
        // Better told twice, by two processes that cannot tell one another, than not at all.
        let mut items = self.pending_in_memory(owner);
        items.truncate(max);
        if !items.is_empty() {
            self.submit(Change::Leased {
                owner: owner.clone(),
                events: items.iter().map(|item| item.event_id).collect(),
                until: clock::after(clock::now(), lease),
            });
        }
        items
    }

    fn drain_database(
        &self,
        owner: &Owner,
        max: usize,
        lease: Duration,
    ) -> Result<Vec<Notification>, StoreError> {
        // Most turns find nothing, and need neither a name nor a transaction for it.
        let first = self.with("cannot look for what is pending", |db| {
            pending::first(db, owner, 1)
        })?;
        if first.is_empty() {
            return Ok(first);
        }
        let process = self.ownership()?;
        let items = self.with("cannot take what is pending", |db| {
            pending::lease(db, owner, max, lease, process.name())
        })?;
        self.announce();
        Ok(items)
    }

    /// While nothing can be written: what the database has, with what it does not have yet.
    fn pending_in_memory(&self, owner: &Owner) -> Vec<Notification> {
        let unwritten = self.backlog.unwritten();
        let in_database = self
            .with("cannot look for what is pending", |db| {
                pending::first(db, owner, usize::MAX)
            })
            .unwrap_or_default();
        pending::with_unwritten(in_database, &unwritten, owner)
    }
}
