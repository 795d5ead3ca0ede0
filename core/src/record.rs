//! The shared record of one task: what [`Tasks`](crate::Tasks), handles and the report see of it.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use event_listener::Event;

use crate::{Ending, Exit, Notification, Outcome, Output, Owner, Spec, Stop, Stream, Task, TaskId};
use crate::{Milestone, NotificationQueue, Notify};

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: TaskId,
    pub(crate) spec: Arc<Spec>,
    /// Made at the launch: it may be a job's own code that says it, and that must not run when the end is told.
    command: String,
    pub(crate) launched_at: SystemTime,
    /// Notified once the exit is published.
    pub(crate) ended: Event,
    started: OnceLock<(SystemTime, Instant)>,
    exit: OnceLock<Exit>,
    output: OnceLock<Arc<dyn Output>>,
    control: Mutex<Control>,
    told_by: Mutex<ToldBy>,
}

#[derive(Debug)]
enum Control {
    /// Not handed to the backend yet, or just now. Stops that come now are kept for it, in order; an end
    /// that it reports before it has its control half and these stops is kept as well.
    Waiting {
        stops: Vec<Stop>,
        exit: Option<Exit>,
    },
    Live {
        task: Arc<dyn Task>,
        stop_asked: bool,
    },
    Ended,
}

/// Who tells the ending to the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToldBy {
    /// The queue: a task in the background.
    Queue,
    /// Whoever waits for it: a task in the foreground.
    Holder,
    /// Nobody any more: the holder has.
    Told,
}

impl Record {
    pub(crate) fn new(id: TaskId, spec: Spec, command: String, told_by: ToldBy) -> Self {
        Self {
            id,
            command,
            spec: Arc::new(spec),
            launched_at: SystemTime::now(),
            ended: Event::new(),
            started: OnceLock::new(),
            exit: OnceLock::new(),
            output: OnceLock::new(),
            control: Mutex::new(Control::Waiting {
                stops: Vec::new(),
                exit: None,
            }),
            told_by: Mutex::new(told_by),
        }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.spec.owner
    }

    pub(crate) fn exit(&self) -> Option<&Exit> {
        self.exit.get()
    }

    pub(crate) fn started_at(&self) -> Option<SystemTime> {
        self.started.get().map(|(at, _)| *at)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match (self.exit(), self.started.get()) {
            (Some(exit), _) => exit.duration,
            (None, Some((_, since))) => since.elapsed(),
            (None, None) => Duration::ZERO,
        }
    }

    pub(crate) fn output(&self) -> Option<&Arc<dyn Output>> {
        self.output.get()
    }

    pub(crate) fn is_stop_asked(&self) -> bool {
        match &*lock(&self.control) {
            Control::Waiting { stops, .. } => !stops.is_empty(),
            Control::Live { stop_asked, .. } => *stop_asked,
            Control::Ended => false,
        }
    }

    /// The backend has it, and with it the output.
    pub(crate) fn set_output(&self, output: Arc<dyn Output>) {
        // A task is handed over once, so there is none yet.
        let _ = self.output.set(output);
    }

    /// The backend has it now. Gives back the end that was kept, if it is over already.
    pub(crate) fn attach(&self, task: Box<dyn Task>) -> Option<Exit> {
        let task: Arc<dyn Task> = Arc::from(task);
        let mut passed = 0;
        loop {
            let stop = {
                let mut control = lock(&self.control);
                let Control::Waiting { stops, exit } = &mut *control else {
                    return None;
                };
                let exit = exit.take();
                match stops.get(passed) {
                    Some(stop) if exit.is_none() => *stop,
                    // Only when all that were kept are passed on: one that comes meanwhile is kept behind them, and
                    // overtakes none.
                    _ => {
                        let stop_asked = !stops.is_empty();
                        *control = Control::Live { task, stop_asked };
                        return exit;
                    }
                }
            };
            passed += 1;
            // A backend that panics at a stop has the task all the same, and gets the next one.
            let _ = catch_unwind(AssertUnwindSafe(|| task.stop(stop)));
        }
    }

    /// The backend panicked: there will be no control half. Gives back the end that was kept.
    pub(crate) fn attach_nothing(&self) -> Option<Exit> {
        let mut control = lock(&self.control);
        let Control::Waiting { exit, .. } = &mut *control else {
            return None;
        };
        let exit = exit.take();
        *control = Control::Ended;
        exit
    }

    /// Keeps the end until the control half is here, and with it the output. Gives it back if it is.
    pub(crate) fn keep_until_attached(&self, end: Exit) -> Option<Exit> {
        match &mut *lock(&self.control) {
            Control::Waiting { exit, .. } => {
                *exit = Some(end);
                None
            }
            Control::Live { .. } | Control::Ended => Some(end),
        }
    }

    /// Passes a stop on, or keeps it until the backend has the task. Says whether it was kept.
    pub(crate) fn stop(&self, stop: Stop) -> StopPassed {
        let task = match &mut *lock(&self.control) {
            Control::Waiting { stops, .. } => {
                stops.push(stop);
                return StopPassed::Kept;
            }
            Control::Live { task, stop_asked } => {
                *stop_asked = true;
                Arc::clone(task)
            }
            Control::Ended => return StopPassed::PassedOn,
        };
        task.stop(stop);
        StopPassed::PassedOn
    }

    /// The first stop that waits for the backend to have the task.
    pub(crate) fn kept_stop(&self) -> Option<Stop> {
        match &*lock(&self.control) {
            Control::Waiting { stops, .. } => stops.first().copied(),
            Control::Live { .. } | Control::Ended => None,
        }
    }

    /// Says when it was, the first time. A second report of the start is a backend's mistake that changes nothing.
    pub(crate) fn mark_started(&self) -> Option<SystemTime> {
        let now = SystemTime::now();
        let is_first = self.started.set((now, Instant::now())).is_ok();
        is_first.then_some(now)
    }

    /// Tells the queue that there is such a task now.
    pub(crate) fn record_launch(&self, queue: &dyn NotificationQueue) {
        let milestone = Milestone::Launched {
            spec: &self.spec,
            command: &self.command,
            at: self.launched_at,
        };
        queue.record(self.id, milestone);
    }

    /// Tells the queue where the output goes.
    pub(crate) fn record_output(&self, queue: &dyn NotificationQueue) {
        let path = |stream| self.output().and_then(|output| output.path(stream));
        let milestone = Milestone::Accepted {
            stdout: path(Stream::Stdout),
            stderr: path(Stream::Stderr),
        };
        queue.record(self.id, milestone);
    }

    /// Push, then publish, then wake: whoever sees the exit finds the notification.
    pub(crate) fn end(&self, exit: Exit, queue: &dyn NotificationQueue) {
        match self.publish_to_holder(exit) {
            Ok(exit) => queue.record(self.id, Milestone::Ended(exit)),
            Err(exit) => {
                self.push(&exit, queue);
                self.publish(exit);
            }
        }
        // The backend's control half is dropped with nothing locked.
        let _control = mem::replace(&mut *lock(&self.control), Control::Ended);
        self.ended.notify(usize::MAX);
    }

    /// Publishes under the lock, so that a holder who lets go right now sees that there is an ending to push.
    /// Gives the exit back if there is no holder; there will be none later on either.
    fn publish_to_holder(&self, exit: Exit) -> Result<&Exit, Exit> {
        let told_by = lock(&self.told_by);
        if *told_by != ToldBy::Holder {
            return Err(exit);
        }
        Ok(self.publish(exit))
    }

    pub(crate) fn has_holder(&self) -> bool {
        *lock(&self.told_by) == ToldBy::Holder
    }

    /// The holder lets go: the ending goes to the queue, now if it is there already.
    pub(crate) fn detach(&self, queue: &dyn NotificationQueue) {
        let exit = {
            let mut told_by = lock(&self.told_by);
            if *told_by != ToldBy::Holder {
                return;
            }
            *told_by = ToldBy::Queue;
            self.exit.get()
        };
        if let Some(exit) = exit {
            self.push(exit, queue);
        }
    }

    /// The holder has told the ending; there is nothing left for the queue.
    pub(crate) fn forget_holder(&self) {
        *lock(&self.told_by) = ToldBy::Told;
    }

    fn publish(&self, exit: Exit) -> &Exit {
        // The report is consumed by its end, so this is the only one.
        self.exit.get_or_init(|| exit)
    }

    fn push(&self, exit: &Exit, queue: &dyn NotificationQueue) {
        if self.spec.notify == Notify::OnFailure && exit.outcome() == Outcome::Completed {
            queue.record(self.id, Milestone::Ended(exit));
            return;
        }
        let path = self.output().and_then(|output| output.path(Stream::Stdout));
        let notification = Notification::ended(
            self.id,
            self.spec.owner.clone(),
            &self.command,
            exit.clone(),
        )
        .described(self.spec.description.as_deref())
        .with_output_path(path.map(ToOwned::to_owned));
        queue.push(notification);
    }

    /// What is known of an end that came just now.
    pub(crate) fn exit_from(&self, ending: Ending) -> Exit {
        let mut exit = Exit::new(ending);
        if let Some((at, since)) = self.started.get() {
            exit.started_at = Some(*at);
            exit.duration = since.elapsed();
        }
        exit
    }
}

/// What became of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopPassed {
    PassedOn,
    Kept,
}

/// Locks, whatever a panic elsewhere did: every critical section of this crate leaves its data whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
