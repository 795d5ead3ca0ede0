//! Where questions are asked: among criterion's rows, and in a report.

use std::fmt;
use std::time::Duration;

use criterion::Criterion;

use crate::contest::Contest;
use crate::series::Series;
use crate::table::Table;

/// Whom a question is put to. It says how much to do, and runs the contests.
pub trait Panel {
    /// How much work there is to be.
    fn effort(&self) -> Effort;

    /// Runs `contest`.
    fn ask(&mut self, contest: Contest<'_>);
}

/// How much work a question makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A test: all of it once, as little as can be.
    Test,
    /// A row of criterion, which decides on the number of rounds; for each row that counts, the whole round runs.
    Bench,
    /// A first look, of seconds a question.
    Quick,
    /// What is published.
    Full,
}

impl Effort {
    /// One of four, from the least effort to the most.
    #[must_use]
    pub fn choose<T>(self, test: T, bench: T, quick: T, full: T) -> T {
        match self {
            Self::Test => test,
            Self::Bench => bench,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// The rows of a criterion bench: a group for each contest, a function for each contender.
///
/// Criterion measures one function after the other. So that they take turns all the same, a function runs the round of
/// all contenders, and hands criterion the time of one.
pub struct Rows<'a> {
    criterion: &'a mut Criterion,
}

impl<'a> Rows<'a> {
    /// Adds rows to `criterion`.
    pub fn new(criterion: &'a mut Criterion) -> Self {
        Self { criterion }
    }
}

impl Panel for Rows<'_> {
    fn effort(&self) -> Effort {
        if is_measured() {
            Effort::Bench
        } else {
            Effort::Test
        }
    }

    fn ask(&mut self, mut contest: Contest<'_>) {
        let mut group = self.criterion.benchmark_group(contest.title());
        group.sample_size(10);
        group.warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_secs(2));
        let mut random = fastrand::Rng::new();
        for (place, name) in contest.names().into_iter().enumerate() {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|rounds| {
                    let seconds: f64 = (0..rounds).map(|_| contest.round(place, &mut random)).sum();
                    Duration::from_secs_f64(seconds)
                });
            });
        }
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

/// Prints each contest as a table, with as many rounds as it asks for. As a test it has one, and prints nothing.
#[derive(Debug, Default)]
pub struct Printer;

impl Panel for Printer {
    fn effort(&self) -> Effort {
        if is_measured() {
            Effort::Full
        } else {
            Effort::Test
        }
    }

    fn ask(&mut self, contest: Contest<'_>) {
        if is_measured() {
            println!("{}", contest.title());
            println!("{}", Table(&contest.run()));
        } else {
            let _ = contest.rounds(1).run();
        }
    }
}

/// Gathers what all contests came to. A contest that is run again adds rounds to its series.
#[derive(Debug)]
pub struct Gathering {
    effort: Effort,
    series: Vec<Series>,
}

impl Gathering {
    /// Nothing yet.
    #[must_use]
    pub fn new(effort: Effort) -> Self {
        Self {
            effort,
            series: Vec::new(),
        }
    }

    /// What was measured.
    #[must_use]
    pub fn into_series(self) -> Vec<Series> {
        self.series
    }
}

impl Panel for Gathering {
    fn effort(&self) -> Effort {
        self.effort
    }

    fn ask(&mut self, contest: Contest<'_>) {
        for new in contest.run() {
            match self.series.iter_mut().find(|known| known.key == new.key) {
                Some(known) => known.values.extend(new.values),
                None => self.series.push(new),
            }
        }
    }
}

/// `cargo bench` says so; `cargo test` does not, and only wants to see that it runs.
#[must_use]
pub fn is_measured() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// A test runner may ask which tests there are: a contest is none.
#[must_use]
pub fn is_asked_for_tests() -> bool {
    std::env::args().any(|arg| arg == "--list")
}
