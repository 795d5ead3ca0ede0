//! Background tasks for AI agents.

fn main() {}
