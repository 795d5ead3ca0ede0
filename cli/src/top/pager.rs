//! A window on the output of a task, moved by lines. No more is read than is shown, however long the output is.

use std::io;
use std::path::Path;

use meanwhile_process::SpoolReader;

use crate::plain::plain;

/// How much is read at once.
const BLOCK: usize = 64 << 10;

/// Where a line is cut that has no end for so long.
const LONGEST_LINE: usize = 4096;

/// How far back the beginning of a line is looked for.
const FAR: u64 = 1 << 20;

/// The output of one task, and where in it the window is.
#[derive(Debug)]
pub(super) struct Pager {
    reader: SpoolReader,
    /// Where the first line of the window begins.
    top: u64,
    height: usize,
    following: bool,
}

/// A move of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scroll {
    Down(usize),
    Up(usize),
    PageDown,
    PageUp,
    Start,
    End,
    /// To the end, and on with it as it grows, until the next move.
    Follow,
}

/// The lines in sight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Plain text.
    pub(super) lines: Vec<String>,
    /// The offset behind them.
    pub(super) end: u64,
    /// How long the output is.
    pub(super) written: u64,
    pub(super) following: bool,
}

impl Pager {
    /// A window of `height` lines at the start of the output.
    pub(super) fn open(path: &Path, height: usize) -> io::Result<Self> {
        Ok(Self {
            reader: SpoolReader::open(path)?,
            top: 0,
            height,
            following: false,
        })
    }

    pub(super) fn set_height(&mut self, lines: usize) {
        self.height = lines;
    }

    pub(super) fn is_following(&self) -> bool {
        self.following
    }

    pub(super) fn scroll(&mut self, scroll: Scroll) -> io::Result<()> {
        self.following = scroll == Scroll::Follow;
        // A line of the old page stays in sight.
        let page = self.height.saturating_sub(1).max(1);
        self.top = match scroll {
            Scroll::Down(lines) => self.below(lines)?,
            Scroll::PageDown => self.below(page)?,
            Scroll::Up(lines) => self.above(self.top, lines)?,
            Scroll::PageUp => self.above(self.top, page)?,
            Scroll::Start => 0,
            Scroll::End | Scroll::Follow => self.above(self.reader.written()?, self.height)?,
        };
        Ok(())
    }

    /// What is in the window now.
    pub(super) fn window(&mut self) -> io::Result<Window> {
        let written = self.reader.written()?;
        if self.following {
            self.top = self.above(written, self.height)?;
        }
        let mut lines = self.lines(self.top, u64::MAX, self.height)?;
        if lines.len() < self.height && self.top > 0 {
            // The window reaches beyond the end.
            let end = lines.last().map_or(written, |line| line.end);
            self.top = self.above(end, self.height)?;
            lines = self.lines(self.top, u64::MAX, self.height)?;
        }
        Ok(Window {
            end: lines.last().map_or(self.top, |line| line.end),
            lines: lines.iter().map(Line::text).collect(),
            written,
            following: self.following,
        })
    }

    /// Where the line begins that is `lines` below the top.
    fn below(&self, lines: usize) -> io::Result<u64> {
        let passed = self.lines(self.top, u64::MAX, lines.saturating_add(1))?;
        Ok(passed.last().map_or(self.top, |line| line.start))
    }

    /// Where the line begins that is `lines` above the place where another one begins.
    fn above(&self, mut place: u64, lines: usize) -> io::Result<u64> {
        let mut missing = lines;
        while missing > 0 && place > 0 {
            let before = self.lines_before(place, missing)?;
            let taken = missing.min(before.len());
            let Some(line) = before.get(before.len() - taken) else {
                break;
            };
            place = line.start;
            missing -= taken;
        }
        Ok(place)
    }

    /// Some of the lines that end at `place`, about `wanted`.
    fn lines_before(&self, place: u64, wanted: usize) -> io::Result<Vec<Line>> {
        let mut reach = (wanted as u64 + 1) * LONGEST_LINE as u64;
        loop {
            let start = place.saturating_sub(reach);
            let mut found = self.lines(start, place, usize::MAX)?;
            if start == 0 {
                return Ok(found);
            }
            // Where the first line begins is not known, nor where it is to be cut.
            if let Some(known) = found.iter().position(Line::is_ended) {
                let first_is_hole = found[0].bytes.is_none();
                found.drain(..if first_is_hole { 0 } else { known + 1 });
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            if reach >= FAR {
                return self.lines(start, place, usize::MAX);
            }
            reach *= 2;
        }
    }

    /// The lines from offset `from` on that begin before `to`, `most` of them at most.
    fn lines(&self, from: u64, to: u64, most: usize) -> io::Result<Vec<Line>> {
        let mut lines = Lines::default();
        let mut place = from;
        while place < to && lines.whole.len() < most {
            let room = usize::try_from(to - place).unwrap_or(usize::MAX);
            let mut chunk = self.reader.read(place, BLOCK.min(room))?;
            if chunk.bytes.is_empty() {
                break;
            }
            if chunk.offset > place {
                lines.end_line(place);
                let start = self.hole_before(chunk.offset, place)?;
                lines.whole.push(Line::dropped(start, chunk.offset));
                let within = usize::try_from(to.saturating_sub(chunk.offset));
                chunk.bytes.truncate(within.unwrap_or(usize::MAX));
            }
            lines.take(chunk.offset, &chunk.bytes);
            place = chunk.next_offset();
        }
        lines.end_line(place);
        lines.whole.truncate(most);
        Ok(lines.whole)
    }

    /// Where the hole begins that `inside` lies in and that ends at `end`. The output has one hole at most.
    fn hole_before(&self, end: u64, inside: u64) -> io::Result<u64> {
        let (mut before, mut inside) = (0, inside);
        while before < inside {
            let middle = before + (inside - before) / 2;
            if self.reader.read(middle, 1)?.offset == end {
                inside = middle;
            } else {
                before = middle + 1;
            }
        }
        Ok(inside)
    }
}

/// A line, or what was dropped between two.
#[derive(Debug)]
struct Line {
    start: u64,
    end: u64,
    /// Without its end; none where the output was dropped.
    bytes: Option<Vec<u8>>,
}

impl Line {
    fn dropped(start: u64, end: u64) -> Self {
        Self {
            start,
            end,
            bytes: None,
        }
    }

    /// Whether another line begins behind it, and not a piece of this one.
    fn is_ended(&self) -> bool {
        self.bytes
            .as_ref()
            .is_none_or(|bytes| self.end > self.start + bytes.len() as u64)
    }

    fn text(&self) -> String {
        match &self.bytes {
            Some(bytes) => plain(&String::from_utf8_lossy(bytes)),
            None => format!("[{} bytes were dropped here]", self.end - self.start),
        }
    }
}

/// Lines in the making.
#[derive(Debug, Default)]
struct Lines {
    whole: Vec<Line>,
    begun: Vec<u8>,
    /// Whether the last byte was a carriage return. It ends a line, since progress bars live on it; a newline behind it
    /// belongs to the same end.
    returned: bool,
}

impl Lines {
    fn take(&mut self, offset: u64, bytes: &[u8]) {
        for (place, byte) in (offset..).zip(bytes) {
            match (byte, self.whole.last_mut()) {
                (b'\n', Some(line)) if self.returned && line.end == place => line.end += 1,
                (b'\n' | b'\r', _) => self.push(place, 1),
                _ => self.begun.push(*byte),
            }
            self.returned = *byte == b'\r';
            if self.begun.len() == LONGEST_LINE {
                self.push(place + 1, 0);
            }
        }
    }

    /// Ends the line that was begun, if one was, at the offset `place`.
    fn end_line(&mut self, place: u64) {
        if !self.begun.is_empty() {
            self.push(place, 0);
        }
    }

    /// Ends the line that was begun at the offset `place`, with so many bytes of line end behind it.
    fn push(&mut self, place: u64, line_end: u64) {
        let bytes = std::mem::take(&mut self.begun);
        self.whole.push(Line {
            start: place - bytes.len() as u64,
            end: place + line_end,
            bytes: Some(bytes),
        });
    }
}

#[cfg(test)]
mod tests;
