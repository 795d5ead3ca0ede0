//! A run as data: what is saved, and what a later run is compared with.

use std::fs;
use std::path::Path;

use meanwhile_benches::{Effort, Series};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::machine::{Build, Machine, load, now};
use super::places::write;
use super::questions::QUESTIONS;

/// Of what shape the file is. It is counted up when an older one cannot be read any more.
const FORMAT: u32 = 2;

/// The load up to which a machine counts as quiet. Whoever just compiled the benchmarks has to wait a minute.
const QUIET: f64 = 0.5;

/// All that a report is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurements {
    format: u32,
    pub(crate) machine: Machine,
    pub(crate) build: Build,
    /// How many processes were at work when it began.
    pub(crate) load: Option<f64>,
    pub(crate) date: String,
    pub(crate) command: String,
    pub(crate) depth: Depth,
    /// The names of the questions that were asked.
    pub(crate) questions: Vec<String>,
    /// How long it took.
    pub(crate) seconds: f64,
    pub(crate) series: Vec<Series>,
}

/// How much was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Depth {
    /// Whether it works. The numbers mean nothing.
    Trial,
    /// A first look.
    Quick,
    /// What is published.
    Full,
}

impl Depth {
    /// What that is to a question.
    pub(crate) fn effort(self) -> Effort {
        match self {
            Self::Trial => Effort::Test,
            Self::Quick => Effort::Quick,
            Self::Full => Effort::Full,
        }
    }

    /// How many times every question is asked.
    pub(crate) fn passes(self) -> usize {
        match self {
            Self::Trial | Self::Quick => 1,
            Self::Full => 3,
        }
    }
}

impl Measurements {
    /// What is known before the first question is asked.
    pub(crate) fn begin(
        root: &Path,
        command: String,
        depth: Depth,
        questions: Vec<String>,
    ) -> Self {
        Self {
            format: FORMAT,
            machine: Machine::this(),
            build: Build::of(root),
            load: load(),
            date: now(),
            command,
            depth,
            questions,
            seconds: 0.0,
            series: Vec::new(),
        }
    }

    /// With what came of it. Of the values four digits stay, so that a report looks the same when it is made from the
    /// file.
    pub(crate) fn end(mut self, seconds: f64, series: Vec<Series>) -> Self {
        self.seconds = seconds.round();
        self.series = series;
        let values = self.series.iter_mut().flat_map(|series| &mut series.values);
        values.for_each(|value| *value = rounded(*value));
        self
    }

    /// The load when it began, if it was so high that other programs must have been at work.
    pub(crate) fn disturbance(&self) -> Option<f64> {
        self.load.filter(|load| *load > QUIET)
    }

    /// Whether every question was asked with all the effort there is.
    pub(crate) fn is_complete(&self) -> bool {
        self.depth == Depth::Full
            && QUESTIONS
                .iter()
                .all(|question| self.has_asked(question.name))
    }

    /// Whether this question was asked.
    pub(crate) fn has_asked(&self, question: &str) -> bool {
        self.questions.iter().any(|asked| asked == question)
    }

    /// Reads what [`write`](Self::write) wrote.
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        /// What every version begins with.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }

        let what = format!("measurements in {}", file.display());
        let text = fs::read_to_string(file)
            .map_err(|error| Error::because(format!("cannot read the {what}"), error))?;
        let head: Head = serde_json::from_str(&text)
            .map_err(|error| Error::because(format!("there are no {what}"), error))?;
        if head.format != FORMAT {
            let format = head.format;
            let problem = format!("the {what} are of format {format}, and this reads {FORMAT}");
            return Err(Error::new(problem));
        }
        serde_json::from_str(&text)
            .map_err(|error| Error::because(format!("the {what} are incomplete"), error))
    }

    /// Writes them as JSON.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Error> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::because("cannot put the measurements as JSON", error))?;
        write(file, &(text + "\n"))
    }
}

/// With four digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_stay() {
        assert_eq!(rounded(0.000_012_345_6), 0.000_012_35);
        assert_eq!(rounded(123_456.0), 123_500.0);
        assert_eq!(rounded(0.0), 0.0);
    }
}
