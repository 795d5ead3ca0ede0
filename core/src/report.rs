//! A backend's write half.

use std::sync::Arc;

use crate::admission::{Shared, Slot};
use crate::record::Record;
use crate::{Ending, Milestone, NotificationQueue, ProcessId, TaskId};

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
}

impl Report {
    pub(crate) fn new(record: Arc<Record>, shared: Arc<Shared>) -> Self {
        Self {
            id: record.id,
            open: Some(Open { record, shared }),
        }
    }

    /// The task that this is about.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// It runs now.
    pub fn started(&self) {
        self.start(None);
    }

    /// Whether somebody keeps by which process a task is led. If not, [`started`](Self::started) is as good as
    /// [`started_as`](Self::started_as).
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        let queue = self.open.as_ref().map(|open| open.shared.queue());
        queue.is_some_and(NotificationQueue::keeps_records)
    }

    /// It runs now, led by this process: if this program dies, whoever comes after finds by it what is left.
    pub fn started_as(&self, leader: ProcessId) {
        self.start(Some(leader));
    }

    fn start(&self, leader: Option<ProcessId>) {
        if let Some(open) = &self.open
            && let Some(at) = open.record.mark_started()
        {
            let milestone = Milestone::Started { at, leader };
            open.shared.queue().record(self.id, milestone);
        }
    }

    /// It ended: pushes the notification, publishes the exit, wakes the waiters, in this order.
    ///
    /// If tasks wait for their turn, the backend's [`launch`](crate::Lifecycle::launch) may be called from within
    /// this, on the same thread: hold no lock of yours that it takes.
    ///
    /// Called while [`Lifecycle::launch`](crate::Lifecycle::launch) still runs, it leaves that to the moment
    /// after, so that whoever sees the exit can read the output.
    pub fn exited(mut self, ending: Ending) {
        self.finish(ending);
    }

    fn finish(&mut self, ending: Ending) {
        if let Some(Open { record, shared }) = self.open.take() {
            let exit = record.exit_from(ending);
            if let Some(exit) = record.keep_until_attached(exit) {
                shared.end(&record, exit, Slot::Taken);
            }
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.finish(Ending::lost());
    }
}
