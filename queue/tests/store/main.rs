//! The durable store.

mod child;
mod conformance;
mod manual;
mod processes;
mod promises;
mod records;
mod support;
mod weather;
