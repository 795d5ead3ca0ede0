//! The durable store.

mod conformance;
mod processes;
mod records;
mod support;
mod weather;
