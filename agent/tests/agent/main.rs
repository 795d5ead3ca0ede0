//! The tools and the notification text, through the public API, mostly over a backend
//! that does what a test says.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

mod advice;
mod bad_input;
mod bash;
mod forging;
mod notifications;
mod processes;
mod read;
mod task_list;
mod task_output;
mod task_stop;
mod world;
