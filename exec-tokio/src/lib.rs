#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod exit;

use std::sync::Arc;
use std::time::Instant;

use async_task::Runnable;
use meanwhile_core::{Capabilities, Event, Lifecycle, Report, Spec, Task};
use meanwhile_process::{LeaderExit, Local, LocalOptions, Mailbox, Running};
use tokio::runtime::Handle;

use crate::exit::ExitWatch;

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
                // The registration with the reactor asks for it, and so does the first turn of the loop.
                let _context = runtime.enter();
                let watch = match exit {
                    LeaderExit::Process(leader) => Some(ExitWatch::of(leader)),
                    LeaderExit::Job(job) => {
                        // Beside its loop and not within: one that blocks its thread holds up no deadline.
                        let post = mailbox.post();
                        runtime.spawn(async move { post(Event::Exited(job.await)) });
                        None
                    }
                    // There is no other kind. Dropped, and by that killed and told.
                    _ => return,
                };
                // At its end the runtime wakes those who wait for its reactor, but nobody who waits for its clock or for a
                // job: those it must have from the first, to drop them.
                let only_waits = running.timer().is_none()
                    && watch.as_ref().is_some_and(ExitWatch::is_registered);
                let supervise = supervise(running, watch, mailbox);
                if only_waits {
                    begin_here(&runtime, supervise);
                } else {
                    runtime.spawn(supervise);
                }
            });
        Box::new(task)
    }

    fn capabilities(&self) -> Capabilities {
        self.local.capabilities()
    }
}

/// Polls `future` on this thread first, and on the runtime from its first wake-up on: what only waits for the reactor then
/// wakes no thread of the runtime.
fn begin_here(runtime: &Handle, future: impl Future<Output = ()> + Send + 'static) {
    let on_runtime = {
        let runtime = runtime.clone();
        move |turn: Runnable| drop(runtime.spawn(async move { turn.run() }))
    };
    let (first_turn, task) = async_task::spawn(future, on_runtime);
    task.detach();
    first_turn.run();
}

async fn supervise(mut task: Running, watch: Option<ExitWatch>, mailbox: Mailbox) {
    let exited = async {
        match watch {
            Some(watch) => watch.status().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(exited);
    let mut has_exited = false;
    while !task.is_over() {
        let timer = task.timer();
        // In this order: an end that is there goes before a stop that came too late for it.
        tokio::select! {
            biased;
            status = &mut exited, if !has_exited => {
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
