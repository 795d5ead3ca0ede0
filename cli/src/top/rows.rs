//! What is known of the tasks after one look at them.

use std::time::Duration;

use meanwhile_core::{Exit, Owner, TaskId};
use meanwhile_queue::{Notice, TaskRecord};

use crate::outcome;
use crate::plain::plain;

/// Which tasks are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Of this session; of all if there is none.
    pub(super) session: Option<Owner>,
    pub(super) ended: EndedTasks,
}

/// Which tasks that ended are among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum EndedTasks {
    /// Those whose agent was not told yet.
    #[default]
    Unread,
    All,
}

/// The tasks: those that run, then those that are queued, then those that ended, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) running: usize,
    pub(super) queued: usize,
    pub(super) unread: usize,
    /// How many tasks there are beyond those in `rows`.
    pub(super) left_out: usize,
}

/// One task. Its title and last line are [plain].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) id: TaskId,
    pub(super) session: Owner,
    /// What it is for if somebody said so, else its command.
    pub(super) title: String,
    pub(super) elapsed: Duration,
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Queued,
    Running(Running),
    Ended(Ended),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Running {
    /// How long it usually takes.
    pub(super) usual: Option<Duration>,
    pub(super) load: Load,
    /// The last line of its output with anything on it.
    pub(super) last_line: String,
}

/// What a task takes of the machine; nothing where that is not known, or not yet.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Load {
    /// Output in bytes per second.
    pub(super) rate: Option<u64>,
    /// Processor time in percent of one core.
    pub(super) cpu: Option<u64>,
    /// Resident memory in bytes.
    pub(super) memory: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) notice: Notice,
}

impl Row {
    pub(super) fn of(task: &TaskRecord) -> Self {
        let state = match (&task.exit, task.started_at) {
            (Some(exit), _) => State::Ended(Ended {
                exit: exit.clone(),
                notice: task.notice,
            }),
            (None, Some(_)) => State::Running(Running::default()),
            (None, None) => State::Queued,
        };
        Self {
            id: task.id,
            session: task.session.clone(),
            title: plain(task.title()),
            elapsed: task.elapsed(),
            state,
        }
    }

    /// What is the matter with it, as in `running` or `failed (1)`.
    pub(super) fn words(&self) -> String {
        match &self.state {
            State::Queued => "queued".to_owned(),
            State::Running(_) => "running".to_owned(),
            State::Ended(ended) => outcome::words(&ended.exit),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }
}

impl Ended {
    pub(super) fn is_unread(&self) -> bool {
        self.notice == Notice::Pending
    }
}
