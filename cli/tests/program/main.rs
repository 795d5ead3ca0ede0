//! The program as others see it: lines, signals, exit codes, and what is left behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod ends;
mod inbox;
mod left_behind;
mod logs;
mod ls;
mod run;
mod session;
mod show;
mod stop;
mod stored;
mod story;
mod support;
mod tasks;
mod terminal;
mod top;
mod two_agents;
mod upkeep;
mod wait;
