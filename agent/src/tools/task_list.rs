//! `TaskList`: the agent's tasks, a line each.

use std::fmt::Write as _;
use std::time::Duration;

use crate::quote::{one_line, title};
use crate::tool_result::Answer;
use crate::words::{count, elapsed};
use crate::{TaskView, Toolbox};

/// More tasks than this are counted, not listed.
const LISTED: usize = 500;

/// What is not over first, in the order of the launches; what has ended after that, the newest first.
pub(crate) fn call(toolbox: &Toolbox) -> Answer {
    let mut own = toolbox.tasks().list();
    own.retain(|handle| handle.spec().get_owner() == toolbox.owner());
    let (mut handles, mut ended): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|handle| handle.exit().is_none());
    ended.reverse();
    let (live, over) = (handles.len(), ended.len());
    handles.append(&mut ended);
    let unlisted = handles.len().saturating_sub(LISTED);
    handles.truncate(LISTED);

    let mut content = match live + over {
        0 => "There are no tasks.".to_owned(),
        _ => format!(
            "{} running or queued, {over} ended.",
            count(live as u64, "task")
        ),
    };
    let mut views = Vec::with_capacity(handles.len());
    for handle in &handles {
        let view = TaskView::new(handle);
        content.push('\n');
        content.push_str(&line(&view));
        views.push(view);
    }
    if unlisted > 0 {
        // Writing to a String does not fail.
        let _ = write!(content, "\n… and {unlisted} more, not listed.");
    }
    Answer {
        content,
        tasks: Some(views),
        ..Answer::default()
    }
}

fn line(view: &TaskView) -> String {
    let end = match (view.exit_code, view.signal) {
        (Some(code), _) => format!(", exit code {code}"),
        (None, Some(signal)) => format!(", signal {signal}"),
        (None, None) => String::new(),
    };
    let time = elapsed(Duration::from_millis(view.elapsed_ms));
    let command = one_line(&view.command, 80);
    let description = match &view.description {
        Some(description) => format!("  {}", title(description, 80)),
        None => String::new(),
    };
    format!(
        "{}  {}{end}  {time}  {command}{description}",
        view.id, view.status
    )
}
