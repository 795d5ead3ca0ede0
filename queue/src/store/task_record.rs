//! What the store knows of one task.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use meanwhile_core::{Exit, Notification, Owner, ProcessId, TaskId};

/// One task, as the store has it.
///
/// The values of environment variables are not in it: they may be secrets.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRecord {
    /// Its id.
    pub id: TaskId,
    /// The session whose agent is told.
    pub session: Owner,
    /// The command as a person would type it, whole.
    pub command: String,
    /// What it was for.
    pub description: Option<String>,
    /// The folder it runs in, as the spec has it; `None` for that of the program that launched it.
    pub cwd: Option<PathBuf>,
    /// The names of the environment variables that the spec sets or removes.
    pub env: Vec<String>,
    /// When it is stopped at the latest, from its start.
    pub timeout: Option<Duration>,
    /// The time between the polite signal and the last one.
    pub grace: Duration,
    /// When it was launched.
    pub launched_at: SystemTime,
    /// When it was started; `None` while it is queued, or if it never was.
    pub started_at: Option<SystemTime>,
    /// The process that leads it.
    pub leader: Option<ProcessId>,
    /// The file of its output.
    pub stdout: Option<PathBuf>,
    /// The file of its stderr, if that is apart.
    pub stderr: Option<PathBuf>,
    /// How it ended, if it has.
    pub exit: Option<Exit>,
    /// What became of its notification.
    pub notice: Notice,
}

/// What became of the notification of a task.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// There is none: the task is not over, or nobody is to be told by the queue.
    None,
    /// It waits to be drained, or was drained and not acknowledged.
    Pending,
    /// It was acknowledged, or the result was read elsewhere.
    Told,
}

impl TaskRecord {
    /// The word used on wires: `queued`, `running`, or that of the outcome.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (&self.exit, self.started_at) {
            (Some(exit), _) => exit.outcome().as_str(),
            (None, Some(_)) => "running",
            (None, None) => "queued",
        }
    }

    /// What it was for, or else its command.
    #[must_use]
    pub fn title(&self) -> &str {
        self.description.as_deref().unwrap_or(&self.command)
    }

    /// Its ending as the agent is told it, if it has ended.
    #[must_use]
    pub fn notification(&self) -> Option<Notification> {
        self.exit.clone().map(|exit| self.ended_with(exit))
    }

    pub(super) fn ended_with(&self, exit: Exit) -> Notification {
        Notification::ended(self.id, self.session.clone(), &self.command, exit)
            .described(self.description.as_deref())
            .with_output_path(self.stdout.clone())
    }

    /// How long its output is on the disk now, in bytes.
    #[must_use]
    pub fn written(&self) -> u64 {
        let files = self.stdout.iter().chain(&self.stderr);
        files
            .filter_map(|path| path.metadata().ok())
            .map(|meta| meta.len())
            .sum()
    }

    /// For how long it has run, or ran. While it runs that is by the clock on the wall, which may have been set.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match (&self.exit, self.started_at) {
            (Some(exit), _) => exit.duration,
            (None, Some(since)) => since.elapsed().unwrap_or_default(),
            (None, None) => Duration::ZERO,
        }
    }
}
