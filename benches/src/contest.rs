//! Contenders that take turns.
//!
//! A shared machine has slow moments and fast ones. Whoever is measured a minute after another is compared with the
//! weather; so all contenders run once in each round, and what counts are the ratios within rounds.

use std::fmt;
use std::time::Duration;

/// A question, and those who answer it, each by doing the same work.
pub struct Contest<'a> {
    question: &'static str,
    contenders: Vec<Contender<'a>>,
}

struct Contender<'a> {
    name: &'static str,
    work: Box<dyn FnMut() -> Duration + 'a>,
    times: Vec<Duration>,
}

impl<'a> Contest<'a> {
    /// Asks `question`. The first contender that is added is what the others are compared with.
    #[must_use]
    pub fn new(question: &'static str) -> Self {
        Self {
            question,
            contenders: Vec::new(),
        }
    }

    /// Adds a contender, whose `work` says what it took.
    #[must_use]
    pub fn contender(mut self, name: &'static str, work: impl FnMut() -> Duration + 'a) -> Self {
        self.contenders.push(Contender {
            name,
            work: Box::new(work),
            times: Vec::new(),
        });
        self
    }

    /// Has everybody run `rounds` times, in turns, and prints what came of it. Run as a test, one round is enough.
    pub fn run(mut self, rounds: usize) {
        let rounds = if is_measured() { rounds } else { 1 };
        for _ in 0..rounds {
            for contender in &mut self.contenders {
                let time = (contender.work)();
                contender.times.push(time);
            }
        }
        if is_measured() {
            println!("{self}");
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

impl fmt::Display for Contest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.question)?;
        let Some(first) = self.contenders.first() else {
            return Ok(());
        };
        for contender in &self.contenders {
            let mut ratios: Vec<f64> = contender
                .times
                .iter()
                .zip(&first.times)
                .map(|(time, first)| time.as_secs_f64() / first.as_secs_f64())
                .collect();
            ratios.sort_by(f64::total_cmp);
            let mut times = contender.times.clone();
            times.sort();
            writeln!(
                f,
                "  {:32} median {:>10.1?}  p90 {:>10.1?}  x {:.2} ({:.2} to {:.2})",
                contender.name,
                at(&times, 0.5),
                at(&times, 0.9),
                at(&ratios, 0.5),
                at(&ratios, 0.1),
                at(&ratios, 0.9),
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Contest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contest")
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

fn at<T: Copy>(sorted: &[T], share: f64) -> T {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
