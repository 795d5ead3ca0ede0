//! A task as JSON: the item of its notification, as far as it has come, and what the store knows besides.

use std::path::Path;
use std::time::Duration;

use meanwhile_agent::{Item, excerpt, rfc3339};
use meanwhile_core::{Owner, TaskId};
use meanwhile_queue::TaskRecord;
use serde::Serialize;

/// One task.
#[derive(Debug, Serialize)]
pub(crate) struct TaskJson {
    #[serde(flatten)]
    item: Stage,
    session: Owner,
    launched_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_path: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Stage {
    Ended(Box<Item>),
    Open(Box<OpenItem>),
}

/// The fields of an [`Item`], of a task that has not ended.
#[derive(Debug, Serialize)]
struct OpenItem {
    event_id: Option<()>,
    task_id: TaskId,
    command: String,
    description: Option<String>,
    status: &'static str,
    exit_code: Option<()>,
    signal: Option<()>,
    ended_by: Option<()>,
    output: String,
    output_path: Option<String>,
    output_bytes: u64,
    /// Known once it has ended.
    dropped_bytes: u64,
    survivors: u32,
    started_at: Option<String>,
    ended_at: Option<()>,
    duration_ms: u64,
}

impl TaskJson {
    /// The task with an excerpt of its output, made from at most `limit` bytes.
    pub(crate) fn of(task: &TaskRecord, limit: usize) -> Self {
        let item = match task.notification() {
            Some(ended) => {
                let mut item = Item::read(&ended, limit);
                // Shortened in a notification; who knew the task while it ran finds it by the same words.
                item.command = task.command.as_str().into();
                item.description = task.description.as_deref().map(Into::into);
                Stage::Ended(Box::new(item))
            }
            None => Stage::Open(Box::new(OpenItem::of(task, limit))),
        };
        Self {
            item,
            session: task.session.clone(),
            launched_at: rfc3339(task.launched_at),
            stderr_path: task.stderr.as_deref().map(lossy),
        }
    }
}

impl OpenItem {
    fn of(task: &TaskRecord, limit: usize) -> Self {
        let stdout = task.stdout.as_deref();
        Self {
            event_id: None,
            task_id: task.id,
            command: task.command.clone(),
            description: task.description.clone(),
            status: task.status(),
            exit_code: None,
            signal: None,
            ended_by: None,
            output: stdout.map_or_else(String::new, |path| excerpt(path, limit)),
            output_path: stdout.map(lossy),
            output_bytes: task.written(),
            dropped_bytes: 0,
            survivors: 0,
            started_at: task.started_at.map(rfc3339),
            ended_at: None,
            duration_ms: millis(task.elapsed()),
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A path that is not UTF-8 must not cost the reader the rest.
pub(crate) fn lossy(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
