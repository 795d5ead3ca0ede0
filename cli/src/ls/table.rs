//! Tasks in aligned columns.

use std::fmt::Write;

use console::{Alignment, Style, Term, measure_text_width, pad_str, truncate_str};
use meanwhile_agent::{elapsed, one_line};
use meanwhile_core::Outcome;
use meanwhile_queue::TaskRecord;

use crate::outcome;

/// What a column is called, and what it says of a task.
type Column = (&'static str, fn(&TaskRecord) -> String);

/// As much of a command or description as names a task: models read this too, and some commands are whole scripts.
const TITLE: usize = 300;

const GAP: &str = "  ";

/// A line of names, then a line for each task: in colour and cut to the width on a terminal, plain elsewhere.
pub(super) fn of(tasks: &[TaskRecord]) -> String {
    let mut columns: Vec<Column> = vec![("ID", id), ("STATUS", status), ("ELAPSED", time)];
    if tasks.iter().any(|task| task.session != tasks[0].session) {
        columns.push(("SESSION", session));
    }
    columns.push(("TASK", about));

    let names: Vec<_> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let rows: Vec<Vec<_>> = tasks
        .iter()
        .map(|task| columns.iter().map(|(_, say)| say(task)).collect())
        .collect();
    let widths: Vec<_> = (0..columns.len())
        .map(|column| {
            let cells = rows
                .iter()
                .chain([&names])
                .map(|row| measure_text_width(&row[column]));
            cells.max().unwrap_or(0)
        })
        .collect();

    let mut lines = line(&names, &widths, &Style::new().bold());
    for (task, row) in tasks.iter().zip(&rows) {
        lines.push_str(&line(row, &widths, &style(task)));
    }
    lines
}

/// The second cell says how the task stands, in its style.
fn line(cells: &[String], widths: &[usize], style: &Style) -> String {
    let last = cells.len() - 1;
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = match column {
            column if column == last => cell.into(),
            _ => pad_str(cell, *width, Alignment::Left, None),
        };
        // Writing to a string does not fail.
        let _ = match column {
            1 => write!(line, "{GAP}{}", style.apply_to(cell)),
            0 => write!(line, "{cell}"),
            _ => write!(line, "{GAP}{cell}"),
        };
    }
    let terminal = Term::stdout();
    if terminal.is_term() {
        line = truncate_str(&line, usize::from(terminal.size().1), "…").into_owned();
    }
    line.push('\n');
    line
}

fn id(task: &TaskRecord) -> String {
    task.id.to_string()
}

fn status(task: &TaskRecord) -> String {
    let exit = task.exit.as_ref();
    exit.map_or_else(|| task.status().to_owned(), outcome::words)
}

fn style(task: &TaskRecord) -> Style {
    match task.exit.as_ref().map(|exit| exit.outcome()) {
        None => Style::new().cyan(),
        Some(Outcome::Completed) => Style::new().green(),
        Some(Outcome::Stopped) => Style::new().yellow(),
        Some(_) => Style::new().red(),
    }
}

fn time(task: &TaskRecord) -> String {
    if task.started_at.is_none() && task.exit.is_none() {
        return "-".to_owned();
    }
    elapsed(task.elapsed())
}

fn session(task: &TaskRecord) -> String {
    one_line(task.session.as_str(), 24)
}

fn about(task: &TaskRecord) -> String {
    let text = task.title();
    one_line(text, TITLE)
}
