//! What the screen shows, and what a key does to it. No terminal and no store: those are told what to do.

use std::time::Duration;

use meanwhile_core::{EndedBy, Stop, TaskId};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::lookout::{News, Page, Request};
use super::pager::Scroll;
use super::rows::{EndedTasks, Row, Rows, Scope};

/// How far PgUp and PgDn go in the list.
const LEAP: isize = 10;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) rows: Rows,
    pub(super) scope: Scope,
    pub(super) selected: Option<TaskId>,
    /// The page of output on the screen; the list is shown if there is none.
    pub(super) output: Option<Output>,
    pub(super) question: Option<Question>,
    pub(super) help: Help,
    /// The last thing that was said.
    pub(super) message: String,
    /// The task whose output was asked for. A page that comes after it was closed is not shown.
    reading: Option<TaskId>,
    /// How many lines of output fit on the screen.
    page_lines: usize,
}

#[derive(Debug)]
pub(super) struct Output {
    pub(super) page: Box<Page>,
    /// How many columns are left out on the left.
    pub(super) shift: usize,
}

/// Whether to stop this task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) task: TaskId,
    pub(super) stop: Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Help {
    Hidden,
    Shown,
}

/// What a key leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Stay,
    Ask(Request),
    Quit,
}

impl Model {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            rows: Rows::default(),
            scope,
            selected: None,
            output: None,
            question: None,
            help: Help::Hidden,
            message: String::new(),
            reading: None,
            page_lines: 0,
        }
    }

    /// The screen has room for so many lines of output now.
    pub(super) fn resize(&mut self, page_lines: usize) -> Step {
        self.page_lines = page_lines;
        match self.output {
            Some(_) => Step::Ask(Request::Resize(page_lines)),
            None => Step::Stay,
        }
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Rows(rows) => self.set_rows(rows),
            News::Output(page) if self.reading == Some(page.task.id) => {
                let shift = self.output.as_ref().map_or(0, |output| output.shift);
                self.output = Some(Output { page, shift });
            }
            News::Output(_) => {}
            News::Said(line) => self.message = line,
        }
    }

    /// The selection stays with its task; where that is gone, with its place.
    fn set_rows(&mut self, rows: Rows) {
        let place = self.place().unwrap_or(0);
        self.rows = rows;
        if self.place().is_none() {
            self.select(place);
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Step {
        if key.kind == KeyEventKind::Release {
            return Step::Stay;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Step::Quit,
                _ => Step::Stay,
            };
        }
        self.message.clear();
        if self.help == Help::Shown {
            self.help = Help::Hidden;
            return Step::Stay;
        }
        if let Some(question) = self.question.take() {
            return self.answer(question, key.code);
        }
        match key.code {
            KeyCode::Char('?') => {
                self.help = Help::Shown;
                Step::Stay
            }
            KeyCode::Char('s') => self.ask_to_stop(Stop::by(EndedBy::User)),
            KeyCode::Char('K') => self.ask_to_stop(Stop::by(EndedBy::User).grace(Duration::ZERO)),
            code if self.output.is_some() => self.key_in_output(code),
            code => self.key_in_list(code),
        }
    }

    fn key_in_list(&mut self, code: KeyCode) -> Step {
        match code {
            KeyCode::Char('q') => return Step::Quit,
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::PageDown => self.go(LEAP),
            KeyCode::PageUp => self.go(-LEAP),
            KeyCode::Home | KeyCode::Char('g') => self.select(0),
            KeyCode::End | KeyCode::Char('G') => self.select(usize::MAX),
            KeyCode::Enter | KeyCode::Char('r') => return self.read(Scroll::Start),
            KeyCode::Char('f') => return self.read(Scroll::Follow),
            KeyCode::Char('a') => {
                self.scope.ended = match self.scope.ended {
                    EndedTasks::Unread => EndedTasks::All,
                    EndedTasks::All => EndedTasks::Unread,
                };
                return Step::Ask(Request::Look(self.scope.clone()));
            }
            KeyCode::Char('o') => {
                let own = self.selected_row().map(|row| row.session.clone());
                self.scope.session = match self.scope.session {
                    Some(_) => None,
                    None => own,
                };
                return Step::Ask(Request::Look(self.scope.clone()));
            }
            _ => {}
        }
        Step::Stay
    }

    fn key_in_output(&mut self, code: KeyCode) -> Step {
        let Some(output) = &mut self.output else {
            return Step::Stay;
        };
        let scroll = match code {
            KeyCode::Char('q') | KeyCode::Esc => {
                self.output = None;
                self.reading = None;
                return Step::Ask(Request::Close);
            }
            KeyCode::Right | KeyCode::Char('l') => {
                output.shift += Output::SHIFT;
                return Step::Stay;
            }
            KeyCode::Left | KeyCode::Char('h') => {
                output.shift = output.shift.saturating_sub(Output::SHIFT);
                return Step::Stay;
            }
            KeyCode::Down | KeyCode::Char('j') | KeyCode::Enter => Scroll::Down(1),
            KeyCode::Up | KeyCode::Char('k') => Scroll::Up(1),
            KeyCode::PageDown | KeyCode::Char(' ') => Scroll::PageDown,
            KeyCode::PageUp | KeyCode::Char('b') => Scroll::PageUp,
            KeyCode::Home | KeyCode::Char('g') => Scroll::Start,
            KeyCode::End | KeyCode::Char('G') => Scroll::End,
            KeyCode::Char('f') if output.page.window.following => Scroll::End,
            KeyCode::Char('f') => Scroll::Follow,
            _ => return Step::Stay,
        };
        Step::Ask(Request::Scroll(scroll))
    }

    fn ask_to_stop(&mut self, stop: Stop) -> Step {
        let row = match &self.output {
            Some(output) => Some(&output.page.task),
            None => self.selected_row(),
        };
        match row {
            Some(row) if row.has_ended() => self.message = format!("{} has ended", row.id),
            Some(row) => {
                let task = row.id;
                self.question = Some(Question { task, stop });
            }
            None => {}
        }
        Step::Stay
    }

    fn answer(&mut self, question: Question, code: KeyCode) -> Step {
        if matches!(code, KeyCode::Char('y' | 'Y')) {
            return Step::Ask(Request::Stop(question.task, question.stop));
        }
        self.message = format!("{} goes on", question.task);
        Step::Stay
    }

    fn read(&mut self, scroll: Scroll) -> Step {
        match self.selected {
            Some(task) => {
                self.reading = Some(task);
                Step::Ask(Request::Read(task, self.page_lines, scroll))
            }
            None => Step::Stay,
        }
    }

    fn selected_row(&self) -> Option<&Row> {
        self.rows.rows.get(self.place()?)
    }

    /// Which row is selected.
    pub(super) fn place(&self) -> Option<usize> {
        let selected = self.selected?;
        self.rows.rows.iter().position(|row| row.id == selected)
    }

    fn go(&mut self, by: isize) {
        let place = self.place().unwrap_or(0);
        self.select(place.saturating_add_signed(by));
    }

    /// Selects the row at `place`, or the last one.
    fn select(&mut self, place: usize) {
        let last = self.rows.rows.len().saturating_sub(1);
        self.selected = self.rows.rows.get(place.min(last)).map(|row| row.id);
    }
}

impl Output {
    /// How many columns a key shifts.
    const SHIFT: usize = 20;
}

impl Question {
    pub(super) fn words(&self) -> String {
        let how = match self.stop.grace {
            Some(Duration::ZERO) => "kill",
            _ => "stop",
        };
        format!("{how} {}? y/n", self.task)
    }
}

#[cfg(test)]
mod tests;
