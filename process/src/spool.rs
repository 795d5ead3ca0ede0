//! A task's output: files that the task writes itself, bounded from outside while it runs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use meanwhile_core::{
    Chunk, JobOutput, Output, OutputFiles, OutputLimit, OutputStats, Stream, TaskId,
};

use crate::lock;

/// Holes are made of whole pages.
const PAGE: u64 = 4096;

/// The task whose output this file is, by its name.
pub(crate) fn task_of(path: &Path) -> Option<TaskId> {
    let (id, kind) = path.file_name()?.to_str()?.split_once('.')?;
    matches!(kind, "out" | "err").then(|| id.parse().ok())?
}

/// Made with room for all of it from the first: a launch waits for this.
fn path_in(dir: &Path, id: TaskId, ending: &str) -> PathBuf {
    let name = id.as_str();
    let mut path = PathBuf::with_capacity(dir.as_os_str().len() + name.len() + ending.len() + 2);
    path.push(dir);
    path.push(name);
    path.as_mut_os_string().push(".");
    path.as_mut_os_string().push(ending);
    path
}

/// The output of one task: one file, or one for each stream.
#[derive(Debug)]
pub(crate) struct Spool {
    stdout: SpoolFile,
    stderr: Option<SpoolFile>,
    limit: OutputLimit,
}

/// Where a task writes to.
#[derive(Debug)]
pub(crate) struct Writers {
    pub(crate) stdout: File,
    pub(crate) stderr: Option<File>,
}

impl Spool {
    /// Names the files in `dir`; [`create`](Self::create) makes them.
    pub(crate) fn new(dir: &Path, id: TaskId, files: OutputFiles, limit: OutputLimit) -> Self {
        let file = |ending: &str, share: u64| SpoolFile {
            path: path_in(dir, id, ending),
            head: pages_down(limit.head() / share).max(PAGE),
            tail: limit.tail() / share,
            dropped_to: AtomicU64::new(0),
            cut_off: AtomicU64::new(0),
            longest: Mutex::new(0),
        };
        match files {
            OutputFiles::Split => Self {
                stdout: file("out", 2),
                stderr: Some(file("err", 2)),
                limit,
            },
            _ => Self {
                stdout: file("out", 1),
                stderr: None,
                limit,
            },
        }
    }

    /// Makes the files, and their folder if it is not there (any more).
    pub(crate) fn create(&self) -> io::Result<Writers> {
        Ok(Writers {
            stdout: self.stdout.create()?,
            stderr: self.stderr.as_ref().map(SpoolFile::create).transpose()?,
        })
    }

    /// Removes the files, to begin anew.
    pub(crate) fn remove(&self) {
        for file in self.files() {
            let _ = fs::remove_file(&file.path);
        }
    }

    /// Drops what is beyond the limit, and says how much was written so far.
    pub(crate) fn trim(&self) -> u64 {
        self.files().map(SpoolFile::trim).sum()
    }

    /// Whether the task has written so much that it is to be stopped.
    pub(crate) fn is_stop_due(&self, written: u64) -> bool {
        self.limit.stops() && written > self.limit.total()
    }

    /// How much there was at the last look.
    pub(crate) fn stats(&self) -> OutputStats {
        OutputStats {
            bytes: self.files().map(SpoolFile::seen).sum(),
            dropped: self.files().map(SpoolFile::dropped).sum(),
        }
    }

    fn files(&self) -> impl Iterator<Item = &SpoolFile> {
        std::iter::once(&self.stdout).chain(&self.stderr)
    }

    fn file(&self, stream: Stream) -> Option<&SpoolFile> {
        match stream {
            Stream::Stdout => Some(&self.stdout),
            _ => self.stderr.as_ref(),
        }
    }
}

impl Output for Spool {
    fn read(&self, stream: Stream, offset: u64, limit: usize) -> io::Result<Chunk> {
        match self.file(stream) {
            Some(file) => file.read(offset, limit),
            None => Ok(Chunk::empty_at(offset)),
        }
    }

    fn written(&self, stream: Stream) -> io::Result<u64> {
        Ok(self.file(stream).map_or(0, SpoolFile::size))
    }

    fn path(&self, stream: Stream) -> Option<&Path> {
        self.file(stream).map(|file| file.path.as_path())
    }
}

/// One file: the head, then perhaps a hole, then the tail.
#[derive(Debug)]
struct SpoolFile {
    path: PathBuf,
    head: u64,
    tail: u64,
    /// Where the hole that begins at `head` ends; 0 while there is none.
    dropped_to: AtomicU64,
    /// What the task cut off by itself, as far as that was seen.
    cut_off: AtomicU64,
    /// The length at the last look. Locked while the file is trimmed, so that one thread at a time does.
    longest: Mutex<u64>,
}

impl SpoolFile {
    fn create(&self) -> io::Result<File> {
        // Appending, so that two writers with descriptors of their own do not overwrite one another.
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600);
        match options.open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(dir) = self.path.parent() {
                    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
                }
                options.open(&self.path)
            }
            other => other,
        }
    }

    /// How long the file is; offsets lie below this.
    fn size(&self) -> u64 {
        // Not created yet, or removed by somebody: then there is nothing to read either.
        self.path.metadata().map_or(0, |meta| meta.len())
    }

    /// How much was written until the last look.
    fn seen(&self) -> u64 {
        *lock(&self.longest) + self.cut_off.load(Ordering::Acquire)
    }

    fn dropped(&self) -> u64 {
        let in_hole = self
            .dropped_to
            .load(Ordering::Acquire)
            .saturating_sub(self.head);
        in_hole + self.cut_off.load(Ordering::Acquire)
    }

    fn trim(&self) -> u64 {
        let mut longest = lock(&self.longest);
        let size = self.size();
        if size < *longest {
            // Cut off by its writer, as `> /dev/stderr` does. What was there is gone, the hole too.
            self.cut_off.fetch_add(*longest - size, Ordering::AcqRel);
            self.dropped_to.store(0, Ordering::Release);
        }
        *longest = size;
        if size > self.head + self.tail {
            self.drop_middle(size);
        }
        size + self.cut_off.load(Ordering::Acquire)
    }

    /// Rounded up, a little less of the tail is kept rather than more than the limit; but only whole pages that
    /// there are.
    fn drop_middle(&self, size: u64) {
        let to = pages_down(size - self.tail + PAGE - 1).min(pages_down(size));
        let before = self.dropped_to.load(Ordering::Acquire);
        let from = before.max(self.head);
        if to > from {
            // The mark goes first: a reader must not take the zeros of a new hole for output. Where no hole can be
            // made the file grows on, but nothing is told to be dropped that can be read.
            self.dropped_to.store(to, Ordering::Release);
            if self.punch(from, to).is_err() {
                self.dropped_to.store(before, Ordering::Release);
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn punch(&self, from: u64, to: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        let file = OpenOptions::new().write(true).open(&self.path)?;
        fallocate(
            &file,
            FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            from,
            to - from,
        )?;
        Ok(())
    }

    #[cfg(target_os = "macos")]
    fn punch(&self, from: u64, to: u64) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let out_of_range = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let hole = libc::fpunchhole_t {
            fp_flags: 0,
            reserved: 0,
            fp_offset: from.try_into().map_err(out_of_range)?,
            fp_length: (to - from).try_into().map_err(out_of_range)?,
        };
        // SAFETY: the descriptor is open and the argument is what F_PUNCHHOLE takes.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_PUNCHHOLE, &raw const hole) };
        if result < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    fn read(&self, offset: u64, limit: usize) -> io::Result<Chunk> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Chunk::empty_at(offset));
            }
            other => other?,
        };
        loop {
            let size = file.metadata()?.len();
            // 0 where there is no hole. One that ends beyond the file was cut off with it.
            let dropped_to = Some(self.dropped_to.load(Ordering::Acquire))
                .filter(|to| *to <= size)
                .unwrap_or(0);
            let (start, end) = if offset >= dropped_to {
                (offset, u64::MAX)
            } else if offset < self.head {
                (offset, self.head)
            } else {
                (dropped_to, u64::MAX)
            };
            let length = (end - start)
                .min(size.saturating_sub(start))
                .min(limit as u64);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
            let read = read_at_most(&file, &mut bytes, start)?;
            bytes.truncate(read);
            // The hole may have grown over what was read meanwhile; it never reaches into the head.
            let is_in_head = end == self.head;
            if is_in_head || bytes.is_empty() || start >= self.dropped_to.load(Ordering::Acquire) {
                return Ok(Chunk {
                    offset: start,
                    bytes,
                });
            }
        }
    }
}

pub(crate) fn read_at_most(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], start + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn pages_down(bytes: u64) -> u64 {
    bytes / PAGE * PAGE
}

/// What a job writes to.
#[derive(Debug)]
pub(crate) struct JobWriter(pub(crate) File);

impl JobOutput for JobWriter {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(limit: OutputLimit) -> (tempfile::TempDir, Spool, Writers) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let spool = Spool::new(
            &dir.path().join("spool"),
            TaskId::random(),
            OutputFiles::Merged,
            limit,
        );
        let writers = spool.create().expect("a new spool");
        (dir, spool, writers)
    }

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8 + 1).collect()
    }

    #[test]
    fn head_and_tail_are_kept_and_offsets_stay_true() {
        let (_dir, spool, mut writers) = spool(OutputLimit::keep(64 << 10));
        let all = pattern(1_000_000);
        for piece in all.chunks(10_000) {
            writers.stdout.write_all(piece).expect("room on the disk");
            spool.trim();
        }
        let stats = spool.stats();
        assert_eq!(stats.bytes, 1_000_000);
        let kept = stats.bytes - stats.dropped;
        assert!((60 << 10..=64 << 10).contains(&kept), "{kept} bytes kept");

        let head = spool.read(Stream::Stdout, 0, usize::MAX).expect("readable");
        assert_eq!((head.offset, head.bytes.len()), (0, 8 << 10));
        assert_eq!(head.bytes, all[..8 << 10]);
        let tail = spool
            .read(Stream::Stdout, head.next_offset(), usize::MAX)
            .expect("readable");
        assert_eq!(tail.offset, head.next_offset() + stats.dropped);
        assert_eq!(tail.bytes, all[tail.offset as usize..]);
        assert!(
            spool
                .read(Stream::Stdout, tail.next_offset(), 10)
                .expect("readable")
                .bytes
                .is_empty()
        );
    }

    #[test]
    fn what_is_within_the_limit_is_kept_whole() {
        let (_dir, spool, mut writers) = spool(OutputLimit::keep(64 << 10));
        let all = pattern(64 << 10);
        writers.stdout.write_all(&all).expect("room on the disk");
        spool.trim();
        assert_eq!(
            spool.stats(),
            OutputStats {
                bytes: 64 << 10,
                dropped: 0
            }
        );
        let chunk = spool.read(Stream::Stdout, 0, usize::MAX).expect("readable");
        assert_eq!(chunk.bytes, all);
    }

    #[test]
    fn reading_before_there_is_anything_finds_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let spool = Spool::new(
            dir.path(),
            TaskId::random(),
            OutputFiles::Split,
            OutputLimit::default(),
        );
        for stream in [Stream::Stdout, Stream::Stderr] {
            assert!(
                spool
                    .read(stream, 7, 10)
                    .expect("no file is no error")
                    .bytes
                    .is_empty()
            );
        }
        assert_eq!(spool.stats(), OutputStats::default());
    }
}
