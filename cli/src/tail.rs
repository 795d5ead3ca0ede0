//! The end of an output: how far it has come, and what was said last.

use std::io;
use std::path::Path;

use meanwhile_process::SpoolReader;

use crate::plain::plain;

/// So many bytes are read from the end, however long the output is.
const ENOUGH: u64 = 2048;

#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// How long the output is.
    pub(crate) written: u64,
    /// The last line with anything on it, [`plain`].
    pub(crate) last_line: String,
}

impl Tail {
    /// Nothing if there is no output yet, or none that can be read.
    pub(crate) fn of(output: Option<&Path>) -> Self {
        let tail = output.and_then(|path| Self::read(path).ok());
        tail.unwrap_or_default()
    }

    fn read(path: &Path) -> io::Result<Self> {
        let output = SpoolReader::open(path)?;
        let written = output.written()?;
        let end = output.read(written.saturating_sub(ENOUGH), ENOUGH as usize)?;
        // A carriage return begins a line anew: progress bars live on it.
        let last_line = String::from_utf8_lossy(&end.bytes)
            .rsplit(['\n', '\r'])
            .map(plain)
            .find(|line| !line.trim().is_empty());
        Ok(Self {
            written,
            last_line: last_line.unwrap_or_default(),
        })
    }
}
