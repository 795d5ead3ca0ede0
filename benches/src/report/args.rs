//! The command line of the report.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::questions::QUESTIONS;

/// Ask every question, and tell the answers
///
/// A full run takes less than ten minutes on two cores and writes BENCHMARKS.md, the plots and raw values in
/// benches/report, and the headline of README.md. Nothing else should run meanwhile. A run of some questions, or a quick
/// one, writes the same below target/benchmarks.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  report --quick                    a first look, in less than 90 s
  report --save before              then change something, and
  report --compare before           see what that did
  report --quick --only launch --only exit
  report --from target/benchmarks/before.json --compare other.json

Exit code: 0; 1 with --check if a target is missed; 2 wrong usage, or the report failed.")]
pub(crate) struct Report {
    /// Ask once and with fewer rounds
    #[arg(long)]
    pub(super) quick: bool,

    /// Exit with code 1 if a target is missed, and name each
    #[arg(long)]
    pub(super) check: bool,

    /// Keep the raw values, under a NAME in target/benchmarks or in a FILE.json
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) save: Option<String>,

    /// Tell what has changed since these raw values: a NAME that was saved, or a FILE.json
    #[arg(long, value_name = "BASELINE")]
    pub(super) compare: Option<String>,

    /// Ask only this question; may be given several times
    #[arg(long, value_name = "QUESTION", value_parser = PossibleValuesParser::new(QUESTIONS.iter().map(|question| question.name)))]
    pub(super) only: Vec<String>,

    /// Write BENCHMARKS.md and benches/report in this folder, and the headline of its README.md if it has one
    /// [default: this project if all was asked, else its target/benchmarks]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Measure nothing: tell the answers in these raw values again
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["quick", "only", "save"])]
    pub(super) from: Option<String>,

    /// See whether everything works: the numbers mean nothing
    #[arg(long, hide = true, conflicts_with = "quick")]
    pub(super) trial: bool,
}
