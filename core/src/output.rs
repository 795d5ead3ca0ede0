//! Reading what a task wrote.

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// Which of a task's streams to read.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stream {
    /// stdout, with stderr in it unless the spec split them.
    #[default]
    Stdout,
    /// stderr, where the spec split them; empty otherwise.
    Stderr,
}

/// A piece of a task's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Where `bytes` begin in all that was written: the offset asked for, or the end of the dropped middle
    /// if that lay in it.
    pub offset: u64,
    /// The bytes; empty at the end of what there is.
    pub bytes: Vec<u8>,
}

impl Chunk {
    /// Nothing, at this offset.
    #[must_use]
    pub fn empty_at(offset: u64) -> Self {
        Self {
            offset,
            bytes: Vec::new(),
        }
    }

    /// Where to read on.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

/// A task's output, readable while the task runs and after it ended.
///
/// # For implementers
///
/// Offsets count all that was ever written; they must stay true when the middle is dropped. A chunk must
/// not reach across the dropped middle. Output that does not exist yet reads as empty.
pub trait Output: Debug + Send + Sync + 'static {
    /// Reads up to `limit` bytes of `stream` from `offset`.
    ///
    /// # Errors
    ///
    /// The operating system's.
    fn read(&self, stream: Stream, offset: u64, limit: usize) -> io::Result<Chunk>;

    /// How many bytes of `stream` have been written so far.
    ///
    /// # Errors
    ///
    /// The operating system's.
    fn written(&self, stream: Stream) -> io::Result<u64>;

    /// The file of `stream`, where there is one that the caller can open.
    fn path(&self, stream: Stream) -> Option<&Path>;
}

/// The output of a task that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOutput;

impl Output for NoOutput {
    fn read(&self, _: Stream, offset: u64, _: usize) -> io::Result<Chunk> {
        Ok(Chunk::empty_at(offset))
    }

    fn written(&self, _: Stream) -> io::Result<u64> {
        Ok(0)
    }

    fn path(&self, _: Stream) -> Option<&Path> {
        None
    }
}
