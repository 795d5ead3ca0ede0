//! Notifications to push.

use std::sync::Arc;
use std::time::Duration;

use meanwhile_core::{
    Capabilities, Ending, EventId, Exit, ExitStatus, Lifecycle, NoOutput, Notification,
    NotificationQueue, Output, Owner, Report, Spec, Stop, Task, TaskId, Tasks,
};

/// A lease that no check outlasts.
pub(super) const LEASE: Duration = Duration::from_secs(600);

/// So many endings for one owner, each of another task.
pub(super) fn endings(owner: &Owner, count: usize) -> Vec<Notification> {
    let ending = |n| {
        let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
        Notification::ended(
            TaskId::random(),
            owner.clone(),
            &format!("command {n}"),
            exit,
        )
    };
    (0..count).map(ending).collect()
}

/// Launches a task that has ended when this returns.
pub(super) fn launch(tasks: &Tasks, owner: &Owner) -> meanwhile_core::Handle {
    tasks
        .launch(Spec::shell("true").owner(owner.clone()))
        .expect("the spec is valid")
}

/// Takes up to `max` items and keeps them for longer than the check.
pub(super) fn drain(queue: &impl NotificationQueue, owner: &Owner, max: usize) -> Vec<EventId> {
    ids(&queue.drain(owner, max, LEASE))
}

pub(super) fn ids(items: &[Notification]) -> Vec<EventId> {
    items.iter().map(|item| item.event_id).collect()
}

/// A backend that runs nothing.
#[derive(Debug)]
pub(super) struct EndsAtOnce;

impl Lifecycle for EndsAtOnce {
    fn launch(&self, _: Arc<Spec>, report: Report) -> Box<dyn Task> {
        report.started();
        report.exited(Ending::of(ExitStatus::Code(0)));
        Box::new(Ended)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none().with_commands()
    }
}

#[derive(Debug)]
struct Ended;

impl Task for Ended {
    fn stop(&self, _: Stop) {}

    fn output(&self) -> Arc<dyn Output> {
        Arc::new(NoOutput)
    }
}
