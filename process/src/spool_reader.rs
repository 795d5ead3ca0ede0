//! Reading the output of a task from outside: by a program that does not run it.

use std::fs::File;
use std::io;
use std::path::Path;

use meanwhile_core::Chunk;
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::spool::read_at_most;

/// How much is read at once on the way back from the end.
const BLOCK: u64 = 64 << 10;

/// One file of a task's output, opened by whoever does not run the task; readable while it runs and after.
///
/// Where the middle was dropped the file has a hole, which reads as zeros. Those were never written, and are
/// never handed out: a read that begins in the hole goes on behind it, and one that begins before ends there.
/// Zeros that the task wrote itself are output like any other. On a file system that knows no holes nothing
/// can be dropped, and everything is read.
#[derive(Debug)]
pub struct SpoolReader {
    file: File,
}

impl SpoolReader {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// The operating system's; `NotFound` while there is no output yet, or not any more.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        File::open(path).map(|file| Self { file })
    }

    /// Reads up to `limit` bytes from `offset`. The chunk begins later if `offset` lies in the dropped middle,
    /// and is empty at the end of what there is.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn read(&self, offset: u64, limit: usize) -> io::Result<Chunk> {
        loop {
            let Some(start) = self.data_from(offset)? else {
                return Ok(Chunk::empty_at(offset));
            };
            let length = self.hole_from(start)? - start;
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(limit)];
            let read = read_at_most(&self.file, &mut bytes, start)?;
            bytes.truncate(read);
            // The hole may have grown over what was read meanwhile. A file system lets nobody look for holes while
            // it makes one, so that zeros which were read too early are known for what they are now.
            let end = start + bytes.len() as u64;
            if self.hole_from(start)? >= end.max(start + 1) {
                return Ok(Chunk {
                    offset: start,
                    bytes,
                });
            }
        }
    }

    /// How long the file is; offsets lie below this. It shrinks if its writer cuts it off.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn written(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Where the last `lines` lines begin, or what is left of them behind the dropped middle. A last line that
    /// has no end yet is a line.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn tail_offset(&self, lines: u64) -> io::Result<u64> {
        let size = self.written()?;
        if lines == 0 {
            return Ok(size);
        }
        let mut missing = lines;
        let mut end = size;
        while end > 0 {
            let start = end.saturating_sub(BLOCK);
            let block = self.last_piece(start, end)?;
            for (at, byte) in block.bytes.iter().enumerate().rev() {
                let behind = block.offset + at as u64 + 1;
                // The newline at the very end is that of the last line, and no other begins behind it.
                if *byte == b'\n' && behind < size {
                    missing -= 1;
                    if missing == 0 {
                        return Ok(behind);
                    }
                }
            }
            if block.offset > start {
                return Ok(block.offset);
            }
            end = start;
        }
        Ok(0)
    }

    /// What there is before `end` and not before `start`: of two pieces with a hole between, the last.
    fn last_piece(&self, start: u64, end: u64) -> io::Result<Chunk> {
        let mut from = start;
        loop {
            let length = usize::try_from(end - from).unwrap_or(usize::MAX);
            let mut piece = self.read(from, length)?;
            let within = usize::try_from(end.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
            piece.bytes.truncate(within);
            if piece.bytes.is_empty() || piece.next_offset() == end {
                return Ok(piece);
            }
            from = piece.next_offset();
        }
    }

    /// The first place from `offset` on that is in no hole; `None` if there is none.
    fn data_from(&self, offset: u64) -> io::Result<Option<u64>> {
        match seek(&self.file, SeekFrom::Data(offset)) {
            Ok(at) => Ok(Some(at)),
            // Behind the end, or in a hole that reaches to it.
            Err(Errno::NXIO) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first place from `offset` on that is in a hole; every file ends in one.
    fn hole_from(&self, offset: u64) -> io::Result<u64> {
        match seek(&self.file, SeekFrom::Hole(offset)) {
            Ok(at) => Ok(at),
            // Cut off by its writer.
            Err(Errno::NXIO) => Ok(offset),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;

    use meanwhile_core::{Output, OutputFiles, OutputLimit, Stream, TaskId};

    use super::*;
    use crate::spool::{Spool, Writers};

    fn spool(limit: OutputLimit) -> (tempfile::TempDir, Spool, Writers, SpoolReader) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let spool = Spool::new(dir.path(), TaskId::random(), OutputFiles::Merged, limit);
        let writers = spool.create().expect("a new spool");
        let path = spool.path(Stream::Stdout).expect("a file");
        let reader = SpoolReader::open(path).expect("a readable file");
        (dir, spool, writers, reader)
    }

    /// Never zero, and of a length that no page divides.
    fn byte_at(offset: u64) -> u8 {
        (offset % 251) as u8 + 1
    }

    fn pattern(range: std::ops::Range<u64>) -> Vec<u8> {
        range.map(byte_at).collect()
    }

    #[test]
    fn reads_what_the_owner_reads() {
        let (_dir, spool, mut writers, reader) = spool(OutputLimit::keep(64 << 10));
        for start in (0..1_000_000).step_by(10_000) {
            let piece = pattern(start..start + 10_000);
            writers.stdout.write_all(&piece).expect("room on the disk");
            spool.trim();
        }
        assert_eq!(reader.written().expect("a size"), 1_000_000);
        for offset in [
            0, 1, 8191, 8192, 500_000, 943_000, 944_000, 999_999, 1_000_000, 2_000_000,
        ] {
            for limit in [0, 1, 5000, usize::MAX] {
                let ours = reader.read(offset, limit).expect("readable");
                let theirs = spool.read(Stream::Stdout, offset, limit).expect("readable");
                assert_eq!(ours, theirs, "at {offset}, up to {limit}");
            }
        }
    }

    #[test]
    fn zeros_that_were_written_are_output() {
        let (_dir, _spool, mut writers, reader) = spool(OutputLimit::keep(1 << 20));
        let zeros = vec![0; 100_000];
        writers.stdout.write_all(&zeros).expect("room on the disk");
        let chunk = reader.read(10, usize::MAX).expect("readable");
        assert_eq!((chunk.offset, chunk.bytes.len()), (10, zeros.len() - 10));
    }

    #[test]
    fn a_hole_that_grows_meanwhile_is_never_read() {
        let (_dir, spool, mut writers, reader) = spool(OutputLimit::keep(64 << 10));
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for start in (0..32 << 20).step_by(10_000) {
                    let piece = pattern(start..start + 10_000);
                    writers.stdout.write_all(&piece).expect("room on the disk");
                    spool.trim();
                }
            });
            while !writer.is_finished() {
                // The first that there is behind the hole, which is what is dropped next.
                let chunk = reader.read(8192, 16 << 10).expect("readable");
                let expected = pattern(chunk.offset..chunk.next_offset());
                assert!(chunk.bytes == expected, "zeros at {}", chunk.offset);
            }
        });
    }

    fn tail(reader: &SpoolReader, lines: u64) -> Vec<u8> {
        let offset = reader.tail_offset(lines).expect("readable");
        reader.read(offset, usize::MAX).expect("readable").bytes
    }

    #[test]
    fn the_tail_begins_with_a_line() {
        let (_dir, _spool, mut writers, reader) = spool(OutputLimit::keep(1 << 20));
        assert_eq!(reader.tail_offset(3).expect("readable"), 0);
        writers.stdout.write_all(b"one\n\nthree\n").expect("room");
        assert_eq!(tail(&reader, 0), b"");
        assert_eq!(tail(&reader, 1), b"three\n");
        assert_eq!(tail(&reader, 2), b"\nthree\n");
        assert_eq!(tail(&reader, 9), b"one\n\nthree\n");
        writers.stdout.write_all(b"four").expect("room");
        assert_eq!(tail(&reader, 1), b"four");
        assert_eq!(tail(&reader, 2), b"three\nfour");
    }

    #[test]
    fn the_tail_is_found_across_blocks() {
        let (_dir, _spool, mut writers, reader) = spool(OutputLimit::keep(1 << 20));
        let line = [vec![b'x'; 2 * BLOCK as usize], vec![b'\n']].concat();
        let first = [vec![b'y'; 5], vec![b'\n']].concat();
        writers
            .stdout
            .write_all(&[first, line.clone(), line].concat())
            .expect("room");
        let long = 2 * BLOCK + 1;
        let offsets = [1, 2, 3, 4].map(|lines| reader.tail_offset(lines).expect("readable"));
        assert_eq!(offsets, [6 + long, 6, 0, 0]);
    }

    #[test]
    fn the_tail_stops_at_what_was_dropped() {
        let (_dir, spool, mut writers, reader) = spool(OutputLimit::keep(64 << 10));
        let lines = b"0123456\n".repeat(100_000);
        writers.stdout.write_all(&lines).expect("room on the disk");
        spool.trim();
        let size = lines.len() as u64;
        assert_eq!(reader.tail_offset(10).expect("readable"), size - 80);
        let behind_hole = spool
            .read(Stream::Stdout, 8192, 1)
            .expect("readable")
            .offset;
        assert!(behind_hole > 8192);
        assert_eq!(reader.tail_offset(50_000).expect("readable"), behind_hole);
    }
}
