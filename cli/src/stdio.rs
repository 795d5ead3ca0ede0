//! stdout and stderr, whose readers may be slow or gone.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::thread;

use rustix::event::PollFlags;
use serde::Serialize;
use smol::{channel, future};

use crate::error::Error;
use crate::patient::Patient;

/// Says something on stderr. There is nobody left to tell if that fails.
pub(crate) fn complain(what: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "meanwhile: {what}");
}

/// Prints whole lines for people on stderr.
pub(crate) fn print_text(text: &str) {
    let _ = try_print_text(text);
}

/// Likewise, where it matters whether anybody was told.
pub(crate) fn try_print_text(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{}", text.trim_end())
}

/// Whether this is a plain file.
pub(crate) fn is_file(stream: impl AsFd) -> bool {
    let file = stream.as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata())
        .is_ok_and(|meta| meta.is_file())
}

/// Prints a whole result on stdout. A reader who went away had enough.
pub(crate) fn print(result: &[u8]) -> Result<(), Error> {
    try_print(result).or_else(had_enough)
}

/// Prints a whole result on stdout.
pub(crate) fn try_print(result: &[u8]) -> io::Result<()> {
    Patient::stdout()?.write_all(result)
}

/// Nothing went wrong if stdout cannot be written because its reader went away: as in `meanwhile ls | head`.
pub(crate) fn had_enough(error: io::Error) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Error::own("cannot write to stdout", error)),
    }
}

/// A line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value)
        .expect("what this program prints has names for keys, and nothing that JSON cannot hold");
    line.push(b'\n');
    line
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
        Self::to_stdout(channel::unbounded())
    }

    /// Makes senders wait while this many pieces are unread.
    pub(crate) fn bounded(pieces: usize) -> Result<Self, Error> {
        Self::to_stdout(channel::bounded(pieces))
    }

    fn to_stdout(
        pieces: (channel::Sender<Piece>, channel::Receiver<Piece>),
    ) -> Result<Self, Error> {
        let started = Patient::stdout().and_then(|stdout| Self::start(pieces, stdout));
        started.map_err(|error| Error::own("cannot write to stdout", error))
    }

    /// The thread ends with the last piece after [`finish`](Self::finish), with the first error, or with the process.
    fn start(
        (sender, pieces): (channel::Sender<Piece>, channel::Receiver<Piece>),
        mut stdout: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let (done, finished) = channel::bounded(1);
        let mut last_word = LastWord {
            pieces,
            done,
            result: None,
        };
        let write = move || last_word.result = Some(write_all(&last_word.pieces, &mut stdout));
        thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(write)?;
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

    /// Writes `bytes` and waits until they were handed over.
    pub(crate) async fn write_through(&self, bytes: Vec<u8>) -> io::Result<()> {
        let (handed_over, told) = channel::bounded(1);
        // Whoever waited may be gone.
        let then = move || {
            let _ = handed_over.try_send(());
        };
        self.write_then(bytes, then).await;
        if told.recv().await.is_ok() {
            return Ok(());
        }
        // The reason is told once; after that it is enough to know that there was one.
        match self.finished.recv().await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
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

/// What the thread leaves when it ends, also by a panic.
struct LastWord {
    pieces: channel::Receiver<Piece>,
    done: channel::Sender<io::Result<()>>,
    /// `None` while it writes, and so after a panic.
    result: Option<io::Result<()>>,
}

impl Drop for LastWord {
    fn drop(&mut self) {
        // A channel keeps what was sent for as long as somebody may send. Whoever waits for what is in there, or for
        // what they send from here on, must hear that it is never written.
        self.pieces.close();
        while self.pieces.try_recv().is_ok() {}
        // Nobody may be waiting for it any more.
        let panicked = || Err(io::Error::other("its thread has panicked"));
        let _ = self
            .done
            .send_blocking(self.result.take().unwrap_or_else(panicked));
    }
}

fn write_all(pieces: &channel::Receiver<Piece>, stdout: &mut impl Write) -> io::Result<()> {
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
        let stdout = Patient::stdout().map_err(failed)?;
        let (gone, receiver) = channel::bounded(1);
        let watch = move || {
            // No event is asked for: an error and a hang-up are told all the same.
            let found = stdout.wait(PollFlags::empty());
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::pause::pause;

    /// Fails as soon as it may.
    struct Broken(mpsc::Receiver<()>);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Fails if somebody waits for ever.
    fn in_time<T>(waits: impl Future<Output = T>) -> T {
        let too_late = async {
            pause(Duration::from_secs(60)).await;
            panic!("somebody waits for ever");
        };
        smol::block_on(future::or(waits, too_late))
    }

    #[test]
    fn nobody_waits_for_what_is_never_written() {
        let (fail, may_fail) = mpsc::channel();
        let output = Output::start(channel::unbounded(), Broken(may_fail)).unwrap();
        let line = || output.write_through(b"line".to_vec());
        let writes = future::zip(future::zip(line(), line()), async { drop(fail) });
        let ((first, second), ()) = in_time(writes);
        let mut kinds = [first, second].map(|result| result.unwrap_err().kind());
        kinds.sort();
        let mut expected = [io::ErrorKind::StorageFull, io::ErrorKind::BrokenPipe];
        expected.sort();
        assert_eq!(kinds, expected);
        let late = smol::block_on(line());
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn nobody_waits_for_what_a_panic_has_kept_from_being_written() {
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let output = Output::start(channel::unbounded(), io::sink()).unwrap();
        let panics = move || {
            let _ = may_go_on.recv();
            panic!("what follows on a piece");
        };
        in_time(output.write_then(Vec::new(), panics));
        let writes = future::zip(output.write_through(Vec::new()), async { drop(go_on) });
        let (result, ()) = in_time(writes);
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::Other);
    }
}
