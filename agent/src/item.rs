//! One ending, as data.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use meanwhile_core::{EventId, Notification, TaskId};
use serde::{Serialize, Serializer};

use crate::excerpt::{Excerpt, Source};
use crate::quote::clean;

/// One ending, in the words of the wire: an element of `items` in a notification line.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The stable name of the event: the same each time that the ending is told.
    pub event_id: EventId,
    /// The task that ended.
    pub task_id: TaskId,
    /// The command as a person would type it; a long one is shortened.
    pub command: Arc<str>,
    /// What it was for.
    pub description: Option<Arc<str>>,
    /// `completed`, `failed`, `timed_out`, `stopped`, `failed_to_start` or `lost`.
    pub status: &'static str,
    /// The exit code, if it ended with one.
    pub exit_code: Option<i32>,
    /// The signal, if one ended it.
    pub signal: Option<i32>,
    /// `itself`, `timeout`, `agent`, `user`, `output_limit`, `shutdown` or `unknown`.
    pub ended_by: &'static str,
    /// Head and tail of what it wrote, without ANSI sequences and control characters.
    pub output: String,
    /// The file of its whole output.
    #[serde(serialize_with = "lossy")]
    pub output_path: Option<PathBuf>,
    /// How many bytes it wrote.
    pub output_bytes: u64,
    /// How many of those were dropped from the middle to keep the limit.
    pub dropped_bytes: u64,
    /// How many of its processes were alive after its end.
    pub survivors: u32,
    /// When it was started, in RFC 3339; `None` if it never was.
    pub started_at: Option<String>,
    /// When it ended, in RFC 3339.
    pub ended_at: String,
    /// From start to end, in milliseconds.
    pub duration_ms: u64,
}

impl Item {
    /// The data of `notification`, with an excerpt of the output from its file, made from at most `limit` bytes.
    #[must_use]
    pub fn read(notification: &Notification, limit: usize) -> Self {
        let source = Source::file_of(notification);
        let excerpt = Excerpt::read(&source, notification.exit.output.bytes, limit);
        Self::new(notification, excerpt.text(clean, ""))
    }

    /// The data of `notification`, with this excerpt of the task's output.
    #[must_use]
    pub fn new(notification: &Notification, output: String) -> Self {
        let exit = &notification.exit;
        Self {
            event_id: notification.event_id,
            task_id: notification.task_id,
            command: Arc::clone(&notification.command),
            description: notification.description.clone(),
            status: exit.outcome().as_str(),
            exit_code: exit.code(),
            signal: exit.signal(),
            ended_by: exit.ended_by.as_str(),
            output,
            output_path: notification.output_path.clone(),
            output_bytes: exit.output.bytes,
            dropped_bytes: exit.output.dropped,
            survivors: exit.survivors,
            started_at: exit.started_at.map(rfc3339),
            ended_at: rfc3339(exit.ended_at),
            duration_ms: millis(exit.duration),
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A time as items have it: RFC 3339, in UTC, to the millisecond. A clock that is set beyond the year 9999 shows
/// its last moment.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    format!("{time:.3}")
}

/// A path that is not UTF-8 is shown with replacement characters: it must not cost the reader the rest.
pub(crate) fn lossy<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    path.as_deref().map(Path::to_string_lossy).serialize(to)
}
