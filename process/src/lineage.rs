//! Which processes this one descends from.

use std::ffi::OsString;
use std::{iter, process};

use meanwhile_core::ProcessId;

use crate::table::{self, Entry};

/// A process that this one descends from.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    /// Which it is.
    pub id: ProcessId,
    /// What the system calls it: mostly the name of its program, cut to 15 bytes.
    pub name: String,
    /// How it was called, its own name first; empty if that cannot be seen.
    pub args: Vec<OsString>,
}

/// The processes that this one descends from, its parent first. Ends with process 1, or where no more can be
/// seen: at the edge of a container, say.
#[must_use]
pub fn ancestors() -> Vec<Ancestor> {
    let ancestor = |entry: Entry| Ancestor {
        id: entry.id(),
        name: table::name(entry.pid).unwrap_or_default(),
        args: table::args(entry.pid),
    };
    line(seen).skip(1).map(ancestor).collect()
}

/// This process and those that it descends from, as `look` knows them by their numbers.
pub(crate) fn line(look: impl Fn(i32) -> Option<Entry>) -> impl Iterator<Item = Entry> {
    iter::successors(look(process::id().cast_signed()), move |child| {
        // A parent is older than its child, also one that adopted it: a younger one got the number of a parent
        // that has just died.
        look(child.parent).filter(|parent| parent.pid > 0 && parent.start <= child.start)
    })
}

fn seen(pid: i32) -> Option<Entry> {
    table::entry(pid).ok().flatten()
}
