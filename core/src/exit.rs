//! How a task ended, and who ended it.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What became of the work itself. Never guessed: a code or a signal is what the wait call said.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitStatus {
    /// It exited by itself with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It could not be started; the operating system's reason.
    FailedToStart(StartFailure),
    /// It was stopped before it was started.
    NeverStarted,
    /// It was started, and nobody can say how it ended.
    Lost,
}

/// Why a task could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFailure {
    /// The operating system's error number, where it was one that refused.
    pub os_error: Option<i32>,
    /// The action and the reason, such as `no such program: nmp`.
    pub message: String,
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Who ended a task.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The task: it exited, crashed, could not be started, or got a signal that was not ours.
    Itself,
    /// Its deadline.
    Timeout,
    /// The agent that launched it.
    Agent,
    /// A person.
    User,
    /// Its limit on output, where the spec says that this ends it.
    OutputLimit,
    /// The end of the program that supervised it.
    Shutdown,
    /// Nobody knows.
    Unknown,
}

impl EndedBy {
    /// The word used on wires: `itself`, `timeout`, `agent`, `user`, `output_limit`, `shutdown`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Timeout => "timeout",
            Self::Agent => "agent",
            Self::User => "user",
            Self::OutputLimit => "output_limit",
            Self::Shutdown => "shutdown",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for EndedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much a task wrote, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputStats {
    /// All that it wrote, to both streams.
    pub bytes: u64,
    /// How much of that was dropped from the middle to keep the limit.
    pub dropped: u64,
}

/// What a backend says of a task's end: the argument of [`Report::exited`](crate::Report::exited).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What became of the work.
    pub status: ExitStatus,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// How many of its processes are alive after the end.
    pub survivors: u32,
    /// How much it wrote.
    pub output: OutputStats,
}

impl Ending {
    /// An end by the task itself, with nothing written and nobody left.
    #[must_use]
    pub fn of(status: ExitStatus) -> Self {
        Self {
            status,
            ended_by: EndedBy::Itself,
            survivors: 0,
            output: OutputStats::default(),
        }
    }

    /// Says who ended it.
    #[must_use]
    pub fn ended_by(mut self, ended_by: EndedBy) -> Self {
        self.ended_by = ended_by;
        self
    }

    /// Could not be started, for this reason.
    #[must_use]
    pub fn failed_to_start(message: impl Into<String>, os_error: Option<i32>) -> Self {
        Self::of(ExitStatus::FailedToStart(StartFailure {
            os_error,
            message: message.into(),
        }))
    }

    /// Nobody can say how it ended.
    #[must_use]
    pub fn lost() -> Self {
        Self::of(ExitStatus::Lost).ended_by(EndedBy::Unknown)
    }
}

/// The end of a task, with all that is known of it.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// What became of the work.
    pub status: ExitStatus,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// When it was started; `None` if it never was.
    pub started_at: Option<SystemTime>,
    /// When it ended.
    pub ended_at: SystemTime,
    /// From start to end on the monotonic clock; zero if it never started.
    pub duration: Duration,
    /// How much it wrote.
    pub output: OutputStats,
    /// How many of its processes were alive after the end.
    pub survivors: u32,
}

impl Exit {
    /// The exit of a task that ended just now and was never started; set the fields to say more.
    #[must_use]
    pub fn new(ending: Ending) -> Self {
        Self {
            status: ending.status,
            ended_by: ending.ended_by,
            started_at: None,
            ended_at: SystemTime::now(),
            duration: Duration::ZERO,
            output: ending.output,
            survivors: ending.survivors,
        }
    }

    /// The one word for it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (&self.status, self.ended_by) {
            (ExitStatus::FailedToStart(_), _) => Outcome::FailedToStart,
            (ExitStatus::Lost, _) => Outcome::Lost,
            (_, EndedBy::Timeout) => Outcome::TimedOut,
            (_, EndedBy::Agent | EndedBy::User | EndedBy::Shutdown | EndedBy::OutputLimit)
            | (ExitStatus::NeverStarted, _) => Outcome::Stopped,
            (ExitStatus::Code(0), _) => Outcome::Completed,
            (ExitStatus::Code(_) | ExitStatus::Signal(_), _) => Outcome::Failed,
        }
    }

    /// The exit code, if it exited with one.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        if let ExitStatus::Code(code) = self.status {
            Some(code)
        } else {
            None
        }
    }

    /// The signal, if one ended it.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        if let ExitStatus::Signal(signal) = self.status {
            Some(signal)
        } else {
            None
        }
    }

    /// The exit code that a program in front of the task should end with, after GNU `timeout` and `env`:
    /// the task's own; 128 + n for signal n; 124 timed out; 126 could not be started; 125 otherwise.
    #[must_use]
    pub fn to_exit_code(&self) -> u8 {
        match (&self.status, self.ended_by) {
            (ExitStatus::FailedToStart(_), _) => 126,
            (_, EndedBy::Timeout) => 124,
            // The wait call gives eight bits of a code, and signals end at 64.
            (ExitStatus::Code(code), _) => u8::try_from(*code).unwrap_or(u8::MAX),
            (ExitStatus::Signal(signal), _) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            (ExitStatus::NeverStarted | ExitStatus::Lost, _) => 125,
        }
    }
}

/// The one word for how a task ended.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Exited with code 0, by itself.
    Completed,
    /// Exited with another code, or by a signal that was not ours.
    Failed,
    /// Stopped at its deadline.
    TimedOut,
    /// Stopped by an agent, a person, its output limit or a shutdown.
    Stopped,
    /// Could not be started.
    FailedToStart,
    /// Nobody can say how it ended.
    Lost,
}

impl Outcome {
    /// The word used on wires: `completed`, `failed`, `timed_out`, `stopped`, `failed_to_start`, `lost`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Stopped => "stopped",
            Self::FailedToStart => "failed_to_start",
            Self::Lost => "lost",
        }
    }

    /// Whether it is anything but [`Completed`](Self::Completed).
    #[must_use]
    pub fn is_failure(self) -> bool {
        self != Self::Completed
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
