//! A backend and a queue, as simple as can be, each with a flaw if asked for.

pub(crate) mod backend;
pub(crate) mod files;
pub(crate) mod live;
pub(crate) mod queue;
