//! The lines that come in.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use meanwhile_agent::ToolUse;
use serde::Deserialize;
use serde_json::{Map, Value};
use smol::channel;

use crate::error::Error;
use crate::patient::Patient;

/// What one line asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    ToolUse(ToolUse),
    Turn,
    Wait { timeout: Option<Duration> },
}

/// What the reader found.
#[derive(Debug)]
pub(super) enum Entry {
    Request(Request),
    Bad(BadLine),
    /// The input cannot be read any further.
    Broken(io::Error),
}

/// A line that asks for nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) number: u64,
    /// The call that somebody waits for an answer to, if the line is one and names itself.
    pub(super) call: Option<String>,
    pub(super) message: String,
}

/// Where lines come from: a file, or stdin.
#[derive(Debug)]
pub(super) struct Source(Patient);

impl Source {
    /// Opens it. A named pipe waits here until somebody writes to it.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = file else {
            return Patient::stdin()
                .map(Self)
                .map_err(|error| Error::own("cannot read stdin", error));
        };
        let failed = |error| Error::own(format!("cannot open {}", path.display()), error);
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self(Patient::new(file)))
    }

    /// Reads on a thread of its own, so that a client who is slow to write holds nothing up. It reads a few lines
    /// ahead of what is done. The thread ends with the input, or with the process.
    pub(super) fn read(self) -> Result<channel::Receiver<Entry>, Error> {
        const AHEAD: usize = 16;
        let (sender, entries) = channel::bounded(AHEAD);
        let read = move || {
            for entry in Lines::of(BufReader::new(self.0)) {
                if sender.send_blocking(entry).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(read)
            .map_err(|error| Error::own("cannot read the input", error))?;
        Ok(entries)
    }
}

/// The entries of an input, blank lines left out.
struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    is_over: bool,
}

impl<R: BufRead> Lines<R> {
    /// No call needs more, and a line without an end must not take all memory.
    const LONGEST: u64 = 64 << 20;

    fn of(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
            is_over: false,
        }
    }

    fn read_line(&mut self) -> io::Result<Found> {
        self.line.clear();
        let read = (&mut self.input)
            .take(Self::LONGEST + 1)
            .read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(Found::End);
        }
        if read as u64 > Self::LONGEST && self.line.last() != Some(&b'\n') {
            self.line = Vec::new();
            self.input.skip_until(b'\n')?;
            return Ok(Found::TooLong);
        }
        Ok(Found::Line)
    }
}

enum Found {
    Line,
    TooLong,
    End,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while !self.is_over {
            self.number += 1;
            let parsed = match self.read_line() {
                Ok(Found::Line) if self.line.trim_ascii().is_empty() => continue,
                Ok(Found::Line) => parse(&self.line),
                Ok(Found::TooLong) => {
                    Err(format!("the line is longer than {} MiB", Self::LONGEST >> 20).into())
                }
                Ok(Found::End) => break,
                Err(error) => {
                    self.is_over = true;
                    return Some(Entry::Broken(error));
                }
            };
            return Some(match parsed {
                Ok(request) => Entry::Request(request),
                Err(Problem { call, message }) => Entry::Bad(BadLine {
                    number: self.number,
                    call,
                    message,
                }),
            });
        }
        self.is_over = true;
        None
    }
}

/// What is wrong with a line.
#[derive(Debug)]
struct Problem {
    call: Option<String>,
    message: String,
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self {
            call: None,
            message,
        }
    }
}

fn parse(line: &[u8]) -> Result<Request, Problem> {
    let fields = match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => return Err(format!("a line is an object, not {}", kind(&other)).into()),
        // It counts lines, too, and would say 1 of each.
        Err(error) => {
            let reason = error
                .to_string()
                .replace(" at line 1 column ", " at column ");
            return Err(format!("not JSON: {reason}").into());
        }
    };
    match text(&fields, "type")? {
        "tool_use" => tool_use(fields),
        "turn" => Ok(Request::Turn),
        "wait" => Ok(Request::Wait {
            timeout: timeout(fields.get("timeout"))?,
        }),
        word => {
            let word: String = word.chars().take(40).collect();
            Err(format!("`type` is {word:?}; it must be \"tool_use\", \"turn\" or \"wait\"").into())
        }
    }
}

fn tool_use(fields: Map<String, Value>) -> Result<Request, Problem> {
    let id = match fields.get("id") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(&fields, "id")?.to_owned()),
    };
    let of_call = |message| Problem {
        call: id.clone(),
        message,
    };
    text(&fields, "name").map_err(of_call)?;
    ToolUse::deserialize(Value::Object(fields))
        .map(Request::ToolUse)
        .map_err(|error| of_call(format!("not a tool use: {error}")))
}

fn text<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<&'a str, String> {
    match fields.get(field) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("`{field}` must be a string, not {}", kind(other))),
        None => Err(format!("`{field}` is missing")),
    }
}

fn timeout(value: Option<&Value>) -> Result<Option<Duration>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .map(|milliseconds| Some(Duration::from_millis(milliseconds)))
            .ok_or_else(|| {
                format!(
                    "`timeout` must be a whole number of milliseconds, not {}",
                    kind(value)
                )
            }),
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(input: &[u8]) -> Vec<Entry> {
        Lines::of(input).collect()
    }

    fn message(input: &[u8]) -> String {
        match entries(input).as_slice() {
            [
                Entry::Bad(BadLine {
                    number: 1, message, ..
                }),
            ] => message.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_the_next_one_is_read() {
        let found =
            entries(b"\n  \r\n{\"type\":\"turn\"}\r\n\xff\xfe\n{\"type\":\"wait\",\"timeout\":5}");
        assert!(
            matches!(found[0], Entry::Request(Request::Turn)),
            "{found:?}"
        );
        assert!(
            matches!(found[1], Entry::Bad(BadLine { number: 4, .. })),
            "{found:?}"
        );
        let five = Some(Duration::from_millis(5));
        assert!(
            matches!(found[2], Entry::Request(Request::Wait { timeout }) if timeout == five),
            "{found:?}"
        );
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        for (line, words) in [
            (r#"{"type":"trun"}"#, r#"`type` is "trun""#),
            (r#"{"type":7}"#, "`type` must be a string, not 7"),
            (r"{}", "`type` is missing"),
            (r"[]", "not an array"),
            (
                r#"{"type":"wait","timeout":-1}"#,
                "`timeout` must be a whole number",
            ),
            (
                r#"{"type":"wait","timeout":"5s"}"#,
                "`timeout` must be a whole number",
            ),
            (
                r#"{"type":"tool_use","name":[]}"#,
                "`name` must be a string, not an array",
            ),
            (
                r#"{"type":"tool_use","id":7,"name":"Bash"}"#,
                "`id` must be a string, not 7",
            ),
            (r#"{"type":"tool_use"}"#, "`name` is missing"),
        ] {
            let said = message(line.as_bytes());
            assert!(said.contains(words), "{line}: {said}");
        }
    }

    #[test]
    fn a_call_that_names_itself_is_answered_by_that_name() {
        let found = entries(br#"{"type":"tool_use","id":"a","name":null}"#);
        assert!(
            matches!(&found[..], [Entry::Bad(BadLine { call: Some(call), .. })] if call == "a"),
            "{found:?}"
        );
    }

    #[test]
    fn deep_nesting_and_null_bytes_are_just_bad_lines() {
        message(&b"[".repeat(1 << 20));
        message(b"\0\0\0");
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let longest = usize::try_from(Lines::<&[u8]>::LONGEST).unwrap();
        let mut input = vec![b'x'; longest + 10];
        input.extend_from_slice(b"\n{\"type\":\"turn\"}");
        let found = entries(&input);
        assert!(
            matches!(&found[0], Entry::Bad(BadLine { number: 1, message, .. }) if message.contains("longer")),
            "{found:?}"
        );
        assert!(matches!(found[1], Entry::Request(Request::Turn)));
    }
}
