//! `Read`: a text file, with numbered lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::Toolbox;
use crate::input::Input;
use crate::tool_result::{Answer, Refusal};
use crate::words::count;

const DEFAULT_LINES: u64 = 2_000;
/// A longer line is cut.
const LINE: usize = 2_000;
/// When an answer has so many bytes, it ends.
const CONTENT: usize = 100_000;
/// A call reads within its first poll, on the caller's thread. So it reads no further than this.
const SCANNED: u64 = 64 << 20;

/// Shows `limit` lines from line `offset`, which counts from 1.
pub(crate) fn call(toolbox: &Toolbox, input: &Input) -> Result<Answer, Refusal> {
    let path = toolbox.resolve(input.required_text("file_path")?);
    let first = input.whole("offset")?.unwrap_or(1).max(1);
    let limit = input.above_zero("limit")?.unwrap_or(DEFAULT_LINES);
    let refuse = |why: String| Refusal(format!("`file_path` {} {why}", path.display()));
    let file = open(&path).map_err(refuse)?;
    let page = Page::read(file, first, limit)
        .map_err(|error| refuse(format!("cannot be read: {error}")))?;
    page.answer(first).map_err(refuse)
}

fn open(path: &Path) -> Result<File, String> {
    // Looked at before it is opened: to open a pipe would wait for its writer.
    let metadata = path.metadata().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    if metadata.is_dir() {
        return Err("is a folder; list it with Bash and `ls`".to_owned());
    }
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    File::open(path).map_err(|error| format!("cannot be read: {error}"))
}

/// Some lines of a file.
struct Page {
    /// Numbered, as `cat -n` does.
    text: String,
    /// The last line that was looked at.
    last: u64,
    then: Then,
}

/// What comes after a page.
#[derive(PartialEq, Eq)]
enum Then {
    Nothing,
    MoreLines,
    /// Too far to look.
    Unknown,
}

impl Page {
    fn read(file: File, first: u64, limit: u64) -> io::Result<Self> {
        let is_long = file.metadata()?.len() > SCANNED;
        let mut lines = BufReader::new(file.take(SCANNED));
        let mut page = Self {
            text: String::new(),
            last: 0,
            then: if is_long {
                Then::Unknown
            } else {
                Then::Nothing
            },
        };
        let end = first.saturating_add(limit - 1);
        let mut line = Vec::new();
        while !lines.fill_buf()?.is_empty() {
            if page.last == end || page.text.len() >= CONTENT {
                page.then = Then::MoreLines;
                break;
            }
            line.clear();
            lines.read_until(b'\n', &mut line)?;
            page.last += 1;
            if page.last >= first {
                page.push(&line);
            }
        }
        Ok(page)
    }

    fn push(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        let (shown, more) = match line.char_indices().nth(LINE) {
            Some((cut, _)) => line.split_at(cut),
            None => (&*line, ""),
        };
        self.text.push_str(&format!("{:>6}\t{shown}", self.last));
        if !more.is_empty() {
            let more = count(more.chars().count() as u64, "character");
            self.text.push_str(&format!(" [… {more} more]"));
        }
        self.text.push('\n');
    }

    fn answer(self, first: u64) -> Result<Answer, String> {
        if self.last < first && self.then == Then::Nothing {
            return match self.last {
                0 if first == 1 => Ok(Answer::new("(the file is empty)")),
                last => Err(format!(
                    "has {}; `offset` {first} is beyond them",
                    count(last, "line")
                )),
            };
        }
        let next = self.last + 1;
        let (note, next_offset) = match self.then {
            Then::Nothing => (String::new(), None),
            Then::MoreLines => (
                format!("[… more lines follow; read on with `offset` {next} …]"),
                Some(next),
            ),
            Then::Unknown => (
                "[… the file goes on, further than Read looks; use Bash and `sed -n` …]".to_owned(),
                None,
            ),
        };
        Ok(Answer {
            next_offset,
            ..Answer::new(self.text + &note)
        })
    }
}
