//! How a session is shown: to a person, as a timeline.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use console::{Style, Term};
use meanwhile_agent::{Item, Notifications, ToolResult, elapsed};
use serde_json::Value;

use super::input::{BadLine, Request};
use super::present::Present;
use crate::plain::plain;

/// Lines of a tool's result that are shown.
const RESULT_LINES: usize = 6;
/// Lines of an ended task's output that are shown.
const OUTPUT_LINES: usize = 40;

/// What was asked, launched, answered and told, each with the time since the beginning.
#[derive(Debug)]
pub(super) struct Timeline {
    began: Instant,
    /// What the calls that are not answered yet are about.
    calls: HashMap<String, String>,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            calls: HashMap::new(),
        }
    }

    fn entry(&self, mark: &str, style: &Style, headline: &str) -> Text {
        let time = format!("{:7.1}s", self.began.elapsed().as_secs_f64());
        let mut text = Text {
            shown: String::new(),
            width: usize::from(Term::stdout().size().1),
        };
        let room = text.width.saturating_sub(time.len() + 3);
        let headline = style.apply_to(cut(headline, room));
        // Writing to a string does not fail.
        let _ = writeln!(
            text.shown,
            "{} {} {headline}",
            dim().apply_to(time),
            style.apply_to(mark)
        );
        text
    }
}

impl Present for Timeline {
    fn request(&mut self, request: &Request) -> Vec<u8> {
        match request {
            Request::ToolUse(tool_use) => {
                let field = |name| tool_use.input.get(name).and_then(Value::as_str);
                let subject = ["command", "file_path", "task_id", "bash_id", "shell_id"]
                    .into_iter()
                    .find_map(field)
                    .unwrap_or_default();
                let about = field("description").unwrap_or(subject);
                let headline = format!("{}  {about}", tool_use.name);
                let text = self.entry("▶", &Style::new().bold(), &headline);
                self.calls.insert(tool_use.id.clone(), about.to_owned());
                match field("command") {
                    Some(command) if about != command => text.lines(&format!("$ {command}"), 3),
                    _ => text,
                }
            }
            Request::Turn => self.entry("·", &dim(), "the agent's next turn"),
            Request::Wait { .. } => {
                self.entry("·", &dim(), "the agent waits until it is told something")
            }
        }
        .into_bytes()
    }

    fn result(&mut self, result: &ToolResult) -> Vec<u8> {
        let about = self.calls.remove(&result.tool_use_id).unwrap_or_default();
        if let Some(task) = &result.task
            && task.ended_by.is_none()
        {
            let headline = format!("{} {} in the background: {about}", task.id, task.status);
            return self
                .entry("↻", &Style::new().cyan(), &headline)
                .into_bytes();
        }
        let (mark, style) = if result.is_error {
            ("✗", Style::new().red())
        } else {
            ("✓", Style::new().green())
        };
        let ended = result.task.as_ref().map_or_else(String::new, |task| {
            format!(
                "{} after {}: ",
                words(task.status),
                duration(task.elapsed_ms)
            )
        });
        self.entry(mark, &style, &format!("{ended}{about}"))
            .lines(&result.content, RESULT_LINES)
            .into_bytes()
    }

    fn notifications(&mut self, notifications: &Notifications) -> Vec<u8> {
        let mut shown = Vec::new();
        if notifications.items.is_empty() {
            shown = self.entry("·", &dim(), "nothing has ended").into_bytes();
        }
        for item in &notifications.items {
            shown.extend(self.ending(item));
        }
        shown
    }

    fn bad_line(&mut self, line: &BadLine) -> Vec<u8> {
        let headline = format!("line {}: {}", line.number, line.message);
        self.entry("!", &Style::new().red(), &headline).into_bytes()
    }
}

impl Timeline {
    fn ending(&self, item: &Item) -> Vec<u8> {
        let mut headline = format!("Background task {}", words(item.status));
        if let Some(code) = item.exit_code {
            let _ = write!(headline, ", exit code {code}");
        }
        if let Some(signal) = item.signal {
            let _ = write!(headline, ", signal {signal}");
        }
        let about = item.description.as_deref().unwrap_or(&item.command);
        let _ = write!(headline, " after {}: {about}", duration(item.duration_ms));
        let style = match item.status {
            "completed" => Style::new().green().bold(),
            "stopped" => Style::new().yellow().bold(),
            _ => Style::new().red().bold(),
        };
        self.entry("●", &style, &headline)
            .lines(&item.output, OUTPUT_LINES)
            .into_bytes()
    }
}

/// An entry in the making.
struct Text {
    shown: String,
    width: usize,
}

impl Text {
    const INDENT: &str = "           ";

    /// Adds the first and last of `lines`, at most `most` of them.
    fn lines(mut self, lines: &str, most: usize) -> Self {
        let lines: Vec<&str> = lines.trim_end().lines().collect();
        let (head, tail) = if lines.len() <= most {
            (lines.len(), 0)
        } else {
            (most / 2, most - most / 2)
        };
        let left_out = lines.len() - head - tail;
        self.dimmed(&lines[..head]);
        if left_out > 0 {
            self.dimmed(&[&format!("… {left_out} more lines")]);
        }
        self.dimmed(&lines[lines.len() - tail..]);
        self
    }

    fn dimmed(&mut self, lines: &[&str]) {
        let room = self.width.saturating_sub(Self::INDENT.len());
        for line in lines {
            let _ = writeln!(
                self.shown,
                "{}{}",
                Self::INDENT,
                dim().apply_to(cut(line, room))
            );
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        self.shown.into_bytes()
    }
}

fn dim() -> Style {
    Style::new().dim()
}

/// The first line of `text`, plain, in at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    let line = plain(text.lines().next().unwrap_or_default());
    console::truncate_str(&line, width, "…").into_owned()
}

/// A status of the wire as a person would write it.
fn words(status: &str) -> String {
    status.replace('_', " ")
}

fn duration(milliseconds: u64) -> String {
    elapsed(Duration::from_millis(milliseconds))
}
