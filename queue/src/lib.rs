#![doc = include_str!("../README.md")]
//! # What is here
//!
//! [`MemoryQueue`] keeps the endings of one process in its memory: they are gone when the process is. The
//! durable `Store`, which several processes share and which survives `kill -9`, will stand beside it; both keep
//! the contract of [`meanwhile_core::NotificationQueue`].

#![forbid(unsafe_code)]

mod line;
mod memory;

pub use crate::memory::MemoryQueue;
