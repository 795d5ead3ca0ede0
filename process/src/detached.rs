//! Leaving a process behind.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use meanwhile_core::ProcessId;

use crate::command::{c_string, entries};
use crate::spawn::{self, Image};
use crate::table;

/// Starts `program` (a path; nothing is looked up) with `args` behind its own name, to outlive this process.
///
/// It gets a session of its own, default signals, none blocked, no descriptor but the three of `stdio`, and
/// the environment and the working directory of this process.
///
/// Nobody reaps it: the caller is about to exit, and then the system does. In a program that stays it
/// becomes a zombie when it ends.
///
/// # Errors
///
/// The operating system's, if it cannot be executed; a NUL byte in an argument.
pub fn spawn_detached(
    program: &Path,
    args: &[OsString],
    stdio: [BorrowedFd<'_>; 3],
) -> io::Result<ProcessId> {
    let words = [program.as_os_str()]
        .into_iter()
        .chain(args.iter().map(OsString::as_os_str));
    let image = Image {
        program: c_string(program)?,
        args: words.map(c_string).collect::<io::Result<_>>()?,
        env: entries(env::vars_os())?,
        cwd: None,
    };
    let pid = spawn::spawn(&image, stdio)?.as_raw_nonzero().get();
    // Nobody has reaped it, so it is in the table, dead or not. Where it cannot be seen (no /proc, no descriptor
    // left to look by) it runs all the same, and 0 is the start of nobody.
    let seen = table::entry(pid).ok().flatten();
    Ok(seen.map_or(ProcessId { pid, start: 0 }, |entry| entry.id()))
}
