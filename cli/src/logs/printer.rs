//! One file of output on its way to stdout.

use std::io;
use std::path::PathBuf;

use meanwhile_process::SpoolReader;
use meanwhile_queue::TaskRecord;

use crate::error::Error;
use crate::stdio::{Output, complain};

/// How much is read at once.
const PIECE: u64 = 64 << 10;

/// Where to begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin {
    Byte(u64),
    LastLines(u64),
}

/// Prints a file of output as far as it has grown, and then what is new in it.
pub(super) struct Printer<'a> {
    path: PathBuf,
    begin: Begin,
    output: &'a Output,
    /// The file, once it is there, and how much of it is printed.
    open: Option<(SpoolReader, u64)>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(path: PathBuf, begin: Begin, output: &'a Output) -> Self {
        Self {
            path,
            begin,
            output,
            open: None,
        }
    }

    /// Prints what is there now and was not printed yet. No further than that: a task may write faster than it is read.
    pub(super) async fn print(&mut self) -> Result<(), Error> {
        self.open().map_err(|error| self.unreadable(error))?;
        let Some((file, offset)) = &mut self.open else {
            return Ok(());
        };
        let result = print(file, offset, self.output).await;
        result.map_err(|error| self.unreadable(error))
    }

    /// Once the task has ended: a file that should be there and is not was removed.
    pub(super) fn must_have_found(&self, task: &TaskRecord) -> Result<(), Error> {
        let has_written = task.exit.as_ref().is_some_and(|exit| exit.output.bytes > 0);
        match self.open {
            None if has_written => Err(self.unreadable(io::Error::other("it was removed"))),
            _ => Ok(()),
        }
    }

    fn open(&mut self) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let file = match SpoolReader::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let offset = match self.begin {
            Begin::Byte(offset) => offset,
            Begin::LastLines(lines) => file.tail_offset(lines)?,
        };
        self.open = Some((file, offset));
        Ok(())
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::own(
            format!("cannot read the output {}", self.path.display()),
            error,
        )
    }
}

async fn print(file: &SpoolReader, offset: &mut u64, output: &Output) -> io::Result<()> {
    let end = file.written()?;
    while *offset < end {
        let limit = (end - *offset).min(PIECE);
        let chunk = file.read(*offset, usize::try_from(limit).unwrap_or(usize::MAX))?;
        if chunk.bytes.is_empty() {
            break;
        }
        if chunk.offset > *offset {
            let dropped = chunk.offset - *offset;
            complain(format_args!(
                "{dropped} bytes from byte {offset} on were dropped to keep the output limit"
            ));
        }
        *offset = chunk.next_offset();
        output.write(chunk.bytes).await;
    }
    Ok(())
}
