#![doc = include_str!("../README.md")]
//! # What is here
//!
//! [`MemoryQueue`] keeps the endings of one process in its memory: they are gone when the process is.
//! [`Store`] keeps them in a folder, with a record of every task, and several processes share it.

#![forbid(unsafe_code)]

mod line;
mod memory;
#[cfg(feature = "store")]
mod store;

pub use crate::memory::MemoryQueue;
#[cfg(feature = "store")]
pub use crate::store::{
    Forgotten, Inheritance, Notice, Promise, Selection, StopSent, Store, StoreError,
    StoreErrorKind, StoreOptions, TaskRecord, Usual,
};
