//! The output of one task: files that are never cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use meanwhile_core::{Chunk, JobOutput, Output, Spec, Stream};

use super::backend::{Flaw, is_split};

#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    out: PathBuf,
    err: Option<PathBuf>,
    flaw: Flaw,
    ended: AtomicBool,
}

impl Files {
    pub(crate) fn new(folder: PathBuf, spec: &Spec, flaw: Flaw) -> Self {
        fs::create_dir(&folder).expect("a folder can be made in the one of this test");
        let out = folder.join("out");
        let err = is_split(spec, flaw).then(|| folder.join("err"));
        Self {
            folder,
            out,
            err,
            flaw,
            ended: AtomicBool::new(false),
        }
    }

    /// The files for stdout and stderr.
    pub(crate) fn open(&self) -> io::Result<(File, File)> {
        let appends = self.flaw != Flaw::WritesWithoutAppending;
        let open = |path| {
            let mut options = OpenOptions::new();
            options.create(true).write(true).append(appends).open(path)
        };
        Ok((
            open(&self.out)?,
            open(self.err.as_ref().unwrap_or(&self.out))?,
        ))
    }

    pub(crate) fn size(&self) -> u64 {
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |file| file.len());
        size(&self.out) + self.err.as_ref().map_or(0, size)
    }

    pub(crate) fn clear(&self) {
        for path in [Some(&self.out), self.err.as_ref()].into_iter().flatten() {
            File::create(path).expect("a file can be made in a folder of ours");
        }
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    fn bytes(&self, stream: Stream, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let path = match (stream, &self.err) {
            (Stream::Stdout, _) => &self.out,
            (_, Some(err)) => err,
            (_, None) => return Ok(Vec::new()),
        };
        let mut bytes = Vec::new();
        // There is none before the start.
        let Ok(mut file) = File::open(path) else {
            return Ok(bytes);
        };
        file.seek(SeekFrom::Start(offset))?;
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Output for Files {
    fn read(&self, stream: Stream, offset: u64, limit: usize) -> io::Result<Chunk> {
        let bytes = match self.flaw {
            Flaw::ShowsOutputAtTheEnd if !self.ended.load(Ordering::Relaxed) => Vec::new(),
            Flaw::LosesTheOrder if offset == 0 => {
                let mut both = self.bytes(Stream::Stdout, 0, limit)?;
                both.extend(self.bytes(Stream::Stderr, 0, limit)?);
                both
            }
            Flaw::ManglesBytes => {
                let bytes = self.bytes(stream, offset, limit)?;
                String::from_utf8_lossy(&bytes).into_owned().into_bytes()
            }
            _ => self.bytes(stream, offset, limit)?,
        };
        Ok(Chunk { offset, bytes })
    }

    fn written(&self, stream: Stream) -> io::Result<u64> {
        self.path(stream)
            .and_then(|path| fs::metadata(path).ok())
            .map_or(Ok(0), |file| Ok(file.len()))
    }

    fn path(&self, stream: Stream) -> Option<&Path> {
        match stream {
            Stream::Stdout => Some(&self.out),
            _ => self.err.as_deref(),
        }
    }
}

impl JobOutput for Files {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.open()?.0.write_all(bytes)
    }
}
