//! The list of tasks: above those that are not over, below those that are.

use std::collections::HashSet;
use std::time::Duration;

use indicatif::HumanBytes;
use meanwhile_agent::elapsed;
use meanwhile_core::Outcome;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, HighlightSpacing, List, ListItem, ListState};

use super::{Palette, View, cut, spread};
use crate::plain::plain;
use crate::progress::roughly;
use crate::top::model::Model;
use crate::top::rows::{Ended, EndedTasks, Load, Row, Running, State};

/// In front of the selected task, and as many blanks in front of the others.
const MARK: &str = "▌ ";
const MARK_WIDTH: usize = 2;

/// Where a line is wide enough for more than the time and the title.
const WIDE: usize = 60;

/// How many cells show how far a task is.
const GAUGE: usize = 10;

/// The most of a session's name that is shown.
const SESSION: usize = 12;

pub(super) fn draw_tasks(
    frame: &mut Frame<'_>,
    header: Rect,
    body: Rect,
    model: &Model,
    view: &mut View,
) {
    frame.render_widget(summary(model, usize::from(header.width)), header);

    let rows = &model.rows.rows;
    let open = rows.iter().take_while(|row| !row.has_ended()).count();
    let columns = Columns {
        width: usize::from(body.width).saturating_sub(MARK_WIDTH),
        session: session_width(rows),
        palette: view.palette,
    };
    let above = columns.items(&rows[..open]);
    let below = columns.items(&rows[open..]);

    let heading = 1;
    let wanted = heading + above.iter().map(ListItem::height).sum::<usize>();
    let height = usize::from(body.height);
    let least_below = (heading + below.len()).min(height / 3);
    let split = wanted.min(height - least_below);
    let split = Constraint::Length(u16::try_from(split).unwrap_or(u16::MAX));
    let [upper, lower] = Layout::vertical([split, Constraint::Fill(1)]).areas(body);

    let selected = model.place();
    view.open.select(selected.filter(|place| *place < open));
    view.ended
        .select(selected.and_then(|place| place.checked_sub(open)));
    let ended = match model.scope.ended {
        EndedTasks::Unread => "ended, not told yet",
        EndedTasks::All => "ended (● not told yet)",
    };
    draw_list(frame, upper, "running and queued", above, &mut view.open);
    draw_list(frame, lower, ended, below, &mut view.ended);
}

fn draw_list(
    frame: &mut Frame<'_>,
    area: Rect,
    name: &'static str,
    items: Vec<ListItem<'_>>,
    state: &mut ListState,
) {
    let heading = Block::new().borders(Borders::TOP).title(name);
    let room = usize::from(heading.inner(area).height);
    *state.offset_mut() = state.offset().min(furthest(&items, room));
    let list = List::new(items)
        .block(heading)
        .highlight_symbol(MARK)
        .highlight_spacing(HighlightSpacing::Always)
        .highlight_style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_stateful_widget(list, area, state);
}

/// How far a list can be scrolled without a gap at its end: after the terminal has grown, or tasks have gone.
fn furthest(items: &[ListItem<'_>], room: usize) -> usize {
    let mut height = 0;
    let fitting = items.iter().rev().take_while(|item| {
        height += item.height();
        height <= room
    });
    items.len() - fitting.count()
}

/// How many tasks there are, and whose.
fn summary(model: &Model, width: usize) -> Line<'static> {
    let rows = &model.rows;
    let mut counts = format!(
        "meanwhile: {} running, {} queued, {} unread",
        rows.running, rows.queued, rows.unread
    );
    if rows.left_out > 0 {
        counts.push_str(&format!(", {} not shown", rows.left_out));
    }
    let scope = match &model.scope.session {
        Some(session) => format!("session {}", cut(&plain(session.as_str()), SESSION)),
        None => "all sessions".to_owned(),
    };
    spread(counts, vec![Span::raw(scope)], width).style(Style::new().add_modifier(Modifier::BOLD))
}

/// How wide the column of sessions is; there is none if all tasks are of one.
fn session_width(rows: &[Row]) -> usize {
    let names: HashSet<&str> = rows.iter().map(|row| row.session.as_str()).collect();
    if names.len() < 2 {
        return 0;
    }
    let widths = names
        .iter()
        .map(|name| console::measure_text_width(&plain(name)));
    widths.max().unwrap_or(0).min(SESSION)
}

/// What all rows have in common.
struct Columns {
    width: usize,
    session: usize,
    palette: Palette,
}

impl Columns {
    fn items(&self, rows: &[Row]) -> Vec<ListItem<'static>> {
        if rows.is_empty() {
            return vec![ListItem::new(Span::styled("none", self.palette.dim()))];
        }
        rows.iter().map(|row| self.item(row)).collect()
    }

    fn item(&self, row: &Row) -> ListItem<'static> {
        match &row.state {
            State::Queued => {
                let queued = Span::styled("queued", self.palette.dim());
                ListItem::new(spread(self.name(row), vec![queued], self.width))
            }
            State::Running(running) => {
                let first = spread(self.name(row), self.progress(row, running), self.width);
                ListItem::new(Text::from(vec![first, self.details(running)]))
            }
            State::Ended(ended) => {
                let unread = if ended.is_unread() { "● " } else { "  " };
                let left = format!("{unread}{}", self.name(row));
                ListItem::new(spread(left, self.ending(row, ended), self.width))
            }
        }
    }

    fn name(&self, row: &Row) -> String {
        if self.session == 0 {
            return format!("{}  {}", row.id, row.title);
        }
        let session = cut(&plain(row.session.as_str()), self.session);
        let session = console::pad_str(&session, self.session, console::Alignment::Left, None);
        format!("{}  {session}  {}", row.id, row.title)
    }

    /// The time, and how far that is.
    fn progress(&self, row: &Row, running: &Running) -> Vec<Span<'static>> {
        let time = format!("{:>9}", elapsed(row.elapsed));
        let mut spans = vec![Span::styled(time, self.palette.of(Color::Cyan))];
        if self.width >= WIDE
            && let Some(usual) = running.usual
        {
            let words = format!("  usually {:<9} ", roughly(usual));
            spans.push(Span::styled(words, self.palette.dim()));
            let colour = if row.elapsed > usual {
                Color::Yellow
            } else {
                Color::Green
            };
            spans.push(Span::styled(
                gauge(row.elapsed, usual),
                self.palette.of(colour),
            ));
        }
        spans
    }

    /// What it takes, and what it said last.
    fn details(&self, running: &Running) -> Line<'static> {
        let line = if self.width < WIDE {
            format!("  {}", running.last_line)
        } else {
            format!("  {}  {}", load(running.load), running.last_line)
        };
        Line::styled(cut(&line, self.width), self.palette.dim())
    }

    fn ending(&self, row: &Row, ended: &Ended) -> Vec<Span<'static>> {
        let colour = match ended.exit.outcome() {
            Outcome::Completed => Color::Green,
            Outcome::Stopped => Color::Yellow,
            _ => Color::Red,
        };
        let mut spans = vec![Span::styled(row.words(), self.palette.of(colour))];
        if self.width >= WIDE {
            spans.push(Span::raw(format!("{:>11}", elapsed(row.elapsed))));
        }
        spans
    }
}

/// A bar of [`GAUGE`] cells, full at the usual time.
fn gauge(passed: Duration, usual: Duration) -> String {
    let share = if usual.is_zero() {
        1.0
    } else {
        (passed.as_secs_f64() / usual.as_secs_f64()).min(1.0)
    };
    let full = (share * GAUGE as f64) as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(GAUGE - full))
}

fn load(load: Load) -> String {
    let rate = load.rate.map(|rate| format!("{}/s", HumanBytes(rate)));
    let cpu = load.cpu.map(|percent| format!("cpu {percent}%"));
    let memory = load.memory.map(|bytes| HumanBytes(bytes).to_string());
    let [rate, cpu, memory] =
        [rate, cpu, memory].map(|part| part.unwrap_or_else(|| "-".to_owned()));
    format!("{rate:>12} {cpu:>8} {memory:>10}")
}
