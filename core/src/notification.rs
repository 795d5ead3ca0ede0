//! What the agent is told.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{EventId, Exit, Owner, TaskId};

/// That a task ended, and how.
///
/// The output is not in it but where it can be read: an ending is small and of bounded size, however much
/// the task wrote.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The stable name of this event.
    pub event_id: EventId,
    /// The task that ended.
    pub task_id: TaskId,
    /// Who is to be told.
    pub owner: Owner,
    /// The command as a person would type it, at most [`MAX_COMMAND`](Self::MAX_COMMAND) bytes of it.
    pub command: Arc<str>,
    /// What it was for.
    pub description: Option<Arc<str>>,
    /// How it ended.
    pub exit: Exit,
    /// The file of its output, where it has one.
    pub output_path: Option<PathBuf>,
}

impl Notification {
    /// How many bytes of a command, and of a description, a notification carries; a longer one ends in ` … (N bytes)`.
    pub const MAX_COMMAND: usize = 4096;

    /// Says that `task_id` ended.
    #[must_use]
    pub fn ended(task_id: TaskId, owner: Owner, command: &str, exit: Exit) -> Self {
        Self {
            event_id: EventId::ended(task_id),
            task_id,
            owner,
            command: shorten(command, Self::MAX_COMMAND),
            description: None,
            exit,
            output_path: None,
        }
    }

    /// Adds what the task was for.
    #[must_use]
    pub fn described(mut self, description: Option<&str>) -> Self {
        self.description = description.map(|text| shorten(text, Self::MAX_COMMAND));
        self
    }

    /// Adds where its output is.
    #[must_use]
    pub fn with_output_path(mut self, path: Option<PathBuf>) -> Self {
        self.output_path = path;
        self
    }
}

fn shorten(text: &str, limit: usize) -> Arc<str> {
    if text.len() <= limit {
        return text.into();
    }
    let room = limit - " … (18446744073709551615 bytes)".len();
    let cut = (0..=room)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    format!("{} … ({} bytes)", &text[..cut], text.len()).into()
}
