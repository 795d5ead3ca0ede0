//! What the keys do.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Color;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::Palette;

const KEYS: &[&str] = &[
    "↑ ↓ or k j      move",
    "PgUp PgDn g G   further, to the first, to the last",
    "r or Enter      read the output",
    "f               follow the output as it grows",
    "← → or h l      in the output: shift it sideways",
    "q or Esc        in the output: back to the tasks",
    "s               stop the task, with time to tidy up",
    "K               kill it at once",
    "a               all tasks that ended, or the unread",
    "o               only the session of this task, or all",
    "q or Ctrl-C     quit; tasks go on",
    "",
    "any key         back",
];

pub(super) fn draw_help(frame: &mut Frame<'_>, area: Rect, palette: Palette) {
    let lines: Vec<Line<'_>> = KEYS.iter().map(|line| Line::raw(*line)).collect();
    let height = u16::try_from(KEYS.len() + 2).unwrap_or(u16::MAX);
    let place = area.centered(Constraint::Max(58), Constraint::Max(height));
    let frame_style = palette.of(Color::Cyan);
    let text =
        Paragraph::new(lines).block(Block::bordered().title("keys").border_style(frame_style));
    frame.render_widget(Clear, place);
    frame.render_widget(text, place);
}
