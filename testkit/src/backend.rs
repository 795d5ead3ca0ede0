//! The checks of a backend, by promise.
//!
//! Each is a function of the name of what it checks. It takes a closure that makes the backend, calls it
//! once, and panics if the promise is broken. [`backend!`](macro@crate::backend) runs them all.

#![expect(clippy::missing_panics_doc, reason = "to panic is what a check is for")]

mod cleanup;
mod deadline;
mod end;
mod job;
mod launch;
mod limit;
mod output;
mod scale;
mod stop;
mod surroundings;
mod tree;

pub use self::cleanup::*;
pub use self::deadline::*;
pub use self::end::*;
pub use self::job::*;
pub use self::launch::*;
pub use self::limit::*;
pub use self::output::*;
pub use self::scale::*;
pub use self::stop::*;
pub use self::surroundings::*;
pub use self::tree::*;
