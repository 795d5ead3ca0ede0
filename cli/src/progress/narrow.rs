//! A terminal with room to spare at its edge.

use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// What `^C` takes.
const ECHO: u16 = 2;

/// Draws at most so often in a second.
const RATE: u8 = 20;

/// Draws on stderr, but for its last columns; nowhere, if it is no terminal that can clear a line.
///
/// What is drawn is padded to the width and leaves the cursor behind it. At the very edge, the `^C` that the terminal
/// echoes would begin a new line, and that line would be cleared instead of the one that was drawn.
pub(super) fn narrow_stderr() -> ProgressDrawTarget {
    let terminal = Term::buffered_stderr();
    if !terminal.is_term() {
        return ProgressDrawTarget::hidden();
    }
    ProgressDrawTarget::term_like_with_hz(Box::new(Narrow(terminal)), RATE)
}

#[derive(Debug)]
struct Narrow(Term);

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(ECHO).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
