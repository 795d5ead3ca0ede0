//! The program as others see it: lines, signals, exit codes, and what is left behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod ends;
mod run;
mod session;
mod story;
mod support;
mod terminal;
