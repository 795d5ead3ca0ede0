//! stdin, stdout and stderr, as they come from whoever started this program.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use smol::{channel, future};

use crate::error::Error;

/// Says something on stderr. There is nobody left to tell if that fails.
pub(crate) fn complain(what: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "meanwhile: {what}");
}

/// Prints whole lines for people on stderr.
pub(crate) fn print_text(text: &str) {
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
}

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
                    wait_for(&self.0, ready)?;
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

/// Blocks until one of `events`, an error or a hang-up, and says which.
fn wait_for(file: &File, events: PollFlags) -> io::Result<PollFlags> {
    let mut watched = [PollFd::new(file, events)];
    loop {
        match poll(&mut watched, None) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(watched[0].revents()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// stdout, written by a thread of its own: whoever does not read holds up nobody but themselves.
#[derive(Debug)]
pub(crate) struct Output {
    pieces: channel::Sender<Piece>,
    finished: channel::Receiver<io::Result<()>>,
}

struct Piece {
    bytes: Vec<u8>,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl Output {
    /// Takes whatever it is given, and keeps it until it is read.
    pub(crate) fn unbounded() -> Result<Self, Error> {
        Self::start(channel::unbounded())
    }

    /// Makes senders wait while this many pieces are unread.
    pub(crate) fn bounded(pieces: usize) -> Result<Self, Error> {
        Self::start(channel::bounded(pieces))
    }

    /// The thread ends with the last piece after [`finish`](Self::finish), with the first error, or with the process.
    fn start(
        (sender, pieces): (channel::Sender<Piece>, channel::Receiver<Piece>),
    ) -> Result<Self, Error> {
        let failed = |error| Error::own("cannot write to stdout", error);
        let mut stdout = Patient::stdout().map_err(failed)?;
        let (done, finished) = channel::bounded(1);
        let write = move || {
            let result = write_all(&pieces, &mut stdout);
            // Nobody may be waiting for it any more.
            let _ = done.send_blocking(result);
        };
        thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(write)
            .map_err(failed)?;
        Ok(Self {
            pieces: sender,
            finished,
        })
    }

    /// Writes `bytes`.
    pub(crate) async fn write(&self, bytes: Vec<u8>) {
        // If the thread has ended by an error, `broken` tells.
        let _ = self.pieces.send(Piece { bytes, then: None }).await;
    }

    /// Writes `bytes` and calls `then` once they were handed over; drops it if they never are.
    pub(crate) async fn write_then(&self, bytes: Vec<u8>, then: impl FnOnce() + Send + 'static) {
        let then: Box<dyn FnOnce() + Send> = Box::new(then);
        let _ = self
            .pieces
            .send(Piece {
                bytes,
                then: Some(then),
            })
            .await;
    }

    /// Waits until nothing can be written any more; for ever, if all goes well.
    pub(crate) async fn broken(&self) -> io::Error {
        match self.finished.recv().await {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => future::pending().await,
        }
    }

    /// Waits until all is written.
    pub(crate) async fn finish(&self) -> io::Result<()> {
        self.pieces.close();
        self.finished.recv().await.unwrap_or(Ok(()))
    }
}

fn write_all(pieces: &channel::Receiver<Piece>, stdout: &mut Patient) -> io::Result<()> {
    while let Ok(piece) = pieces.recv_blocking() {
        stdout.write_all(&piece.bytes)?;
        if let Some(then) = piece.then {
            then();
        }
    }
    Ok(())
}

/// Tells when the reader of stdout is gone, also while nothing is written.
#[derive(Debug)]
pub(crate) struct ReaderWatch(channel::Receiver<()>);

impl ReaderWatch {
    /// The thread ends when the reader is gone, or with the process.
    pub(crate) fn start() -> Result<Self, Error> {
        let failed = |error| Error::own("cannot watch stdout", error);
        let Patient(stdout) = Patient::stdout().map_err(failed)?;
        let (gone, receiver) = channel::bounded(1);
        let watch = move || {
            // No event is asked for: an error and a hang-up are told all the same.
            let found = wait_for(&stdout, PollFlags::empty());
            if found.is_ok_and(|events| events.intersects(PollFlags::ERR | PollFlags::HUP)) {
                let _ = gone.send_blocking(());
            }
            // What cannot be watched, as a terminal on macOS, is found broken by the next write.
        };
        thread::Builder::new()
            .name("stdout-watch".to_owned())
            .spawn(watch)
            .map_err(failed)?;
        Ok(Self(receiver))
    }

    pub(crate) async fn gone(&self) -> io::Error {
        match self.0.recv().await {
            Ok(()) => io::ErrorKind::BrokenPipe.into(),
            Err(_) => future::pending().await,
        }
    }
}
