//! A started task: what a backend's loop drives.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meanwhile_core::{
    Action, Cancellation, EndedBy, Ending, Event, ExitStatus, Report, Spec, Supervision, Sweep,
    Verdict,
};

use crate::job::{self, JobFuture};
use crate::leader::Leader;
use crate::local::{Parts, Post};
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
/// Dropped before that (the runtime ends, the loop panics), it kills the whole tree, reaps the leader, and
/// reports the end as one by shutdown. That blocks for a few milliseconds.
pub struct Running {
    supervision: Supervision,
    exit_seen: bool,
    body: Body,
    /// Taken by the end.
    report: Option<Report>,
    spool: Arc<Spool>,
    watch: Arc<Watch>,
    parts: Arc<Parts>,
    post: Post,
}

/// What runs.
#[derive(Debug)]
pub(crate) enum Body {
    Process {
        leader: Arc<Leader>,
        script: Option<PathBuf>,
    },
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
        parts: Arc<Parts>,
        spool: Arc<Spool>,
        post: Post,
    ) -> Self {
        let mut supervision = Supervision::new(spec);
        supervision.on(Event::Started, Instant::now());
        let stop_for_output = {
            let post = Arc::clone(&post);
            move || post(Event::Stop(meanwhile_core::Stop::by(EndedBy::OutputLimit)))
        };
        let watch = parts
            .watcher
            .watch(Arc::clone(&spool), Box::new(stop_for_output));
        Self {
            supervision,
            exit_seen: false,
            body,
            report: Some(report),
            spool,
            watch,
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
                if let Body::Process { leader, .. } = &self.body
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
        // Nor was one that was killed from outside the loop ended by itself: its stop is still on its way.
        if let Body::Process { leader, .. } = &self.body
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
            && let Body::Process { leader, .. } = &self.body
        {
            leader.reap();
        }
    }

    /// Sweeps the tree; the number of those left, if it is known at once, else posted later.
    fn sweep(&self, sweep: Sweep, ticket: meanwhile_core::Ticket) -> Option<u32> {
        match (&self.body, sweep) {
            (Body::Job { cancel, .. }, Sweep::Terminate) => cancel.ask(),
            (Body::Job { kill, .. }, Sweep::Kill) => kill.ask(),
            (Body::Job { .. }, _) => {}
            (Body::Process { leader, .. }, _) => {
                if !self.supervision.is_stopping() {
                    leader.reap();
                    if tree::is_certainly_gone(leader, &self.parts.live) {
                        return Some(0);
                    }
                }
                let post = Arc::clone(&self.post);
                let reply = Box::new(move |left| post(Event::Swept(ticket, left)));
                let id = self.report.as_ref().map(Report::id)?;
                let request = Request {
                    id,
                    leader: Arc::clone(leader),
                    sweep,
                    reply,
                };
                self.parts
                    .sweeper
                    .submit(request, &self.parts.workers, &self.parts.live);
                return None;
            }
        }
        Some(0)
    }

    fn finish(&mut self, verdict: Verdict) {
        if let Body::Process { leader, script } = &self.body {
            leader.reap();
            self.parts.live.remove(leader);
            if let Some(script) = script {
                // What cannot be removed now goes with the folder.
                let _ = std::fs::remove_file(script);
            }
        }
        // Survivors may write on, so their spool stays under watch.
        if verdict.survivors == 0 {
            self.watch.end();
        } else {
            self.spool.trim();
        }
        let Some(report) = self.report.take() else {
            return;
        };
        report.exited(Ending {
            status: verdict.status,
            ended_by: verdict.ended_by,
            survivors: verdict.survivors,
            output: self.spool.stats(),
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        /// Looks at the tree after the first; a fork bomb may need more than one.
        const LOOKS: usize = 20;
        const LONGEST_WAIT: Duration = Duration::from_secs(1);

        let Some(id) = self.report.as_ref().map(Report::id) else {
            return;
        };
        let (status, survivors) = match &self.body {
            Body::Job { kill, .. } => {
                kill.ask();
                (job::KILLED, 0)
            }
            Body::Process { leader, .. } => {
                let (left, counted) = std::sync::mpsc::channel();
                let mut survivors = 0;
                for _ in 0..LOOKS {
                    let left = left.clone();
                    let reply = Box::new(move |count| {
                        let _ = left.send(count);
                    });
                    let request = Request {
                        id,
                        leader: Arc::clone(leader),
                        sweep: Sweep::Kill,
                        reply,
                    };
                    sweeper::carry_out(vec![request], &self.parts.live);
                    leader.wait_for_exit(LONGEST_WAIT);
                    survivors = counted.try_recv().unwrap_or(0);
                    if survivors == 0 {
                        break;
                    }
                }
                (leader.status().unwrap_or(ExitStatus::Lost), survivors)
            }
        };
        self.finish(Verdict {
            status,
            ended_by: EndedBy::Shutdown,
            survivors,
        });
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("supervision", &self.supervision)
            .finish_non_exhaustive()
    }
}
