//! What the benchmarks have in common: workloads, and contests between those who do the same.

#![forbid(unsafe_code)]

mod contest;
mod launch;

pub use crate::contest::{Contest, is_asked_for_tests, is_measured};
pub use crate::launch::{launch, launch_floor};
