//! A look at the store, the output files and the process table.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use meanwhile_core::{ProcessId, TaskId};
use meanwhile_process::{Usage, usage};
use meanwhile_queue::{Notice, Selection, Store, StoreError, TaskRecord};

use super::meter::Meter;
use super::rows::{EndedTasks, Load, Row, Rows, Running, Scope, State};
use crate::tail::Tail;

/// How many tasks that are not over are kept, and how many that ended.
const KEPT: usize = 500;

/// Rates over less than this would jump.
const PERIOD: Duration = Duration::from_millis(900);

/// What is remembered from one look to the next.
#[derive(Debug)]
pub(super) struct Looker {
    store: Store,
    scope: Scope,
    ended: Vec<Row>,
    /// How many ended beyond those in `ended`.
    ended_left_out: usize,
    usual: HashMap<TaskId, Option<Duration>>,
    meters: HashMap<TaskId, Meter>,
    measured: Option<Instant>,
}

/// Why there is another look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The store changed, or another scope is asked for.
    Change,
    /// Time has passed: rates and last lines are others.
    Time,
}

impl Looker {
    pub(super) fn new(store: Store, scope: Scope) -> Self {
        Self {
            store,
            scope,
            ended: Vec::new(),
            ended_left_out: 0,
            usual: HashMap::new(),
            meters: HashMap::new(),
            measured: None,
        }
    }

    pub(super) fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }

    pub(super) fn look(&mut self, occasion: Occasion) -> Result<Rows, StoreError> {
        // All tasks may be very many: they are read only when there may be others among them.
        let all = self.scope.ended == EndedTasks::All;
        let selection = if all && occasion == Occasion::Change {
            Selection::All
        } else {
            Selection::Open
        };
        let tasks = self.store.tasks(selection, self.scope.session.as_ref())?;
        let (ended, open): (Vec<_>, Vec<_>) =
            tasks.into_iter().partition(|task| task.exit.is_some());
        let (mut open, queued): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|task| task.started_at.is_some());
        let mut rows = Rows {
            running: open.len(),
            queued: queued.len(),
            unread: ended
                .iter()
                .filter(|task| task.notice == Notice::Pending)
                .count(),
            ..Rows::default()
        };
        if !all || selection == Selection::All {
            self.keep_newest(ended);
        }

        open.extend(queued);
        rows.left_out = self.ended_left_out + open.len().saturating_sub(KEPT);
        open.truncate(KEPT);
        rows.rows = self.open_rows(&open);
        rows.rows.extend_from_slice(&self.ended);
        Ok(rows)
    }

    fn keep_newest(&mut self, mut tasks: Vec<TaskRecord>) {
        let ended_at = |task: &TaskRecord| task.exit.as_ref().map(|exit| exit.ended_at);
        tasks.sort_by_key(|task| std::cmp::Reverse(ended_at(task)));
        self.ended_left_out = tasks.len().saturating_sub(KEPT);
        self.ended = tasks.iter().take(KEPT).map(Row::of).collect();
    }

    fn open_rows(&mut self, tasks: &[TaskRecord]) -> Vec<Row> {
        let tails: Vec<Tail> = tasks
            .iter()
            .map(|task| Tail::of(task.stdout.as_deref()))
            .collect();
        self.measure(tasks, &tails);
        let known = |id: &TaskId| tasks.iter().any(|task| task.id == *id);
        self.usual.retain(|id, _| known(id));

        let mut rows = Vec::with_capacity(tasks.len());
        for (task, tail) in tasks.iter().zip(tails) {
            let mut row = Row::of(task);
            if let State::Running(running) = &mut row.state {
                *running = Running {
                    usual: self.usual(task),
                    load: self
                        .meters
                        .get(&task.id)
                        .map_or(Load::default(), Meter::load),
                    last_line: tail.last_line,
                };
            }
            rows.push(row);
        }
        rows
    }

    /// Reads the meters of all tasks, if they may be read again.
    fn measure(&mut self, tasks: &[TaskRecord], tails: &[Tail]) {
        let now = Instant::now();
        if self
            .measured
            .is_some_and(|then| now.duration_since(then) < PERIOD)
        {
            return;
        }
        self.measured = Some(now);
        let used = usages(tasks);
        let mut before = std::mem::take(&mut self.meters);
        for (task, tail) in tasks.iter().zip(tails) {
            let usage = used.get(&task.id).copied();
            let meter = match before.remove(&task.id) {
                Some(mut meter) => {
                    meter.read(now, tail.written, usage);
                    meter
                }
                None => Meter::start(now, tail.written, usage),
            };
            self.meters.insert(task.id, meter);
        }
    }

    /// Asked for once a task: what it takes now changes nothing in what it usually took.
    fn usual(&mut self, task: &TaskRecord) -> Option<Duration> {
        let store = &self.store;
        *self.usual.entry(task.id).or_insert_with(|| {
            let usual = store.usual(&task.command, task.cwd.as_deref());
            usual.ok().flatten().map(|usual| usual.duration)
        })
    }
}

/// What the processes of these tasks take; nothing for those of which that is not known.
fn usages(tasks: &[TaskRecord]) -> HashMap<TaskId, Usage> {
    let leaders: Vec<(TaskId, ProcessId)> = tasks
        .iter()
        .filter_map(|task| Some((task.id, task.leader?)))
        .collect();
    let used = usage(&leaders).unwrap_or_default();
    leaders.iter().map(|(id, _)| *id).zip(used).collect()
}

#[cfg(test)]
mod tests;
