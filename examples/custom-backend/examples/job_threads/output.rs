//! Output in memory, bounded as a spec asks for.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use meanwhile_core::{Chunk, JobOutput, Output, OutputLimit, OutputStats, Stream};

/// The head and the tail of what one job wrote.
#[derive(Debug)]
pub(crate) struct Kept {
    limit: OutputLimit,
    bytes: Mutex<Bytes>,
}

#[derive(Debug, Default)]
struct Bytes {
    head: Vec<u8>,
    dropped: u64,
    tail: VecDeque<u8>,
}

impl Kept {
    pub(crate) fn new(limit: OutputLimit) -> Self {
        Self {
            limit,
            bytes: Mutex::default(),
        }
    }

    pub(crate) fn stats(&self) -> OutputStats {
        let bytes = self.lock();
        OutputStats {
            bytes: bytes.written(),
            dropped: bytes.dropped,
        }
    }

    /// Whether the spec wants a task stopped that wrote so much.
    pub(crate) fn is_stop_due(&self) -> bool {
        self.limit.stops() && self.lock().written() > self.limit.total()
    }

    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bytes {
    fn written(&self) -> u64 {
        self.head.len() as u64 + self.dropped + self.tail.len() as u64
    }
}

impl JobOutput for Kept {
    fn append(&self, new: &[u8]) -> io::Result<()> {
        let mut bytes = self.lock();
        let room = as_usize(self.limit.head()) - bytes.head.len();
        let (head, tail) = new.split_at(room.min(new.len()));
        bytes.head.extend_from_slice(head);
        bytes.tail.extend(tail);
        let excess = bytes.tail.len().saturating_sub(as_usize(self.limit.tail()));
        bytes.tail.drain(..excess);
        bytes.dropped += excess as u64;
        Ok(())
    }
}

impl Output for Kept {
    fn read(&self, stream: Stream, offset: u64, limit: usize) -> io::Result<Chunk> {
        let bytes = self.lock();
        if stream != Stream::Stdout {
            return Ok(Chunk {
                offset,
                bytes: Vec::new(),
            });
        }
        let head = bytes.head.len() as u64;
        if offset < head {
            let rest = bytes.head[as_usize(offset)..].iter();
            return Ok(Chunk {
                offset,
                bytes: rest.take(limit).copied().collect(),
            });
        }
        let tail_begins = head + bytes.dropped;
        let offset = offset.max(tail_begins);
        let rest = bytes.tail.iter().skip(as_usize(offset - tail_begins));
        Ok(Chunk {
            offset,
            bytes: rest.take(limit).copied().collect(),
        })
    }

    fn written(&self, stream: Stream) -> io::Result<u64> {
        Ok(if stream == Stream::Stdout {
            self.lock().written()
        } else {
            0
        })
    }

    fn path(&self, _: Stream) -> Option<&Path> {
        None
    }
}

/// An offset too large for this machine is beyond the end of what is in its memory.
fn as_usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
