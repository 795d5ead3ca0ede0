//! The output of one task.

use meanwhile_agent::elapsed;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Palette, spread};
use crate::top::model::Output;
use crate::top::pager::Window;

pub(super) fn draw_output(
    frame: &mut Frame<'_>,
    header: Rect,
    body: Rect,
    output: &Output,
    palette: Palette,
) {
    let task = &output.page.task;
    let window = &output.page.window;
    let state = format!(
        "{}  {}  {}",
        task.words(),
        elapsed(task.elapsed),
        place(window)
    );
    let title = format!("{}  {}", task.id, task.title);
    let line = spread(title, vec![Span::raw(state)], usize::from(header.width));
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    frame.render_widget(line.style(reversed), header);

    if window.lines.is_empty() {
        frame.render_widget(Line::styled("no output", palette.dim()), body);
        return;
    }
    let lines: Vec<Line<'_>> = window
        .lines
        .iter()
        .map(|line| Line::raw(line.as_str()))
        .collect();
    let shift = u16::try_from(output.shift).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines).scroll((0, shift)), body);
}

/// How far down the window is.
fn place(window: &Window) -> String {
    if window.following {
        return "following".to_owned();
    }
    match (window.end * 100).checked_div(window.written) {
        Some(percent) => format!("{}%", percent.min(100)),
        None => "100%".to_owned(),
    }
}
