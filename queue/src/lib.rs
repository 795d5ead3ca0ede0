#![doc = include_str!("../README.md")]
//! # What is here
//!
//! [`MemoryQueue`] keeps the endings of one process in its memory: they are gone when the process is.

#![forbid(unsafe_code)]

mod line;
mod memory;

pub use crate::memory::MemoryQueue;
