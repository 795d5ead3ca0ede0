//! How a session is shown: to a program, as JSON lines.

use meanwhile_agent::{Notifications, ToolResult};
use serde::Serialize;

use super::input::{BadLine, Request};

/// Turns what happens in a session into the bytes of whole lines; none for what is not shown.
pub(super) trait Present {
    fn request(&mut self, request: &Request) -> Vec<u8>;
    fn result(&mut self, result: &ToolResult) -> Vec<u8>;
    fn notifications(&mut self, notifications: &Notifications) -> Vec<u8>;
    fn bad_line(&mut self, line: &BadLine) -> Vec<u8>;
}

/// One JSON object a line, for each answer.
#[derive(Debug)]
pub(super) struct JsonLines;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Answer<'a> {
    ToolResult(&'a ToolResult),
    Notifications(&'a Notifications),
    #[serde(rename = "tool_result")]
    Refused {
        tool_use_id: &'a str,
        is_error: bool,
        content: &'a str,
    },
    Error {
        line: u64,
        message: &'a str,
    },
}

impl Present for JsonLines {
    fn request(&mut self, _: &Request) -> Vec<u8> {
        Vec::new()
    }

    fn result(&mut self, result: &ToolResult) -> Vec<u8> {
        line(&Answer::ToolResult(result))
    }

    fn notifications(&mut self, notifications: &Notifications) -> Vec<u8> {
        line(&Answer::Notifications(notifications))
    }

    fn bad_line(&mut self, bad: &BadLine) -> Vec<u8> {
        let message = &bad.message;
        line(&match &bad.call {
            Some(id) => Answer::Refused {
                tool_use_id: id,
                is_error: true,
                content: message,
            },
            None => Answer::Error {
                line: bad.number,
                message,
            },
        })
    }
}

fn line(answer: &Answer<'_>) -> Vec<u8> {
    let mut line =
        serde_json::to_vec(answer).expect("an answer has string keys and goes into memory");
    line.push(b'\n');
    line
}
