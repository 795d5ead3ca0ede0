//! A task, as its agent sees it.

use std::path::PathBuf;

use meanwhile_core::{Handle, State, Stream, TaskId};
use serde::Serialize;

use crate::item::{lossy, millis};
use crate::words::shorten;

/// Where a task stands, as part of a [`ToolResult`](crate::ToolResult).
///
/// It names what was launched and never the environment, which may hold secrets.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskView {
    /// The task's id.
    pub id: TaskId,
    /// `queued`, `running`, `stopping`, or how it ended: `completed`, `failed`, `timed_out`, `stopped`,
    /// `failed_to_start`, `lost`.
    pub status: &'static str,
    /// The command as a person would type it; a long one is shortened.
    pub command: String,
    /// What it is for.
    pub description: Option<String>,
    /// The file of its output.
    #[serde(serialize_with = "lossy")]
    pub output_path: Option<PathBuf>,
    /// The exit code, if it has ended with one.
    pub exit_code: Option<i32>,
    /// The signal, if one ended it.
    pub signal: Option<i32>,
    /// Who ended it: `itself`, `timeout`, `agent`, `user`, `output_limit`, `shutdown`, `unknown`.
    pub ended_by: Option<&'static str>,
    /// For how long it has run, or ran, in milliseconds.
    pub elapsed_ms: u64,
    /// How many bytes it has written so far.
    pub output_bytes: u64,
    /// How many of those were dropped from the middle to keep the limit; known once it has ended.
    pub dropped_bytes: u64,
    /// How many of its processes were alive after its end.
    pub survivors: u32,
}

impl TaskView {
    /// How many characters of a command are shown.
    const COMMAND: usize = 1_000;

    /// The task as it is now.
    #[must_use]
    pub fn new(handle: &Handle) -> Self {
        Self::of(handle, &handle.state())
    }

    /// The task as it was when this was its state.
    pub(crate) fn of(handle: &Handle, state: &State) -> Self {
        let exit = match state {
            State::Ended(exit) => Some(exit),
            _ => None,
        };
        let output_path = handle.output_path(Stream::Stdout);
        let status = match state {
            // A backend has it and is about to start it: for the agent there is no difference.
            State::Queued if output_path.is_some() => "running",
            state => state.as_str(),
        };
        let written = || handle.written(Stream::Stdout).unwrap_or(0);
        Self {
            id: handle.id(),
            status,
            command: shorten(&handle.spec().command(), Self::COMMAND),
            description: handle.spec().get_description().map(ToOwned::to_owned),
            output_path,
            exit_code: exit.and_then(|exit| exit.code()),
            signal: exit.and_then(|exit| exit.signal()),
            ended_by: exit.map(|exit| exit.ended_by.as_str()),
            elapsed_ms: millis(handle.elapsed()),
            output_bytes: exit.map_or_else(written, |exit| exit.output.bytes),
            dropped_bytes: exit.map_or(0, |exit| exit.output.dropped),
            survivors: exit.map_or(0, |exit| exit.survivors),
        }
    }
}
