#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod event_loop;
mod jobs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use meanwhile_core::{Capabilities, Lifecycle, Report, Spec, Task};
use meanwhile_process::{Local, LocalOptions, Post};

use crate::event_loop::EventLoop;

/// Runs tasks on plain OS threads.
///
/// One thread, `meanwhile-wait`, waits for the ends and deadlines of all tasks. It is started with the first
/// task and ends when the last backend of the loop is dropped and the last task is over. Jobs are polled on
/// another, `meanwhile-jobs`: one that blocks holds up the others. What else blocks is done on a few threads
/// of [`meanwhile_process`].
#[derive(Debug, Clone)]
pub struct ThreadBackend {
    local: Local,
    event_loop: EventLoop,
}

impl ThreadBackend {
    /// With the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(LocalOptions::default())
    }

    /// With settings.
    #[must_use]
    pub fn with_options(options: LocalOptions) -> Self {
        Self {
            local: Local::new(options),
            event_loop: EventLoop::default(),
        }
    }
}

impl Default for ThreadBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifecycle for ThreadBackend {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let mailbox = self.event_loop.mailbox();
        let post: Post = {
            let mailbox = mailbox.clone();
            Arc::new(move |event| mailbox.post(event))
        };
        let task = self.local.launch(spec, report, post, move |running, exit| {
            mailbox.supervise(running, exit)
        });
        Box::new(task)
    }

    fn capabilities(&self) -> Capabilities {
        self.local.capabilities()
    }
}

/// Locks, whatever a panic elsewhere did: every critical section of this crate leaves its data whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The example of the project's own README runs here.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectReadme;
