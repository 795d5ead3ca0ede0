//! What callers hold: the launching and keeping of all tasks.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_listener::{Event, EventListener};

use crate::blocking::Deadline;
use crate::record::{Record, ToldBy, lock};
use crate::report::Report;
use crate::{Attached, EndedBy, Ending, Exit, ExitStatus, Handle, Inbox, Lifecycle};
use crate::{NotificationQueue, Owner, Spec, SpecError, Stop, TaskId, Work};

/// All tasks of one program: launches them on a backend and has their endings told through a queue.
///
/// Cheap to clone; clones are the same tasks. When the last clone is dropped, every task that still runs is
/// killed, unless [`shutdown`](Self::shutdown) said otherwise; their endings are pushed as those of any
/// other stop. Handles do not count.
///
/// ```no_run
/// # fn backend() -> impl meanwhile_core::Lifecycle { unimplemented!() as std::sync::Arc<dyn meanwhile_core::Lifecycle> }
/// # fn queue() -> impl meanwhile_core::NotificationQueue { unimplemented!() as std::sync::Arc<dyn meanwhile_core::NotificationQueue> }
/// use meanwhile_core::{Owner, Spec, Tasks};
///
/// let tasks = Tasks::new(backend(), queue());
/// let handle = tasks.launch(Spec::shell("npm test"))?;
/// println!("{} runs in the background", handle.id());
/// // ... the agent goes on; at its next turn:
/// for ended in tasks.inbox(Owner::default()).drain().iter() {
///     println!("{}: {}", ended.command, ended.exit.outcome());
/// }
/// # Ok::<(), meanwhile_core::LaunchError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tasks {
    shared: Arc<Shared>,
    _last: Arc<StopOnDrop>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    lifecycle: Arc<dyn Lifecycle>,
    queue: Arc<dyn NotificationQueue>,
    max_live: usize,
    keep_ended: usize,
    /// Notified when the last live task ended.
    idle: Event,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
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

/// What becomes of the tasks when their program ends.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// All are stopped, with this grace, or that of their specs.
    Stop(Option<Duration>),
    /// All run to their end, queued ones too.
    Wait,
    /// What runs is left running, what is queued is stopped, and nothing is stopped later on. A backend of
    /// this process stops supervising them when the process ends.
    Leave,
}

/// So many tasks were not over in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining(pub usize);

impl fmt::Display for Remaining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tasks were not over in time", self.0)
    }
}

impl std::error::Error for Remaining {}

impl Tasks {
    /// Tasks on `lifecycle`, told through `queue`, with the defaults of [`TasksBuilder`].
    pub fn new(lifecycle: impl Lifecycle, queue: impl NotificationQueue) -> Self {
        Self::builder(lifecycle, queue).build()
    }

    /// Likewise, with settings.
    pub fn builder(lifecycle: impl Lifecycle, queue: impl NotificationQueue) -> TasksBuilder {
        TasksBuilder {
            lifecycle: Arc::new(lifecycle),
            queue: Arc::new(queue),
            max_running: usize::MAX,
            keep_ended: TasksBuilder::DEFAULT_KEEP_ENDED,
        }
    }

    /// Launches a task in the background and returns without waiting for its start. Exactly one
    /// notification follows.
    ///
    /// # Errors
    ///
    /// If the spec is invalid, the backend cannot do such work, or a shutdown has begun. Nothing was
    /// launched then, there is no id, and nothing that runs is disturbed.
    pub fn launch(&self, spec: Spec) -> Result<Handle, LaunchError> {
        self.shared.launch(spec, ToldBy::Queue)
    }

    /// Launches a task in the foreground: its ending goes to the holder of what is returned, and to the
    /// queue only if that is dropped or detached.
    ///
    /// # Errors
    ///
    /// As [`launch`](Self::launch).
    pub fn launch_attached(&self, spec: Spec) -> Result<Attached, LaunchError> {
        self.shared.launch(spec, ToldBy::Holder).map(Attached::new)
    }

    /// The task of this id, running or ended.
    #[must_use]
    pub fn get(&self, id: TaskId) -> Option<Handle> {
        let record = lock(&self.shared.state)
            .records
            .get(&id)
            .map(|listed| Arc::clone(&listed.record));
        record.map(|record| self.shared.handle(record))
    }

    /// All tasks, in the order in which they were launched: queued, running, and the ended ones that are
    /// kept.
    #[must_use]
    pub fn list(&self) -> Vec<Handle> {
        let mut listed: Vec<_> = {
            let state = lock(&self.shared.state);
            state
                .records
                .values()
                .map(|listed| (listed.number, Arc::clone(&listed.record)))
                .collect()
        };
        listed.sort_by_key(|(number, _)| *number);
        listed
            .into_iter()
            .map(|(_, record)| self.shared.handle(record))
            .collect()
    }

    /// The inbox of `owner`.
    #[must_use]
    pub fn inbox(&self, owner: Owner) -> Inbox {
        Inbox::new(Arc::clone(&self.shared.queue), owner)
    }

    /// How many tasks are queued or running. Unlike [`list`](Self::list) it costs the same however many
    /// there are.
    #[must_use]
    pub fn live(&self) -> usize {
        self.shared.not_over()
    }

    /// What the backend can do.
    #[must_use]
    pub fn capabilities(&self) -> crate::Capabilities {
        self.shared.lifecycle.capabilities()
    }

    /// Begins the end: refuses further launches and treats the tasks as `how` says. Returns at once; see
    /// [`wait_idle`](Self::wait_idle). May be called again, to stop what was waited for.
    pub fn shutdown(&self, how: Shutdown) {
        self.shared.shutdown(how);
    }

    /// Waits until no task is queued or running.
    pub async fn wait_idle(&self) {
        while let Some(listener) = self.shared.listen_if_live() {
            listener.await;
        }
    }

    /// Blocks the thread until no task is queued or running, for at most `bound`.
    ///
    /// # Errors
    ///
    /// Says how many are left when the bound has passed.
    pub fn wait_idle_timeout(&self, bound: Duration) -> Result<(), Remaining> {
        let deadline = Deadline::after(bound);
        while let Some(listener) = self.shared.listen_if_live() {
            if !deadline.wait(listener) {
                let left = self.shared.not_over();
                return if left == 0 {
                    Ok(())
                } else {
                    Err(Remaining(left))
                };
            }
        }
        Ok(())
    }
}

impl Shared {
    pub(crate) fn queue(&self) -> &dyn NotificationQueue {
        &*self.queue
    }

    fn handle(self: &Arc<Self>, record: Arc<Record>) -> Handle {
        Handle::new(record, Arc::clone(self))
    }

    fn launch(self: &Arc<Self>, spec: Spec, told_by: ToldBy) -> Result<Handle, LaunchError> {
        spec.validate().map_err(LaunchError::invalid)?;
        let can = self.lifecycle.capabilities();
        match spec.work {
            Work::Job(_) if !can.jobs() => return Err(LaunchError::unsupported("jobs")),
            Work::Shell { .. } | Work::Program { .. } if !can.commands() => {
                return Err(LaunchError::unsupported("commands"));
            }
            _ => {}
        }
        let record = {
            let mut state = lock(&self.state);
            if state.door != Door::Open {
                return Err(LaunchError::closed());
            }
            let id = std::iter::repeat_with(TaskId::random)
                .find(|id| !state.records.contains_key(id))
                .expect("an endless iterator of random ids has a new one");
            let record = Arc::new(Record::new(id, spec, told_by));
            state.launched += 1;
            state.not_over += 1;
            let number = state.launched;
            state.records.insert(
                id,
                Listed {
                    number,
                    record: Arc::clone(&record),
                },
            );
            state.waiting.push_back(Arc::clone(&record));
            record
        };
        self.admit();
        Ok(self.handle(record))
    }

    /// Hands waiting tasks to the backend while there is room.
    fn admit(self: &Arc<Self>) {
        let mut turn = {
            let mut state = lock(&self.state);
            if state.admission == Admission::Busy {
                return;
            }
            state.admission = Admission::Busy;
            AdmissionTurn {
                shared: self,
                over: false,
            }
        };
        while let Some(record) = turn.next() {
            let report = Report::new(Arc::clone(&record), Arc::clone(self));
            let hand_over = || {
                let task = self.lifecycle.launch(Arc::clone(&record.spec), report);
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
            let mut state = lock(&self.state);
            let place = state
                .waiting
                .iter()
                .position(|other| Arc::ptr_eq(other, record));
            place
                .and_then(|place| state.waiting.remove(place))
                .is_some()
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
            let mut state = lock(&self.state);
            if slot == Slot::Taken {
                state.live -= 1;
            }
            state.not_over -= 1;
            state.ended.push_back(record.id);
            let excess = state.ended.len().saturating_sub(self.keep_ended);
            let oldest: Vec<_> = state.ended.drain(..excess).collect();
            let forget = |id| state.records.remove(&id);
            let forgotten: Vec<_> = oldest.into_iter().filter_map(forget).collect();
            (forgotten, state.not_over == 0)
        };
        // With nothing locked: a job that is dropped here may hold the last `Tasks`.
        drop(forgotten);
        if is_idle {
            self.idle.notify(usize::MAX);
        } else {
            self.admit();
        }
    }

    fn shutdown(self: &Arc<Self>, how: Shutdown) {
        let by = EndedBy::Shutdown;
        let (unstarted, records) = {
            let mut state = lock(&self.state);
            state.door = if how == Shutdown::Leave {
                Door::Left
            } else {
                Door::Closed
            };
            if how == Shutdown::Wait {
                return;
            }
            let unstarted = std::mem::take(&mut state.waiting);
            let records: Vec<_> = match how {
                Shutdown::Stop(_) => state
                    .records
                    .values()
                    .map(|l| Arc::clone(&l.record))
                    .collect(),
                Shutdown::Wait | Shutdown::Leave => Vec::new(),
            };
            (unstarted, records)
        };
        for record in unstarted {
            self.end_unstarted(&record, by);
        }
        if let Shutdown::Stop(grace) = how {
            for record in records {
                record.stop(Stop { by, grace });
            }
        }
    }

    fn not_over(&self) -> usize {
        lock(&self.state).not_over
    }

    /// Listens first and looks second, so that no end falls between.
    fn listen_if_live(&self) -> Option<EventListener> {
        if self.not_over() == 0 {
            return None;
        }
        let listener = self.idle.listen();
        (self.not_over() > 0).then_some(listener)
    }
}

/// One thread's turn at handing tasks over. Ends also if a queue panics, or nobody would ever again.
struct AdmissionTurn<'a> {
    shared: &'a Arc<Shared>,
    over: bool,
}

impl AdmissionTurn<'_> {
    fn next(&mut self) -> Option<Arc<Record>> {
        let mut state = lock(&self.shared.state);
        if state.live < self.shared.max_live
            && let Some(record) = state.waiting.pop_front()
        {
            state.live += 1;
            return Some(record);
        }
        // Within the lock: a task that comes from now on finds nobody at it, and is admitted by its own thread.
        state.admission = Admission::Idle;
        self.over = true;
        None
    }
}

impl Drop for AdmissionTurn<'_> {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.shared.state).admission = Admission::Idle;
        }
    }
}

/// Dropped with the last [`Tasks`]: nothing is left running without anybody who could stop it.
#[derive(Debug)]
struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if lock(&self.0.state).door != Door::Left {
            self.0.shutdown(Shutdown::Stop(Some(Duration::ZERO)));
        }
    }
}

/// Settings of [`Tasks`].
#[derive(Debug)]
pub struct TasksBuilder {
    lifecycle: Arc<dyn Lifecycle>,
    queue: Arc<dyn NotificationQueue>,
    max_running: usize,
    keep_ended: usize,
}

impl TasksBuilder {
    /// How many ended tasks are kept readable by default.
    pub const DEFAULT_KEEP_ENDED: usize = 10_000;

    /// Runs at most this many tasks at once; the others wait as `Queued`, in order. At least one runs.
    #[must_use]
    pub fn max_running(mut self, max: usize) -> Self {
        self.max_running = max.max(1);
        self
    }

    /// Keeps this many ended tasks readable; the oldest are forgotten first. Their notifications are not
    /// touched by that.
    #[must_use]
    pub fn keep_ended(mut self, count: usize) -> Self {
        self.keep_ended = count;
        self
    }

    /// Makes the tasks.
    #[must_use]
    pub fn build(self) -> Tasks {
        let own_limit = self
            .lifecycle
            .capabilities()
            .max_live()
            .unwrap_or(usize::MAX);
        let shared = Arc::new(Shared {
            lifecycle: self.lifecycle,
            queue: self.queue,
            max_live: self.max_running.min(own_limit).max(1),
            keep_ended: self.keep_ended,
            idle: Event::new(),
            state: Mutex::default(),
        });
        let last = Arc::new(StopOnDrop(Arc::clone(&shared)));
        Tasks {
            shared,
            _last: last,
        }
    }
}

/// A launch that did not happen. There is no id and there will be no notification.
#[derive(Debug)]
pub struct LaunchError {
    kind: LaunchErrorKind,
    source: Option<SpecError>,
}

/// Why a launch did not happen.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchErrorKind {
    /// The spec is invalid; the source names the field.
    Invalid,
    /// The backend cannot do such work.
    Unsupported(&'static str),
    /// A shutdown has begun.
    ShuttingDown,
}

impl LaunchError {
    fn invalid(source: SpecError) -> Self {
        Self {
            kind: LaunchErrorKind::Invalid,
            source: Some(source),
        }
    }

    fn unsupported(what: &'static str) -> Self {
        Self {
            kind: LaunchErrorKind::Unsupported(what),
            source: None,
        }
    }

    fn closed() -> Self {
        Self {
            kind: LaunchErrorKind::ShuttingDown,
            source: None,
        }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> LaunchErrorKind {
        self.kind
    }

    /// The field that is wrong, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.source.as_ref().map(SpecError::field)
    }
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.source) {
            (LaunchErrorKind::Unsupported(what), _) => {
                write!(f, "nothing launched: this backend does not run {what}")
            }
            (LaunchErrorKind::ShuttingDown, _) => {
                f.write_str("nothing launched: a shutdown has begun")
            }
            (LaunchErrorKind::Invalid, Some(source)) => write!(f, "nothing launched: {source}"),
            (LaunchErrorKind::Invalid, None) => {
                f.write_str("nothing launched: the spec is invalid")
            }
        }
    }
}

impl std::error::Error for LaunchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
