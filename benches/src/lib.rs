//! What the benchmarks have in common: questions, those who answer them, and how they take turns.
//!
//! A question is a public function here, and does not know who asks: the rows of a criterion bench ([`Rows`]) or a
//! report ([`Gathering`]).

#![forbid(unsafe_code)]

mod contest;
mod exit;
mod launch;
mod panel;
mod runner;
mod series;
mod table;

pub use crate::contest::{Contest, Reading};
pub use crate::exit::{EXIT, exit};
pub use crate::launch::{AMONG_MANY, BESIDE_BALLAST, LAUNCH, SMALL, launch};
pub use crate::panel::{Effort, Gathering, Panel, Printer, Rows, is_asked_for_tests, is_measured};
pub use crate::runner::{
    AsyncProcess, BACKENDS, Duct, Entrant, FLOOR, Ours, Program, Runner, StdProcess, Threads,
    TokioProcess, everybody, floor, runtime,
};
pub use crate::series::{Estimate, Key, Role, Series, Unit};
pub use crate::table::{Table, amount};
