//! Head and tail of what a task wrote, with an honest word on what lies between.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use meanwhile_core::{Chunk, Handle, Notification, Stream};

use crate::quote::clean;

/// Head and tail of an output file, at most `limit` bytes of it, as an item shows them: for a task that may
/// still write to it. Empty if there is nothing, or nothing that can be read.
#[must_use]
pub fn excerpt(path: &Path, limit: usize) -> String {
    // Nobody says whether the middle was dropped yet. If it was not, only zeros at a cut are left out.
    let source = Source::file(Some(path), Middle::Dropped);
    Excerpt::read(&source, 0, limit).text(clean, "")
}

/// Where a task's output can be read.
#[derive(Debug)]
pub(crate) enum Source {
    /// From the task itself, which knows where its middle was dropped.
    Task(Handle),
    /// From the file alone, of a task that nobody here knows any more.
    File(File, Middle),
    /// From nowhere: there is no file, or no longer.
    Gone,
}

/// Whether the middle of a file was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Middle {
    Whole,
    Dropped,
}

impl Source {
    /// The file of a task that ended.
    pub(crate) fn file_of(notification: &Notification) -> Self {
        let middle = if notification.exit.output.dropped > 0 {
            Middle::Dropped
        } else {
            Middle::Whole
        };
        Self::file(notification.output_path.as_deref(), middle)
    }

    fn file(path: Option<&Path>, middle: Middle) -> Self {
        path.and_then(|path| File::open(path).ok())
            .map_or(Self::Gone, |file| Self::File(file, middle))
    }

    fn written(&self) -> Option<u64> {
        match self {
            Self::Task(handle) => handle.written(Stream::Stdout).ok(),
            Self::File(file, _) => file.metadata().ok().map(|metadata| metadata.len()),
            Self::Gone => None,
        }
    }

    fn read(&self, offset: u64, limit: usize) -> io::Result<Chunk> {
        match self {
            Self::Task(handle) => handle.output(Stream::Stdout, offset, limit),
            Self::File(file, middle) => read_file(file, *middle, offset, limit),
            Self::Gone => Ok(Chunk::default()),
        }
    }

    /// Reads up to `limit` bytes in one piece, which begins at `offset` or behind the dropped middle.
    fn read_piece(&self, offset: u64, limit: usize) -> io::Result<Chunk> {
        let mut piece = self.read(offset, limit)?;
        while piece.bytes.len() < limit {
            let next = self.read(piece.next_offset(), limit - piece.bytes.len())?;
            if next.bytes.is_empty() || next.offset != piece.next_offset() {
                break;
            }
            piece.bytes.extend(next.bytes);
        }
        Ok(piece)
    }
}

/// A dropped middle reads as zeros. The kept head is a page at least, longer than the head of any excerpt,
/// so zeros matter only where the tail of an excerpt begins in the dropped part.
fn read_file(mut file: &File, middle: Middle, offset: u64, limit: usize) -> io::Result<Chunk> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes)?;
    if middle == Middle::Whole {
        return Ok(Chunk { offset, bytes });
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    let offset = offset + zeros as u64;
    Ok(Chunk { offset, bytes })
}

/// The beginning and the end of an output, in bytes. If nothing is left out, both together are all of it.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    head: Vec<u8>,
    tail: Vec<u8>,
    total: u64,
}

impl Excerpt {
    /// Reads at most `limit` bytes, however much there is. What cannot be read is left out; then `written`
    /// says how much there was.
    pub(crate) fn read(source: &Source, written: u64, limit: usize) -> Self {
        let total = source.written().unwrap_or(written);
        let read = if total <= limit as u64 {
            read_all(source, total)
        } else {
            read_ends(source, total, limit)
        };
        let (head, tail) = read.unwrap_or_default();
        Self::new(&head, &tail, total)
    }

    fn new(head: &[u8], tail: &[u8], total: u64) -> Self {
        let is_whole = (head.len() + tail.len()) as u64 >= total;
        let (head, tail) = if is_whole {
            (head, tail)
        } else {
            (whole_head(head), whole_tail(tail))
        };
        Self {
            head: head.to_vec(),
            tail: tail.to_vec(),
            total,
        }
    }

    /// How much there was when it was read.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// How much of it is here.
    pub(crate) fn shown(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64
    }

    /// How much of it is not.
    pub(crate) fn omitted(&self) -> u64 {
        self.total.saturating_sub(self.shown())
    }

    /// A shorter one, of at most `limit` bytes.
    pub(crate) fn within(&self, limit: usize) -> Self {
        if self.shown() <= limit as u64 {
            return self.clone();
        }
        let tail = &self.tail[self.tail.len().saturating_sub(limit - head_share(limit))..];
        let head = &self.head[..self.head.len().min(limit - tail.len())];
        Self::new(head, tail, self.total)
    }

    /// Both ends through `show`, with a line between them that says what is left out, and `where_else` it is.
    pub(crate) fn text(&self, show: impl Fn(&[u8]) -> String, where_else: &str) -> String {
        if self.omitted() == 0 {
            return show(&[&self.head[..], &self.tail[..]].concat());
        }
        let (head, tail) = (show(&self.head), show(&self.tail));
        let line_end = if head.is_empty() || head.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let (omitted, total) = (self.omitted(), self.total);
        format!(
            "{head}{line_end}[… {omitted} of {total} bytes are left out here{where_else} …]\n{tail}"
        )
    }
}

/// Of an excerpt, this part is for the beginning: the end says more of how a command went.
fn head_share(limit: usize) -> usize {
    limit / 4
}

/// Everything but the dropped middle.
fn read_all(source: &Source, total: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut all = source.read_piece(0, to_usize(total))?;
    let behind = source.read_piece(all.next_offset(), to_usize(total) - all.bytes.len())?;
    if behind.offset > all.next_offset() {
        return Ok((all.bytes, behind.bytes));
    }
    let tail = all.bytes.split_off(head_share(all.bytes.len()));
    Ok((all.bytes, tail))
}

fn read_ends(source: &Source, total: u64, limit: usize) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let head = source.read_piece(0, head_share(limit))?;
    let room = limit - head.bytes.len();
    let tail = source.read_piece(total - room as u64, room)?;
    Ok((head.bytes, tail.bytes))
}

/// Without the line that is cut at its end, or at least without a cut character.
fn whole_head(bytes: &[u8]) -> &[u8] {
    let line = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if line > bytes.len() / 2 {
        &bytes[..line]
    } else {
        &bytes[..bytes.len() - unfinished(bytes)]
    }
}

/// Without the line that is cut at its beginning, or at least without a cut character.
fn whole_tail(bytes: &[u8]) -> &[u8] {
    let line = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| at + 1);
    if line < bytes.len() / 2 {
        return &bytes[line..];
    }
    let continued = bytes
        .iter()
        .take(3)
        .take_while(|byte| is_continuation(**byte))
        .count();
    &bytes[continued..]
}

/// How many bytes at the end are the beginning of a character that is not all there.
pub(crate) fn unfinished(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len().saturating_sub(3)..];
    let Some(start) = last.iter().rposition(|byte| !is_continuation(*byte)) else {
        return 0;
    };
    match std::str::from_utf8(&last[start..]) {
        Err(error) if error.error_len().is_none() => last.len() - start,
        _ => 0,
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
