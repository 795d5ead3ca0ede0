//! Asks the questions of the benchmarks and tells the answers: tables, a page with plots, raw values, what a change did.

#![forbid(unsafe_code)]

mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use meanwhile_benches::{everybody, runtime, scale_cell};

use crate::report::{Outcome, Report};

/// Benchmarks of meanwhile, all side by side in one run.
#[derive(Debug, Parser)]
#[command(name = "meanwhile-benches")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Report(Report),
}

fn main() -> ExitCode {
    if is_cell() {
        return ExitCode::SUCCESS;
    }
    let Command::Report(args) = Cli::parse().command;
    match report::run(&args) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::TargetsMissed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("meanwhile-benches: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether this process was one of those that a question starts for its contenders, and has done its work.
fn is_cell() -> bool {
    let runtime = runtime();
    scale_cell(|| everybody(&runtime))
}
