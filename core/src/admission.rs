//! The tasks behind `Tasks`: which there are, who waits, who may start.

use std::collections::hash_map::{Entry, VacantEntry};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_listener::{Event, EventListener};

use crate::record::{Record, ToldBy, lock};
use crate::report::Report;
use crate::{EndedBy, Ending, Exit, ExitStatus, Handle, LaunchError, Lifecycle, NotificationQueue};
use crate::{Shutdown, Spec, Stop, TaskId, Work};

/// What all handles of the tasks of one program share.
#[derive(Debug)]
pub(crate) struct Shared {
    lifecycle: Arc<dyn Lifecycle>,
    queue: Arc<dyn NotificationQueue>,
    max_live: usize,
    keep_ended: usize,
    /// Notified when the last live task ended.
    idle: Event,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    records: HashMap<TaskId, Listed>,
    launched: u64,
    /// Accepted, in order, and not handed to the backend yet.
    waiting: VecDeque<Arc<Record>>,
    /// The oldest first.
    ended: VecDeque<TaskId>,
    /// With the backend.
    live: usize,
    /// Launched, and the end not told yet.
    not_over: usize,
    admission: Admission,
    door: Door,
}

#[derive(Debug)]
struct Listed {
    number: u64,
    record: Arc<Record>,
}

/// Whether an ended task was with the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Taken,
    None,
}

/// Whether a thread is handing tasks to the backend. One at a time does, so that the order is kept, and a
/// backend that ends a task within `launch` does not recurse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Admission {
    #[default]
    Idle,
    Busy,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Door {
    #[default]
    Open,
    /// No further launches; what runs is stopped when the last `Tasks` is dropped.
    Closed,
    /// No further launches; what runs is left alone.
    Left,
}

impl Shared {
    pub(crate) fn new(
        lifecycle: Arc<dyn Lifecycle>,
        queue: Arc<dyn NotificationQueue>,
        max_running: usize,
        keep_ended: usize,
    ) -> Self {
        let own_limit = lifecycle.capabilities().max_live().unwrap_or(usize::MAX);
        let max_live = max_running.min(own_limit).max(1);
        Self {
            lifecycle,
            queue,
            max_live,
            keep_ended,
            idle: Event::new(),
            ledger: Mutex::default(),
        }
    }

    pub(crate) fn lifecycle(&self) -> &dyn Lifecycle {
        &*self.lifecycle
    }

    pub(crate) fn shared_queue(&self) -> Arc<dyn NotificationQueue> {
        Arc::clone(&self.queue)
    }

    pub(crate) fn get(self: &Arc<Self>, id: TaskId) -> Option<Handle> {
        let record = lock(&self.ledger)
            .records
            .get(&id)
            .map(|listed| Arc::clone(&listed.record));
        record.map(|record| self.handle(record))
    }

    /// In the order of the launches.
    pub(crate) fn list(self: &Arc<Self>) -> Vec<Handle> {
        let mut listed: Vec<_> = {
            let ledger = lock(&self.ledger);
            ledger
                .records
                .values()
                .map(|listed| (listed.number, Arc::clone(&listed.record)))
                .collect()
        };
        listed.sort_by_key(|(number, _)| *number);
        listed
            .into_iter()
            .map(|(_, record)| self.handle(record))
            .collect()
    }

    /// Nobody is left who could stop what runs: it is killed, unless it was to be left.
    pub(crate) fn abandon(self: &Arc<Self>) {
        if lock(&self.ledger).door != Door::Left {
            self.shutdown(Shutdown::Stop(Some(Duration::ZERO)));
        }
    }

    pub(crate) fn queue(&self) -> &dyn NotificationQueue {
        &*self.queue
    }

    pub(crate) fn handle(self: &Arc<Self>, record: Arc<Record>) -> Handle {
        Handle::new(record, Arc::clone(self))
    }

    pub(crate) fn launch(
        self: &Arc<Self>,
        id: Option<TaskId>,
        spec: Spec,
        told_by: ToldBy,
    ) -> Result<Handle, LaunchError> {
        spec.validate().map_err(LaunchError::invalid)?;
        let can = self.lifecycle.capabilities();
        match spec.work {
            Work::Job(_) if !can.jobs() => return Err(LaunchError::unsupported("jobs")),
            Work::Shell { .. } | Work::Program { .. } if !can.commands() => {
                return Err(LaunchError::unsupported("commands"));
            }
            _ => {}
        }
        // With nothing locked: a job's own code may say it.
        let command = spec.command();
        let record = self.enlist(id, spec, command, told_by)?;
        // Recorded before anything is started, so that nothing runs that nobody knows of.
        record.record_launch(&*self.queue);
        let is_late = {
            let mut ledger = lock(&self.ledger);
            let is_late = ledger.door != Door::Open;
            if !is_late {
                ledger.waiting.push_back(Arc::clone(&record));
            }
            is_late
        };
        if is_late {
            // A shutdown began in between. Its id may be known by now, so this is told like any other end.
            self.end_unstarted(&record, EndedBy::Shutdown);
        } else {
            // A stop that came before it was in line found nothing there to end, and was kept.
            if let Some(stop) = record.kept_stop() {
                self.end_if_waiting(&record, stop.by);
            }
            self.admit();
        }
        Ok(self.handle(record))
    }

    fn enlist(
        &self,
        id: Option<TaskId>,
        spec: Spec,
        command: String,
        told_by: ToldBy,
    ) -> Result<Arc<Record>, LaunchError> {
        let mut ledger = lock(&self.ledger);
        if ledger.door != Door::Open {
            return Err(LaunchError::closed());
        }
        let Ledger {
            records,
            launched,
            not_over,
            ..
        } = &mut *ledger;
        let place = match id {
            Some(id) => vacant(records, id).ok_or_else(LaunchError::taken)?,
            None => loop {
                if let Some(place) = vacant(records, TaskId::random()) {
                    break place;
                }
            },
        };
        let record = Arc::new(Record::new(*place.key(), spec, command, told_by));
        *launched += 1;
        *not_over += 1;
        place.insert(Listed {
            number: *launched,
            record: Arc::clone(&record),
        });
        Ok(record)
    }

    /// Hands waiting tasks to the backend while there is room.
    fn admit(self: &Arc<Self>) {
        let mut turn = {
            let mut ledger = lock(&self.ledger);
            if ledger.admission == Admission::Busy {
                return;
            }
            ledger.admission = Admission::Busy;
            AdmissionTurn {
                shared: self,
                over: false,
            }
        };
        while let Some(record) = turn.next() {
            let report = Report::new(Arc::clone(&record), Arc::clone(self));
            let hand_over = || {
                let task = self.lifecycle.launch(Arc::clone(&record.spec), report);
                record.set_output(task.output());
                // While an end is still kept: whoever is told of it knows the files.
                record.record_output(&*self.queue);
                record.attach(task)
            };
            // A backend that panics has dropped the report: the task is told as lost. Those who wait behind it
            // have no part in that, nor has this thread, which may be anybody's.
            let exit = catch_unwind(AssertUnwindSafe(hand_over))
                .unwrap_or_else(|_| record.attach_nothing());
            if let Some(exit) = exit {
                self.end(&record, exit, Slot::Taken);
            }
        }
    }

    /// Ends a task that no backend has yet; one that is being handed over right now keeps the stop.
    pub(crate) fn end_if_waiting(self: &Arc<Self>, record: &Arc<Record>, by: EndedBy) {
        let was_waiting = {
            let waiting = &mut lock(&self.ledger).waiting;
            let place = waiting.iter().position(|other| Arc::ptr_eq(other, record));
            place.and_then(|place| waiting.remove(place)).is_some()
        };
        if was_waiting {
            self.end_unstarted(record, by);
        }
    }

    fn end_unstarted(self: &Arc<Self>, record: &Record, by: EndedBy) {
        let ending = Ending::of(ExitStatus::NeverStarted).ended_by(by);
        self.end(record, record.exit_from(ending), Slot::None);
    }

    /// Tells an end. Then forgets the oldest ended task if there are too many, and lets the next one in.
    pub(crate) fn end(self: &Arc<Self>, record: &Record, exit: Exit, slot: Slot) {
        record.end(exit, &*self.queue);
        let (forgotten, is_idle) = {
            let mut ledger = lock(&self.ledger);
            if slot == Slot::Taken {
                ledger.live -= 1;
            }
            ledger.not_over -= 1;
            ledger.ended.push_back(record.id);
            let excess = ledger.ended.len().saturating_sub(self.keep_ended);
            let oldest: Vec<_> = ledger.ended.drain(..excess).collect();
            let forget = |id| ledger.records.remove(&id);
            let forgotten: Vec<_> = oldest.into_iter().filter_map(forget).collect();
            (forgotten, ledger.not_over == 0)
        };
        // With nothing locked: a job that is dropped here may hold the last `Tasks`.
        drop(forgotten);
        if is_idle {
            self.idle.notify(usize::MAX);
        } else {
            self.admit();
        }
    }

    pub(crate) fn shutdown(self: &Arc<Self>, how: Shutdown) {
        let by = EndedBy::Shutdown;
        let (unstarted, records) = {
            let mut ledger = lock(&self.ledger);
            ledger.door = if how == Shutdown::Leave {
                Door::Left
            } else {
                Door::Closed
            };
            let records: Vec<_> = match how {
                Shutdown::Wait => return,
                Shutdown::Leave => Vec::new(),
                Shutdown::Stop(_) => ledger
                    .records
                    .values()
                    .map(|l| Arc::clone(&l.record))
                    .collect(),
            };
            (std::mem::take(&mut ledger.waiting), records)
        };
        for record in unstarted {
            self.end_unstarted(&record, by);
        }
        if let Shutdown::Stop(grace) = how {
            for record in records {
                let mut stop = Stop::by(by);
                stop.grace = grace;
                record.stop(stop);
            }
        }
    }

    pub(crate) fn not_over(&self) -> usize {
        lock(&self.ledger).not_over
    }

    /// Listens first and looks second, so that no end falls between.
    pub(crate) fn listen_if_live(&self) -> Option<EventListener> {
        if self.not_over() == 0 {
            return None;
        }
        let listener = self.idle.listen();
        (self.not_over() > 0).then_some(listener)
    }
}

/// The place of this id, if nobody has it.
fn vacant(
    records: &mut HashMap<TaskId, Listed>,
    id: TaskId,
) -> Option<VacantEntry<'_, TaskId, Listed>> {
    match records.entry(id) {
        Entry::Vacant(place) => Some(place),
        Entry::Occupied(_) => None,
    }
}

/// One thread's turn at handing tasks over. Ends also if a queue panics, or nobody would ever again.
struct AdmissionTurn<'a> {
    shared: &'a Arc<Shared>,
    over: bool,
}

impl AdmissionTurn<'_> {
    fn next(&mut self) -> Option<Arc<Record>> {
        let mut ledger = lock(&self.shared.ledger);
        if ledger.live < self.shared.max_live
            && let Some(record) = ledger.waiting.pop_front()
        {
            ledger.live += 1;
            return Some(record);
        }
        // Within the lock: a task that comes from now on finds nobody at it, and is admitted by its own thread.
        ledger.admission = Admission::Idle;
        self.over = true;
        None
    }
}

impl Drop for AdmissionTurn<'_> {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.shared.ledger).admission = Admission::Idle;
        }
    }
}
