#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::time::Instant;

use meanwhile_core::{Capabilities, Event, ExitStatus, Lifecycle, Report, Spec, Task};
use meanwhile_process::{Leader, LeaderExit, Local, LocalOptions, Mailbox, Running};
use smol::future::FutureExt;
use smol::{Async, Executor, Timer};

/// Runs tasks on a smol executor.
///
/// Each running task is one small future there: it waits on smol's reactor for the end of the process, and
/// on its clock for the deadline. What blocks is done on a few threads of [`meanwhile_process`], never on
/// the executor's.
///
/// Tasks may be launched from any thread. When a caller's executor is dropped, its tasks are killed and told
/// as stopped by `shutdown`.
#[derive(Debug, Clone)]
pub struct SmolBackend {
    local: Local,
    on: On,
}

#[derive(Debug, Clone)]
enum On {
    Global,
    /// Not kept alive by its own tasks: dropping an executor is how its caller ends them.
    Callers(Weak<Executor<'static>>),
}

impl On {
    /// Without its executor the future is dropped here, and with it the task.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Global => smol::spawn(future).detach(),
            Self::Callers(executor) => {
                if let Some(executor) = executor.upgrade() {
                    executor.spawn(future).detach();
                }
            }
        }
    }
}

impl SmolBackend {
    /// On the global executor of smol, the one of [`smol::spawn`]: one thread, or `SMOL_THREADS`.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(LocalOptions::default())
    }

    /// On the global executor of smol, with settings.
    #[must_use]
    pub fn with_options(options: LocalOptions) -> Self {
        Self {
            local: Local::new(options),
            on: On::Global,
        }
    }

    /// On an executor of the caller's, who keeps and runs it. While nobody does, ends are not seen and
    /// deadlines not kept; once it is dropped, tasks are killed and told, new ones too.
    #[must_use]
    pub fn on(executor: &Arc<Executor<'static>>, options: LocalOptions) -> Self {
        Self {
            local: Local::new(options),
            on: On::Callers(Arc::downgrade(executor)),
        }
    }
}

impl Default for SmolBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifecycle for SmolBackend {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let mailbox = Mailbox::default();
        let on = self.on.clone();
        let task = self
            .local
            .launch(spec, report, mailbox.post(), move |running, exit| {
                let leader = match exit {
                    LeaderExit::Process(leader) => Some(leader),
                    LeaderExit::Job(job) => {
                        // Beside its loop and not within: one that blocks its thread holds up no deadline, if the
                        // executor has another.
                        let post = mailbox.post();
                        on.spawn(async move { post(Event::Exited(job.await)) });
                        None
                    }
                    // There is no other kind. Dropped, and by that killed and told.
                    _ => return,
                };
                on.spawn(supervise(running, leader, mailbox));
            });
        Box::new(task)
    }

    fn capabilities(&self) -> Capabilities {
        self.local.capabilities()
    }
}

async fn supervise(mut task: Running, leader: Option<Arc<Leader>>, mailbox: Mailbox) {
    let mut exit = leader.map(|leader| Box::pin(status(leader)));
    while !task.is_over() {
        let timer = task.timer();
        let exited = async {
            match &mut exit {
                Some(exit) => Event::Exited(exit.await),
                None => smol::future::pending().await,
            }
        };
        let tick = async {
            sleep_until(timer).await;
            Event::Tick
        };
        // In this order: an end that is there goes before a stop that came too late for it.
        let event = exited.or(mailbox.next()).or(tick).await;
        if matches!(event, Event::Exited(_)) {
            exit = None;
        }
        task.on(event);
    }
}

/// Resolves with the status of the leader when it has ended.
async fn status(leader: Arc<Leader>) -> ExitStatus {
    let register = |descriptor: Arc<OwnedFd>| Async::new_nonblocking(descriptor).ok();
    let mut registered = leader.exit_descriptor().and_then(register);
    loop {
        // Asked first: the leader may have ended before the reactor knew of it.
        if let Some(status) = leader.status() {
            return status;
        }
        match registered.take() {
            // Once: kqueue may tell before there is a status, and a reactor need not tell again.
            Some(descriptor) => {
                let _ = descriptor.readable().await;
            }
            // No descriptor, no room in the reactor, or it was told too early. The clock does it, if later.
            None => {
                Timer::after(meanwhile_process::LOOK_AGAIN).await;
            }
        }
    }
}

async fn sleep_until(timer: Option<Instant>) {
    match timer {
        Some(at) => {
            Timer::at(at).await;
        }
        None => smol::future::pending().await,
    }
}
