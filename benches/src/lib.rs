//! What the benchmarks have in common: questions, those who answer them, and how they take turns.
//!
//! A question is a public function here, and does not know who asks: the rows of a criterion bench ([`Rows`]), a table
//! ([`Printer`]) or a report ([`Gathering`]). Of its conditions, metrics and contenders those names are public that the
//! report looks for.

#![forbid(unsafe_code)]

mod capture;
mod contest;
mod custom;
mod exit;
mod gap;
mod launch;
mod panel;
mod queue;
mod runner;
mod scale;
mod series;
mod table;
mod throughput;

pub use crate::capture::{CAPTURE, KEEPING_ALL, PARENT_CPU, REDIRECT, capture};
pub use crate::contest::{Contest, Reading};
pub use crate::custom::custom;
pub use crate::exit::{EXIT, exit};
pub use crate::gap::{GAP, LONGEST_GAP, gap};
pub use crate::launch::{AMONG_MANY, BESIDE_BALLAST, LAUNCH, SMALL, launch};
pub use crate::panel::{Effort, Gathering, Panel, Printer, Rows, is_asked_for_tests, is_measured};
pub use crate::queue::{
    BURST, CROSSBEAM, DRAIN, FOUR_PRODUCERS, MEMORY_QUEUE, QUEUE, TOKIO, TOKIO_UNBOUNDED, queue,
};
pub use crate::runner::{BACKENDS, Entrant, FLOOR, everybody, runtime};
pub use crate::scale::{
    DESCRIPTORS, MEMORY, SCALE, SCALES, START, STOP_ALL, THREADS, scale, scale_cell,
    scale_condition,
};
pub use crate::series::{Estimate, Key, Role, Series, Unit};
pub use crate::table::{Table, amount};
pub use crate::throughput::{STD_LOOPS, THROUGHPUT, throughput};
