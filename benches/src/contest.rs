//! Contenders that take turns.
//!
//! A shared machine has slow moments and fast ones. Whoever is measured a minute after another is compared with the
//! weather; so all contenders run once in each round, and what counts are the ratios within rounds. Who runs behind
//! whom changes from round to round, because each leaves the caches and the processors as the next finds them.

use std::fmt;
use std::time::Duration;

use crate::runner::{Entrant, Runner};
use crate::series::{Key, Role, Series, Unit};

/// What one contender's work came to in one round: the time it took, and what else was looked at.
#[derive(Debug, Clone)]
pub struct Reading {
    values: Vec<(&'static str, Unit, f64)>,
}

impl Reading {
    /// Nothing yet. What is added first is what criterion shows.
    pub(crate) fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// Adds a `value` under the name `metric`, which must be new to this reading.
    pub(crate) fn and(mut self, metric: &'static str, unit: Unit, value: f64) -> Self {
        self.values.push((metric, unit, value));
        self
    }

    fn first(&self) -> f64 {
        self.values.first().map_or(0.0, |&(_, _, value)| value)
    }
}

/// A reading of the metric `time`.
impl From<Duration> for Reading {
    fn from(time: Duration) -> Self {
        Self::new().and("time", Unit::Seconds, time.as_secs_f64())
    }
}

/// A question under one condition, and those who answer it, each by doing the same work.
pub struct Contest<'a> {
    question: &'static str,
    condition: String,
    rounds: usize,
    contenders: Vec<Contender<'a>>,
}

struct Contender<'a> {
    name: String,
    role: Role,
    work: Box<dyn FnMut() -> Reading + 'a>,
}

impl<'a> Contest<'a> {
    /// Asks `question` under `condition`, which is empty where there is but one.
    #[must_use]
    pub fn new(question: &'static str, condition: impl Into<String>) -> Self {
        Self {
            question,
            condition: condition.into(),
            rounds: 1,
            contenders: Vec::new(),
        }
    }

    /// Sets how many rounds [`run`](Self::run) has: one by default.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// Adds a contender, whose `work` says what it took.
    #[must_use]
    pub fn contender<R: Into<Reading>>(
        mut self,
        role: Role,
        name: impl Into<String>,
        mut work: impl FnMut() -> R + 'a,
    ) -> Self {
        self.contenders.push(Contender {
            name: name.into(),
            role,
            work: Box::new(move || work().into()),
        });
        self
    }

    /// Adds `entrants`, who all do the same `work`.
    pub(crate) fn entrants<R: Into<Reading>>(
        self,
        entrants: impl IntoIterator<Item = &'a mut Entrant>,
        work: impl Fn(&mut dyn Runner) -> R + Copy + 'a,
    ) -> Self {
        entrants.into_iter().fold(self, |contest, entrant| {
            let runner = entrant.runner.as_mut();
            contest.contender(entrant.role, &entrant.name, move || work(runner))
        })
    }

    /// Has everybody run in each round, and says what came of it: a series for each contender and metric.
    #[must_use]
    pub fn run(mut self) -> Vec<Series> {
        let mut series = Vec::new();
        let mut random = fastrand::Rng::new();
        for _ in 0..self.rounds {
            for place in self.order(&mut random) {
                let contender = &mut self.contenders[place];
                let reading = (contender.work)();
                for (metric, unit, value) in reading.values {
                    let key = Key {
                        question: self.question.to_owned(),
                        condition: self.condition.clone(),
                        metric: metric.to_owned(),
                        contender: contender.name.clone(),
                    };
                    add(&mut series, key, contender.role, unit, value);
                }
            }
        }
        // In the order in which they were added, not in that of the first round.
        let place = |series: &Series| {
            let is_its = |contender: &Contender<'_>| contender.name == series.key.contender;
            self.contenders.iter().position(is_its)
        };
        series.sort_by_key(place);
        series
    }

    /// The names of the contenders, in the order in which they were added.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |contender: &Contender<'a>| contender.name.clone();
        self.contenders.iter().map(name).collect()
    }

    /// What criterion calls it.
    pub(crate) fn title(&self) -> String {
        match self.condition.as_str() {
            "" => self.question.to_owned(),
            condition => format!("{}, {condition}", self.question),
        }
    }

    /// Has everybody run once, in the order of `random`, and says what the one in `place` read first.
    pub(crate) fn round(&mut self, place: usize, random: &mut fastrand::Rng) -> f64 {
        let mut counted = 0.0;
        for turn in self.order(random) {
            let reading = (self.contenders[turn].work)();
            if turn == place {
                counted = reading.first();
            }
        }
        counted
    }

    fn order(&self, random: &mut fastrand::Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.contenders.len()).collect();
        random.shuffle(&mut order);
        order
    }
}

/// Puts `value` behind those that the series has, or begins it.
fn add(series: &mut Vec<Series>, key: Key, role: Role, unit: Unit, value: f64) {
    match series.iter_mut().find(|series| series.key == key) {
        Some(known) => known.values.push(value),
        None => series.push(Series {
            key,
            role,
            unit,
            values: vec![value],
        }),
    }
}

impl fmt::Debug for Contest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contest")
            .field("question", &self.question)
            .field("condition", &self.condition)
            .field("contenders", &self.names())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_runs_once_in_each_round() {
        let turns = Cell::new(0);
        let turn = || {
            turns.set(turns.get() + 1);
            Duration::from_secs(turns.get())
        };
        let series = Contest::new("turns", "")
            .rounds(3)
            .contender(Role::Floor, "a", turn)
            .contender(Role::Peer, "b", turn)
            .run();
        assert_eq!(series.len(), 2);
        assert_eq!(series[0].key.contender, "a");
        for round in 0..3 {
            let values = [series[0].values[round], series[1].values[round]];
            let first = (round * 2 + 1) as f64;
            assert!(values == [first, first + 1.0] || values == [first + 1.0, first]);
        }
    }
}
