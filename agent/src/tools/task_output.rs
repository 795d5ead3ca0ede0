//! `TaskOutput`: what a task wrote, piece by piece, and how it stands.

use std::io;
use std::time::Duration;

use meanwhile_core::{Chunk, Exit, Handle, State, Stream};

use crate::excerpt::unfinished;
use crate::input::Input;
use crate::timer::within;
use crate::tool_result::{Answer, Refusal};
use crate::words::count;
use crate::{TaskView, Toolbox, tools};

const DEFAULT_LIMIT: u64 = 30_000;
/// A larger `limit` means this one: an answer must fit in memory, and `next_offset` leads on.
const MAX_LIMIT: u64 = 1 << 20;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Its content is the output and nothing else, so that pieces can be put together, but for a note where
/// there is none or where bytes are gone. Telling of a task's end consumes its notification.
pub(crate) async fn call(toolbox: &Toolbox, input: &Input, field: &str) -> Result<Answer, Refusal> {
    let handle = tools::find(toolbox, input, field)?;
    let offset = input.whole("offset")?.unwrap_or(0);
    let limit = input
        .above_zero("limit")?
        .unwrap_or(DEFAULT_LIMIT)
        .min(MAX_LIMIT);
    let timeout = input.millis("timeout")?.unwrap_or(DEFAULT_TIMEOUT);
    if input.flag("block")? {
        // Whether it ended in time is looked at below, once.
        let _ = within(timeout, handle.wait()).await;
    }

    // The state first: what is then read is all that a task wrote that had ended.
    let state = handle.state();
    let exit = match &state {
        State::Ended(exit) => Some(exit),
        _ => None,
    };
    let piece = read(&handle, exit, offset, limit).map_err(|error| {
        Refusal(format!(
            "the output of task {} cannot be read: {error}",
            handle.id()
        ))
    })?;
    if exit.is_some() {
        handle.mark_told();
    }
    let view = TaskView::of(&handle, &state);
    Ok(Answer {
        content: content(&piece, offset, &view),
        next_offset: Some(piece.next_offset()),
        ..Answer::default()
    }
    .about(view))
}

/// Reads a piece that ends between two characters, wherever more is to come: so no character is cut in two,
/// and no byte is read twice or lost.
fn read(handle: &Handle, exit: Option<&Exit>, offset: u64, limit: u64) -> io::Result<Chunk> {
    /// One character has at most so many bytes.
    const CHARACTER: usize = 4;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let request = limit.max(CHARACTER);
    let mut piece = handle.output(Stream::Stdout, offset, request)?;
    let bytes = &piece.bytes;
    let mut end = bytes.len().min(limit);
    let is_cut = end < bytes.len() || bytes.len() == request;
    let unfinished_len = unfinished(&bytes[..end]);
    if unfinished_len > 0 && (is_cut || goes_on(handle, exit, piece.next_offset())?) {
        end -= unfinished_len;
    }
    if end == 0 && is_cut {
        // The limit is less than the first character: it is given whole, or there would be no way on.
        let is_whole = |end: &usize| unfinished(&bytes[..*end]) == 0;
        end = (1..bytes.len()).find(is_whole).unwrap_or(bytes.len());
    }
    piece.bytes.truncate(end);
    Ok(piece)
}

/// Whether there is, or may yet come, a byte at `offset`: it is not the end, and the middle that was dropped
/// does not begin there.
fn goes_on(handle: &Handle, exit: Option<&Exit>, offset: u64) -> io::Result<bool> {
    let next = handle.output(Stream::Stdout, offset, 1)?;
    Ok(next.offset == offset && (exit.is_none() || !next.bytes.is_empty()))
}

fn content(piece: &Chunk, offset: u64, view: &TaskView) -> String {
    let written = view.output_bytes;
    if piece.bytes.is_empty() && written == 0 {
        let yet = if view.ended_by.is_some() { "" } else { " yet" };
        return format!("(no output{yet})");
    }
    if offset > written {
        return format!("(nothing at {offset}: {} so far)", count(written, "byte"));
    }
    let text = String::from_utf8_lossy(&piece.bytes);
    match piece.offset.saturating_sub(offset) {
        0 => text.into_owned(),
        gone => format!(
            "[… {} from {offset} on are gone: the middle of a long output is dropped …]\n{text}",
            count(gone, "byte")
        ),
    }
}
