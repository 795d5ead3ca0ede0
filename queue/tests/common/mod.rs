//! What the tests share.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::time::Duration;

use meanwhile_core::{Ending, EventId, Exit, ExitStatus, Notification, NotificationQueue};
use meanwhile_core::{Owner, TaskId};
use meanwhile_queue::MemoryQueue;

/// A lease that does not run out while a test runs.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// The end of a new task.
pub(crate) fn ending(owner: &Owner, command: &str) -> Notification {
    let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
    Notification::ended(TaskId::random(), owner.clone(), command, exit)
}

/// Pushes the ends of new tasks with these commands.
pub(crate) fn push_all(queue: &MemoryQueue, owner: &Owner, commands: &[&str]) -> Vec<EventId> {
    let push = |command: &&str| {
        let ending = ending(owner, command);
        let event = ending.event_id;
        queue.push(ending);
        event
    };
    commands.iter().map(push).collect()
}

/// The commands of all that is pending, drained on a long lease.
pub(crate) fn drain_all(queue: &MemoryQueue, owner: &Owner) -> Vec<String> {
    commands(&queue.drain(owner, usize::MAX, LONG))
}

pub(crate) fn commands(items: &[Notification]) -> Vec<String> {
    items.iter().map(|item| item.command.to_string()).collect()
}
