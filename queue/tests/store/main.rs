//! The durable store.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod child;
mod conformance;
mod damage;
mod manual;
mod processes;
mod promises;
mod records;
mod support;
mod weather;
