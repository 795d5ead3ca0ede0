//! A task for people: a line for each thing that is known of it, and what it wrote.

use std::fmt::{Display, Write};

use meanwhile_agent::{elapsed, ending, excerpt, one_line, rfc3339};
use meanwhile_queue::TaskRecord;

use super::{EXCERPT, notice_word};
use crate::task_json::lossy;

pub(super) fn of(task: &TaskRecord) -> String {
    let mut text = facts(task);
    for path in [&task.stdout, &task.stderr].into_iter().flatten() {
        let excerpt = excerpt(path, EXCERPT);
        if !excerpt.is_empty() {
            text.push('\n');
        }
        for line in excerpt.lines() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {line}");
        }
    }
    text
}

fn facts(task: &TaskRecord) -> String {
    let exit = task.exit.as_ref();
    let status = match exit {
        Some(exit) => ending(exit),
        None if task.started_at.is_some() => format!("running for {}", elapsed(task.elapsed())),
        None => task.status().to_owned(),
    };
    let bytes = exit.map_or_else(|| task.written(), |exit| exit.output.bytes);
    let dropped = exit
        .map(|exit| exit.output.dropped)
        .filter(|dropped| *dropped > 0);
    let env = Some(task.env.join(", ")).filter(|names| !names.is_empty());

    let mut lines = Lines(String::new());
    lines.add("Task", task.id);
    lines.add("Status", status);
    lines.add("Command", &task.command);
    lines.add_some("Description", task.description.as_deref());
    lines.add("Session", &task.session);
    lines.add_some("Folder", task.cwd.as_deref().map(lossy));
    lines.add_some("Environment", env);
    lines.add_some("Timeout", task.timeout.map(elapsed));
    lines.add("Grace", elapsed(task.grace));
    lines.add_some("Process", task.leader.map(|leader| leader.pid));
    lines.add("Launched", rfc3339(task.launched_at));
    lines.add_some("Started", task.started_at.map(rfc3339));
    lines.add_some("Ended", exit.map(|exit| rfc3339(exit.ended_at)));
    lines.add_some("Ended by", exit.map(|exit| exit.ended_by));
    lines.add("Notification", notice_word(task.notice));
    lines.add("Output", format!("{bytes} bytes"));
    lines.add_some(
        "Dropped",
        dropped.map(|bytes| format!("{bytes} bytes from the middle")),
    );
    lines.add_some("Output file", task.stdout.as_deref().map(lossy));
    lines.add_some("Stderr file", task.stderr.as_deref().map(lossy));
    lines.0
}

/// Lines with a name in front.
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: impl Display) {
        let value = one_line(&value.to_string(), usize::MAX);
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{name:<13} {value}");
    }

    fn add_some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}
