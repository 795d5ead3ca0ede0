//! The policy of one task as a state machine without I/O.
//!
//! Every backend drives the same one, so that deadlines, grace and stops mean the same everywhere, and it is
//! tested without a process or a clock.

use std::time::{Duration, Instant};

use crate::{EndedBy, ExitStatus, Spec, Stop, Survivors};

/// What happened to a task.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The leader runs. The deadline counts from here.
    Started,
    /// The leader ended, with this status from the wait call.
    Exited(ExitStatus),
    /// Somebody wants it to end.
    Stop(Stop),
    /// A sweep was carried out and left this many processes alive, the leader not counted.
    Swept(Ticket, u32),
    /// The time of [`Supervision::timer`] may have come.
    Tick,
}

/// What a backend has to do next.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Go through the whole tree, then answer with [`Event::Swept`] and this ticket.
    Sweep(Sweep, Ticket),
    /// The task is over: report it. If [`Supervision::is_over`] is still false, the leader cannot be
    /// killed; wait for it all the same, so that it leaves no zombie.
    Finish(Verdict),
}

/// What to do to every process of the tree.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Nothing but counting.
    Count,
    /// The polite signal, and the one that wakes stopped processes, else they would not see it.
    Terminate,
    /// Likewise, with the signal of this number for the polite one.
    Signal(i32),
    /// The signal that cannot be ignored.
    Kill,
}

/// Tells an answer to the latest sweep from one that has been overtaken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u32);

/// How it ended, as far as the policy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the leader.
    pub status: ExitStatus,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// How many processes are left.
    pub survivors: u32,
}

/// The policy of one task: events in, actions out.
///
/// ```
/// use std::time::{Duration, Instant};
/// use meanwhile_core::{Action, Event, ExitStatus, Spec, Supervision, Sweep};
///
/// let spec = Spec::shell("make").timeout(Duration::from_secs(60));
/// let mut supervision = Supervision::new(&spec);
/// let start = Instant::now();
/// assert_eq!(supervision.on(Event::Started, start), None);
///
/// // The leader ends by itself: count who is left, then report.
/// let Some(Action::Sweep(Sweep::Count, ticket)) =
///     supervision.on(Event::Exited(ExitStatus::Code(0)), start) else { panic!() };
/// let Some(Action::Finish(verdict)) = supervision.on(Event::Swept(ticket, 0), start) else { panic!() };
/// assert_eq!(verdict.status, ExitStatus::Code(0));
/// assert!(supervision.is_over());
/// ```
#[derive(Debug, Clone)]
pub struct Supervision {
    timeout: Option<Duration>,
    grace: Duration,
    survivors: Survivors,
    phase: Phase,
    last_ticket: Ticket,
}

#[derive(Debug, Clone)]
enum Phase {
    Waiting,
    Running {
        deadline: Option<Instant>,
    },
    /// It ended by itself; who is left is being counted.
    Counting {
        status: ExitStatus,
    },
    /// The polite signal went out.
    Stopping {
        by: EndedBy,
        status: Option<ExitStatus>,
        kill_at: Option<Instant>,
        look: Look,
    },
    /// The last signal went out, and goes out again until nobody is left.
    Killing {
        by: EndedBy,
        status: Option<ExitStatus>,
        give_up_at: Instant,
        look: Look,
        left: u32,
    },
    Ended {
        leader: Leader,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leader {
    Lives,
    Ended,
}

/// When to look again whether anybody is left, and how long to wait after that.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Option<Instant>,
    pause: Duration,
}

impl Look {
    const NONE: Self = Self {
        at: None,
        pause: Duration::from_millis(1),
    };
    const LONGEST: Duration = Duration::from_millis(50);

    fn again(&mut self, now: Instant) {
        self.at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(Self::LONGEST);
    }

    fn is_due(self, now: Instant) -> bool {
        self.at.is_some_and(|at| at <= now)
    }
}

impl Supervision {
    /// How long after the last signal a tree that is still there is reported as it is: a process in an
    /// uninterruptible sleep does not die of it.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(10);

    /// The policy that `spec` asks for.
    #[must_use]
    pub fn new(spec: &Spec) -> Self {
        Self {
            timeout: spec.timeout,
            grace: spec.grace,
            survivors: spec.survivors,
            phase: Phase::Waiting,
            last_ticket: Ticket(0),
        }
    }

    /// When to send [`Event::Tick`]; `None` while nothing is due.
    #[must_use]
    pub fn timer(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Waiting | Phase::Counting { .. } | Phase::Ended { .. } => None,
            Phase::Running { deadline } => *deadline,
            Phase::Stopping { kill_at, look, .. } => earliest(*kill_at, look.at),
            Phase::Killing {
                give_up_at, look, ..
            } => earliest(Some(*give_up_at), look.at),
        }
    }

    /// Whether nothing is left to be done or waited for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(
            self.phase,
            Phase::Ended {
                leader: Leader::Ended
            }
        )
    }

    /// Who the task is being ended by, if it is.
    #[must_use]
    pub fn stopped_by(&self) -> Option<EndedBy> {
        match self.phase {
            Phase::Stopping { by, .. } | Phase::Killing { by, .. } => Some(by),
            _ => None,
        }
    }

    /// Whether the task is being ended from outside. A leader that ended by then should not be reaped before
    /// the task is over: its id is that of the group, and must not be anybody else's while that is signalled.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopped_by().is_some()
    }

    /// Takes an event in and says what is to be done. Events that come too late change nothing.
    pub fn on(&mut self, event: Event, now: Instant) -> Option<Action> {
        match event {
            Event::Started => self.started(now),
            Event::Exited(status) => self.exited(status, now),
            Event::Stop(stop) => self.stop(stop, now),
            Event::Swept(ticket, left) if ticket == self.last_ticket => self.swept(left, now),
            Event::Swept(..) => None,
            Event::Tick => self.tick(now),
        }
    }

    fn started(&mut self, now: Instant) -> Option<Action> {
        if matches!(self.phase, Phase::Waiting) {
            // A deadline beyond the end of the clock is none.
            let deadline = self.timeout.and_then(|timeout| now.checked_add(timeout));
            self.phase = Phase::Running { deadline };
        }
        None
    }

    fn exited(&mut self, exited: ExitStatus, now: Instant) -> Option<Action> {
        match &mut self.phase {
            Phase::Waiting | Phase::Running { .. } => match self.survivors {
                Survivors::Leave => {
                    self.phase = Phase::Counting { status: exited };
                    Some(self.sweep(Sweep::Count))
                }
                Survivors::Stop => {
                    let stop = Stop::by(EndedBy::Itself);
                    Some(self.begin_stop(stop, Some(exited), now))
                }
            },
            Phase::Stopping {
                status: status @ None,
                ..
            } => {
                *status = Some(exited);
                Some(self.sweep(Sweep::Count))
            }
            Phase::Killing {
                status: status @ None,
                ..
            } => {
                *status = Some(exited);
                // Once more: it may have forked between the signal and its end.
                Some(self.sweep(Sweep::Kill))
            }
            Phase::Ended { leader } => {
                *leader = Leader::Ended;
                None
            }
            Phase::Counting { .. } | Phase::Stopping { .. } | Phase::Killing { .. } => None,
        }
    }

    fn stop(&mut self, stop: Stop, now: Instant) -> Option<Action> {
        let grace = stop.grace.unwrap_or(self.grace);
        match &mut self.phase {
            Phase::Waiting => Some(self.finish(ExitStatus::NeverStarted, stop.by, 0)),
            Phase::Running { .. } => Some(self.begin_stop(stop, None, now)),
            // A second stop may be less patient, never more.
            Phase::Stopping { kill_at, .. } => {
                *kill_at = earliest(*kill_at, now.checked_add(grace));
                self.tick(now)
            }
            Phase::Counting { .. } | Phase::Killing { .. } | Phase::Ended { .. } => None,
        }
    }

    fn begin_stop(&mut self, stop: Stop, status: Option<ExitStatus>, now: Instant) -> Action {
        let grace = stop.grace.unwrap_or(self.grace);
        if grace.is_zero() {
            return self.kill(stop.by, status, now);
        }
        self.phase = Phase::Stopping {
            by: stop.by,
            status,
            kill_at: now.checked_add(grace),
            look: Look::NONE,
        };
        self.sweep(stop.signal.map_or(Sweep::Terminate, Sweep::Signal))
    }

    fn kill(&mut self, by: EndedBy, status: Option<ExitStatus>, now: Instant) -> Action {
        let give_up_at = now + Self::GIVE_UP_AFTER;
        self.phase = Phase::Killing {
            by,
            status,
            give_up_at,
            look: Look::NONE,
            left: 0,
        };
        self.sweep(Sweep::Kill)
    }

    fn swept(&mut self, now_left: u32, now: Instant) -> Option<Action> {
        match &mut self.phase {
            Phase::Counting { status } => {
                let status = status.clone();
                Some(self.finish(status, EndedBy::Itself, now_left))
            }
            Phase::Stopping {
                by,
                status: Some(status),
                look,
                ..
            }
            | Phase::Killing {
                by,
                status: Some(status),
                look,
                ..
            } => {
                if now_left == 0 {
                    let (status, by) = (status.clone(), *by);
                    return Some(self.finish(status, by, 0));
                }
                look.again(now);
                if let Phase::Killing { left, .. } = &mut self.phase {
                    *left = now_left;
                }
                None
            }
            Phase::Killing {
                status: None, left, ..
            } => {
                *left = now_left;
                None
            }
            Phase::Stopping { status: None, .. }
            | Phase::Waiting
            | Phase::Running { .. }
            | Phase::Ended { .. } => None,
        }
    }

    fn tick(&mut self, now: Instant) -> Option<Action> {
        match &mut self.phase {
            Phase::Running {
                deadline: Some(deadline),
            } if *deadline <= now => Some(self.begin_stop(Stop::by(EndedBy::Timeout), None, now)),
            Phase::Stopping {
                by,
                status,
                kill_at: Some(kill_at),
                ..
            } if *kill_at <= now => {
                let (by, status) = (*by, status.take());
                Some(self.kill(by, status, now))
            }
            Phase::Killing {
                by,
                status,
                give_up_at,
                left,
                ..
            } if *give_up_at <= now => {
                let (by, left) = (*by, *left);
                match status.take() {
                    Some(status) => Some(self.finish(status, by, left)),
                    None => Some(self.abandon(by, left + 1)),
                }
            }
            Phase::Stopping { look, .. } if look.is_due(now) => {
                look.at = None;
                Some(self.sweep(Sweep::Count))
            }
            Phase::Killing { look, .. } if look.is_due(now) => {
                look.at = None;
                Some(self.sweep(Sweep::Kill))
            }
            _ => None,
        }
    }

    fn sweep(&mut self, sweep: Sweep) -> Action {
        self.last_ticket.0 = self.last_ticket.0.wrapping_add(1);
        Action::Sweep(sweep, self.last_ticket)
    }

    fn finish(&mut self, status: ExitStatus, ended_by: EndedBy, survivors: u32) -> Action {
        self.phase = Phase::Ended {
            leader: Leader::Ended,
        };
        Action::Finish(Verdict {
            status,
            ended_by,
            survivors,
        })
    }

    /// The leader outlived the last signal: its status is not known, and is not made up.
    fn abandon(&mut self, ended_by: EndedBy, survivors: u32) -> Action {
        self.phase = Phase::Ended {
            leader: Leader::Lives,
        };
        Action::Finish(Verdict {
            status: ExitStatus::Lost,
            ended_by,
            survivors,
        })
    }
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
