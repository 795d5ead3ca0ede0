//! Text from outside, made harmless before a model reads it.
//!
//! What a task prints is data. It must not be able to look like the frame around it: to end its own quote,
//! begin a line of ours, or reorder and hide characters on the way to the reader.

use std::fmt::Write as _;

use crate::words::shorten;

/// What a task wrote, as lines of plain text: ANSI sequences are gone, every kind of line end is `\n`, and
/// a character that hides or moves others is shown as an escape.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut clean = String::with_capacity(text.len());
    // Line by line, so that a sequence that is never closed swallows no more than its own line.
    for (number, line) in text.split(ends_line).enumerate() {
        if number > 0 {
            clean.push('\n');
        }
        for part in anstream::adapter::strip_str(line) {
            part.chars().for_each(|c| push_visible(&mut clean, c));
        }
    }
    clean
}

/// `text` with each line behind a mark that no line of the frame begins with.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        quoted.push_str("| ");
        quoted.push_str(line);
        quoted.push('\n');
    }
    quoted
}

/// A command, a path or a reason, on one line and of at most `limit` characters: line breaks and whatever a
/// terminal or a reader could take for more than a character are shown as escapes.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit));
    for c in text.trim().chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\t' => line.push_str("\\t"),
            c if ends_line(c) => push_escaped(&mut line, c),
            c => push_visible(&mut line, c),
        }
    }
    shorten(&line, limit)
}

/// Likewise in quotation marks, of which `text` then has none: an escaped one would do only for readers who
/// know the escape.
pub(crate) fn title(text: &str, limit: usize) -> String {
    format!("\"{}\"", one_line(text, limit).replace('"', "'"))
}

fn push_visible(to: &mut String, c: char) {
    if (c.is_control() && c != '\t') || moves_or_hides(c) || ends_line(c) {
        push_escaped(to, c);
    } else {
        to.push(c);
    }
}

fn push_escaped(to: &mut String, c: char) {
    // Writing to a String does not fail.
    let _ = write!(to, "{}", c.escape_default());
}

/// What some reader takes for the end of a line.
fn ends_line(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\x0b' | '\x0c' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Characters without a shape of their own: bidirectional controls reorder what is around them, the others
/// carry text that a person does not see and a model does. The joiners that emoji and scripts need stay.
fn moves_or_hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
