//! A backend's write half.

use std::sync::Arc;

use crate::record::Record;
use crate::tasks::Shared;
use crate::{Ending, TaskId};

/// A backend's write half of one task: says when it started and how it ended.
///
/// It cannot be cloned and is consumed by [`exited`](Self::exited), so a task ends exactly once. Dropped
/// unused (a panic, a runtime that is gone) it ends the task as `Lost`: there is no way to forget a task.
#[derive(Debug)]
pub struct Report {
    /// Taken by the end.
    open: Option<Open>,
    id: TaskId,
}

#[derive(Debug)]
struct Open {
    record: Arc<Record>,
    shared: Arc<Shared>,
    slot: Slot,
}

/// Whether the task counts as live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Taken,
    None,
}

impl Report {
    pub(crate) fn new(record: Arc<Record>, shared: Arc<Shared>, slot: Slot) -> Self {
        Self {
            id: record.id,
            open: Some(Open {
                record,
                shared,
                slot,
            }),
        }
    }

    /// The task that this is about.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// It runs now.
    pub fn started(&self) {
        if let Some(open) = &self.open {
            open.record.mark_started();
        }
    }

    /// It ended: pushes the notification, publishes the exit, wakes the waiters, in this order.
    pub fn exited(mut self, ending: Ending) {
        self.finish(ending);
    }

    fn finish(&mut self, ending: Ending) {
        if let Some(Open {
            record,
            shared,
            slot,
        }) = self.open.take()
        {
            record.end(ending, shared.queue());
            shared.ended(&record, slot);
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.finish(Ending::lost());
    }
}
