//! The checks of a queue, by promise.
//!
//! Each is a function of the name of what it checks. It takes a closure that makes the queue, calls it once,
//! and panics if the promise is broken. [`queue!`](macro@crate::queue) runs them all.

#![expect(clippy::missing_panics_doc, reason = "to panic is what a check is for")]

mod endings;
mod lease;
mod load;
mod order;
mod waiting;

pub use self::lease::*;
pub use self::load::*;
pub use self::order::*;
pub use self::waiting::*;
