#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod exit;

use std::sync::Arc;
use std::time::Instant;

use meanwhile_core::{Capabilities, Event, Lifecycle, Report, Spec, Task};
use meanwhile_process::{Leader, LeaderExit, Local, LocalOptions, Mailbox, Running};
use tokio::runtime::Handle;

/// Runs tasks on a tokio runtime.
///
/// Each running task is one small future there: it waits on the runtime's reactor for the end of the
/// process, and on its clock for the deadline. What blocks is done on a few threads of
/// [`meanwhile_process`], never on the runtime's.
///
/// Tasks may be launched from any thread. When the runtime is shut down, its tasks are killed and told as
/// stopped by `shutdown`.
#[derive(Debug, Clone)]
pub struct TokioBackend {
    local: Local,
    runtime: Handle,
}

impl TokioBackend {
    /// On the runtime of the caller.
    ///
    /// # Panics
    ///
    /// If there is none; see [`on`](Self::on).
    #[must_use]
    pub fn current() -> Self {
        Self::on(Handle::current(), LocalOptions::default())
    }

    /// On the runtime of `handle`, whose I/O and time drivers must be enabled.
    #[must_use]
    pub fn on(handle: Handle, options: LocalOptions) -> Self {
        Self {
            local: Local::new(options),
            runtime: handle,
        }
    }
}

impl Lifecycle for TokioBackend {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let mailbox = Mailbox::default();
        let runtime = self.runtime.clone();
        let task = self
            .local
            .launch(spec, report, mailbox.post(), move |running, exit| {
                let leader = match exit {
                    LeaderExit::Process(leader) => Some(leader),
                    LeaderExit::Job(job) => {
                        // Beside its loop and not within: one that blocks its thread holds up no deadline.
                        let post = mailbox.post();
                        runtime.spawn(async move { post(Event::Exited(job.await)) });
                        None
                    }
                    // There is no other kind. Dropped, and by that killed and told.
                    _ => return,
                };
                runtime.spawn(supervise(running, leader, mailbox));
            });
        Box::new(task)
    }

    fn capabilities(&self) -> Capabilities {
        self.local.capabilities()
    }
}

async fn supervise(mut task: Running, leader: Option<Arc<Leader>>, mailbox: Mailbox) {
    let exit = exit::status(leader);
    tokio::pin!(exit);
    let mut has_exited = false;
    while !task.is_over() {
        let timer = task.timer();
        // In this order: an end that is there goes before a stop that came too late for it.
        tokio::select! {
            biased;
            status = &mut exit, if !has_exited => {
                has_exited = true;
                task.on(Event::Exited(status));
            }
            event = mailbox.next() => task.on(event),
            () = sleep_until(timer) => task.on(Event::Tick),
        }
    }
}

async fn sleep_until(timer: Option<Instant>) {
    match timer {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
