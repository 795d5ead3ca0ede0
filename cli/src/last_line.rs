//! What a task said last.

use crate::progress::printable;

/// The last line with anything on it, in `end`, the end of an output.
pub(crate) fn last_line(end: &[u8]) -> Option<String> {
    // A carriage return begins a line anew: progress bars live on it.
    String::from_utf8_lossy(end)
        .rsplit(['\n', '\r'])
        .map(printable)
        .find(|line| !line.trim().is_empty())
}
