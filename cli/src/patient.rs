//! Blocking reads and writes on whatever this program was started with.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};

/// A file that may be in non-blocking mode: the mode belongs to the open file, which is shared with
/// whoever else holds it, and some programs set it on what they hand to their children.
#[derive(Debug)]
pub(crate) struct Patient(File);

impl Patient {
    pub(crate) fn new(file: File) -> Self {
        Self(file)
    }

    pub(crate) fn stdin() -> io::Result<Self> {
        Self::duplicate(io::stdin().as_fd())
    }

    pub(crate) fn stdout() -> io::Result<Self> {
        Self::duplicate(io::stdout().as_fd())
    }

    /// Blocks until one of `events`, an error or a hang-up, and says which.
    pub(crate) fn wait(&self, events: PollFlags) -> io::Result<PollFlags> {
        let mut watched = [PollFd::new(&self.0, events)];
        loop {
            match poll(&mut watched, None) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(watched[0].revents()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A descriptor of its own, past the buffer and the lock of std: a thread that waits in it holds nobody up.
    fn duplicate(descriptor: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(descriptor.try_clone_to_owned()?.into()))
    }

    fn retry<T>(
        &mut self,
        ready: PollFlags,
        mut act: impl FnMut(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match act(&mut self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(ready)?;
                }
                other => return other,
            }
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.retry(PollFlags::IN, |file| file.read(buffer))
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.retry(PollFlags::OUT, |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
