//! How it is drawn. Everything fits itself to the screen, and to no screen at all.

mod help;
mod output;
mod tasks;

use std::env;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::ListState;

use self::help::draw_help;
use self::output::draw_output;
use self::tasks::draw_tasks;
use super::model::{Help, Model};
use crate::plain::plain;

/// The lines beside the tasks or the output: what it is about, what was said, the keys.
const OTHER_LINES: u16 = 3;

const LIST_KEYS: &str =
    "? help  q quit  ↑↓ move  r read  f follow  s stop  K kill  a ended  o session";
const OUTPUT_KEYS: &str = "? help  q back  ↑↓ PgUp PgDn g G scroll  ←→ shift  f follow  s stop";

/// What drawing remembers from one time to the next.
#[derive(Debug)]
pub(super) struct View {
    palette: Palette,
    /// How far each list is scrolled.
    open: ListState,
    ended: ListState,
}

/// Colours, or none: then the cells keep the terminal's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Palette {
    Coloured,
    Plain,
}

/// How many lines of output fit on a screen of so many lines.
pub(super) fn page_lines(screen: u16) -> usize {
    usize::from(screen.saturating_sub(OTHER_LINES))
}

impl View {
    pub(super) fn new(palette: Palette) -> Self {
        Self {
            palette,
            open: ListState::default(),
            ended: ListState::default(),
        }
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, model: &Model) {
        let [header, body, said, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let names = match &model.output {
            Some(output) => {
                draw_output(frame, header, body, output, self.palette);
                OUTPUT_KEYS
            }
            None => {
                draw_tasks(frame, header, body, model, self);
                LIST_KEYS
            }
        };
        self.draw_said(frame, said, model);
        frame.render_widget(Line::styled(names, self.palette.dim()), keys);
        if model.help == Help::Shown {
            draw_help(frame, frame.area(), self.palette);
        }
    }

    fn draw_said(&self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        let line = match &model.question {
            Some(question) => {
                let style = self.palette.of(Color::Yellow).add_modifier(Modifier::BOLD);
                Line::styled(question.words(), style)
            }
            None => Line::raw(plain(&model.message)),
        };
        frame.render_widget(line, area);
    }
}

impl Palette {
    /// That of the environment: <https://no-color.org>.
    pub(super) fn from_env() -> Self {
        match env::var_os("NO_COLOR") {
            Some(value) if !value.is_empty() => Self::Plain,
            _ => Self::Coloured,
        }
    }

    fn of(self, colour: Color) -> Style {
        match self {
            Self::Coloured => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }

    fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
}

/// `left`, cut if it must be, with `right` at the end of the line.
fn spread<'a>(left: String, right: Vec<Span<'a>>, width: usize) -> Line<'a> {
    let taken: usize = right.iter().map(Span::width).sum();
    let room = width.saturating_sub(taken + 1);
    let left = cut(&left, room);
    let gap = room.saturating_sub(console::measure_text_width(&left)) + 1;
    let mut line = Line::from(vec![Span::raw(left), Span::raw(" ".repeat(gap))]);
    line.spans.extend(right);
    line
}

/// The first of `text`, in at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

#[cfg(test)]
mod tests;
