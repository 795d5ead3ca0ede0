//! A started task: what a backend's loop drives.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use meanwhile_core::{
    Action, Cancellation, EndedBy, Ending, Event, ExitStatus, Report, Spec, Stop, Supervision,
    Sweep, TaskId, Ticket, Verdict,
};

use crate::command::Script;
use crate::job::{self, JobFuture};
use crate::leader::Leader;
use crate::local::{Parts, Post};
use crate::remains;
use crate::spool::Spool;
use crate::sweeper::{self, Request};
use crate::tree;
use crate::watcher::Watch;

/// What a loop waits for to learn that the leader ended. It then says so by [`Event::Exited`].
#[non_exhaustive]
#[derive(Debug)]
pub enum LeaderExit {
    /// A process: wait until [`Leader::exit_descriptor`] is readable, then ask [`Leader::status`].
    Process(Arc<Leader>),
    /// A job: poll it.
    Job(JobFuture),
}

/// A started task, driven by a backend's loop until it [is over](Self::is_over).
///
/// Dropped before that (the runtime ends, the loop panics), it kills the group at once and leaves the rest to the
/// threads of [`Local`](crate::Local): what left the group is killed, the leader reaped, and the end told, as one by
/// shutdown unless the leader had ended, or a stop had begun, before.
pub struct Running {
    supervision: Supervision,
    exit_seen: bool,
    body: Body,
    /// Taken by the end.
    untold: Option<Untold>,
    parts: Arc<Parts>,
    post: Post,
}

/// What runs.
#[derive(Debug)]
pub(crate) enum Body {
    Process(Arc<Leader>),
    Job {
        cancel: Cancellation,
        kill: Cancellation,
    },
}

impl Running {
    pub(crate) fn new(
        spec: &Spec,
        report: Report,
        body: Body,
        script: Option<Script>,
        spool: Arc<Spool>,
        parts: Arc<Parts>,
        post: Post,
    ) -> Self {
        let mut supervision = Supervision::new(spec);
        supervision.on(Event::Started, Instant::now());
        let stop_for_output = {
            let post = Arc::clone(&post);
            move || post(Event::Stop(Stop::by(EndedBy::OutputLimit)))
        };
        let watch = parts
            .watcher
            .watch(Arc::clone(&spool), Box::new(stop_for_output));
        let untold = Untold {
            report,
            script,
            spool,
            watch,
        };
        Self {
            supervision,
            exit_seen: false,
            body,
            untold: Some(untold),
            parts,
            post,
        }
    }

    /// When to pass an [`Event::Tick`] in; `None` while nothing is due.
    #[must_use]
    pub fn timer(&self) -> Option<Instant> {
        self.supervision.timer()
    }

    /// Whether all is done and told, and the loop may forget it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.supervision.is_over()
    }

    /// Takes an event in and does what follows from it. Never blocks.
    pub fn on(&mut self, event: Event) {
        match event {
            Event::Exited(status) => self.exited(status),
            Event::Stop(_) | Event::Tick => {
                // A leader that ended by itself before the stop or the deadline was not ended by it, whichever
                // of the two its loop learns of first.
                if let Body::Process(leader) = &self.body
                    && !self.exit_seen
                    && let Some(status) = leader.status()
                {
                    self.exited(status);
                }
                self.act_on(event);
            }
            other => self.act_on(other),
        }
    }

    fn exited(&mut self, status: ExitStatus) {
        if std::mem::replace(&mut self.exit_seen, true) {
            return;
        }
        // A leader that was killed from outside the loop did not end by itself either: the event of its stop is
        // still on its way.
        if let Body::Process(leader) = &self.body
            && let Some(stop) = leader.killed_for()
        {
            self.act_on(Event::Stop(stop));
        }
        self.act_on(Event::Exited(status));
    }

    fn act_on(&mut self, event: Event) {
        let mut next = self.supervision.on(event, Instant::now());
        while let Some(action) = next.take() {
            match action {
                Action::Sweep(sweep, ticket) => {
                    if let Some(left) = self.sweep(sweep, ticket) {
                        next = self
                            .supervision
                            .on(Event::Swept(ticket, left), Instant::now());
                    }
                }
                Action::Finish(verdict) => self.finish(verdict),
                _ => {}
            }
        }
        // Only what was abandoned is still to be reaped: its report went out long before.
        if self.supervision.is_over()
            && let Body::Process(leader) = &self.body
        {
            leader.reap();
        }
    }

    /// Sweeps the tree; the number of those left, if it is known at once, else posted later.
    fn sweep(&self, sweep: Sweep, ticket: Ticket) -> Option<u32> {
        match (&self.body, sweep) {
            (Body::Job { cancel, .. }, Sweep::Terminate | Sweep::Signal(_)) => cancel.ask(),
            (Body::Job { kill, .. }, Sweep::Kill) => kill.ask(),
            (Body::Job { .. }, _) => {}
            (Body::Process(leader), _) => {
                let id = self.untold.as_ref().map(Untold::id)?;
                if !self.supervision.is_stopping() {
                    leader.reap();
                }
                if self.exit_seen && tree::is_certainly_gone(id, leader, &self.parts.registry) {
                    // Nobody was seen; but until the leader is reaped its group is there, and a signal to it was asked for.
                    sweeper::signal_group(leader, sweep);
                    return Some(0);
                }
                let post = Arc::clone(&self.post);
                let reply = Box::new(move |left| post(Event::Swept(ticket, left)));
                let request = Request {
                    id,
                    leader: Arc::clone(leader),
                    sweep,
                    reply,
                };
                self.parts.sweeper.submit(request, &self.parts.registry);
                return None;
            }
        }
        Some(0)
    }

    fn finish(&mut self, verdict: Verdict) {
        if let Body::Process(leader) = &self.body {
            leader.reap();
            self.parts.registry.remove(leader);
        }
        if let Some(untold) = self.untold.take() {
            untold.tell(verdict);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(untold) = self.untold.take() else {
            return;
        };
        let stopped_by = self.supervision.stopped_by();
        match &self.body {
            Body::Job { kill, .. } => {
                kill.ask();
                let ended_by = stopped_by.unwrap_or(EndedBy::Shutdown);
                untold.tell(Verdict {
                    status: job::KILLED,
                    ended_by,
                    survivors: 0,
                });
            }
            Body::Process(leader) => {
                let stopped_by = stopped_by.or(leader.killed_for().map(|stop| stop.by));
                remains::clear_away(
                    Arc::clone(leader),
                    stopped_by,
                    untold,
                    Arc::clone(&self.parts),
                );
            }
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("supervision", &self.supervision)
            .finish_non_exhaustive()
    }
}

/// A task whose end is not told yet.
pub(crate) struct Untold {
    report: Report,
    script: Option<Script>,
    spool: Arc<Spool>,
    watch: Arc<Watch>,
}

impl Untold {
    pub(crate) fn id(&self) -> TaskId {
        self.report.id()
    }

    pub(crate) fn tell(self, verdict: Verdict) {
        drop(self.script);
        // Survivors may write on, so their spool stays under watch.
        if verdict.survivors == 0 {
            self.watch.end();
        } else {
            self.spool.trim();
        }
        self.report.exited(Ending {
            status: verdict.status,
            ended_by: verdict.ended_by,
            survivors: verdict.survivors,
            output: self.spool.stats(),
        });
    }
}
