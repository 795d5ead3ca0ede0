//! The table as `/proc` shows it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::str::SplitAsciiWhitespace;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::io::Errno;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::{Consumption, Entry, Life};

/// All processes that can be seen, of those whose ids are wanted.
///
/// # Errors
///
/// The operating system's, such as no descriptor left: then nothing is known, and nobody is to be taken for
/// gone.
pub(crate) fn read(is_wanted: impl Fn(i32) -> bool) -> io::Result<Vec<Entry>> {
    let mut table = Vec::new();
    for folder in fs::read_dir("/proc")? {
        let pid = folder?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .filter(|pid| is_wanted(*pid));
        table.extend(pid.map(entry).transpose()?.flatten());
    }
    Ok(table)
}

/// The environment that `pid` was started with, entries that end with a NUL each. `None` if there is no such process,
/// or it belongs to somebody else. Empty also for a dead one, and for a moment while one is being executed.
///
/// # Errors
///
/// The operating system's, such as no descriptor left: then nothing is known of it.
pub(crate) fn environment(pid: i32) -> io::Result<Option<Vec<u8>>> {
    match read_file(pid, "environ") {
        Ok(environment) => Ok(Some(environment)),
        Err(error) => is_out_of_sight(error).map(|()| None),
    }
}

/// Whether it is because a process is gone, or somebody else's, that it cannot be looked at.
fn is_out_of_sight(error: io::Error) -> io::Result<()> {
    match Errno::from_io_error(&error) {
        // Gone before the open, or between it and the read; hidden from us.
        Some(Errno::NOENT | Errno::SRCH | Errno::ACCESS | Errno::PERM) => Ok(()),
        _ => Err(error),
    }
}

/// The files that are its stdout and stderr, as far as they can be seen.
pub(crate) fn outputs(pid: i32) -> Vec<PathBuf> {
    let names = [1, 2].map(|fd| fs::read_link(format!("/proc/{pid}/fd/{fd}")));
    names.into_iter().flatten().collect()
}

/// Sends `signals` to exactly this process: not to another one that has its id by now.
pub(crate) fn signal(process: Entry, signals: &[Signal]) {
    let Some(pid) = Pid::from_raw(process.pid) else {
        return;
    };
    // The descriptor holds on to whoever has the id now, and is compared after it was opened. Without one left,
    // the moment between the look and the signal is left to chance: better than leaving the process.
    let pidfd = pidfd_open(pid, PidfdFlags::empty());
    if entry(process.pid).is_ok_and(|now| now.is_none_or(|now| now.start != process.start)) {
        return;
    }
    for signal in signals {
        let _ = match &pidfd {
            Ok(pidfd) => pidfd_send_signal(pidfd, *signal),
            Err(_) => kill_process(pid, *signal),
        };
    }
}

/// The kernel's counter of ids. Holds one descriptor, which is opened when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct IdCounter {
    loadavg: OnceLock<fs::File>,
}

impl IdCounter {
    /// The id that was given out last, to a process or a thread.
    pub(crate) fn last(&self) -> Option<i32> {
        let file = match self.loadavg.get() {
            Some(file) => file,
            None => {
                let file = fs::File::open("/proc/loadavg").ok()?;
                self.loadavg.get_or_init(|| file)
            }
        };
        // Each read from the front shows it anew.
        let mut line = [0; 128];
        let length = file.read_at(&mut line, 0).ok()?;
        let line = str::from_utf8(&line[..length]).ok()?;
        line.trim_end().rsplit(' ').next()?.parse().ok()
    }
}

/// `None` if there is no such process.
pub(crate) fn entry(pid: i32) -> io::Result<Option<Entry>> {
    Ok(Stat::read(pid)?.and_then(|stat| stat.entry(pid)))
}

/// What it has taken so far; `None` if it is gone.
pub(crate) fn consumption(process: Entry) -> Option<Consumption> {
    Stat::read(process.pid).ok()??.consumption(process.start)
}

/// What the system calls it.
pub(crate) fn name(pid: i32) -> Option<String> {
    let name = read_file(pid, "comm").ok()?;
    Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
}

/// Its arguments; none if they cannot be seen.
pub(crate) fn args(pid: i32) -> Vec<OsString> {
    let line = read_file(pid, "cmdline").unwrap_or_default();
    let args = line.split_inclusive(|byte| *byte == 0);
    args.map(|arg| arg.strip_suffix(b"\0").unwrap_or(arg))
        .map(|arg| OsStr::from_bytes(arg).to_owned())
        .collect()
}

/// A file of the kind that has no size: asked for in pieces of a page, most take one read and not many that grow.
fn read_file(pid: i32, name: &str) -> io::Result<Vec<u8>> {
    const PAGE: usize = 4096;
    let mut file = fs::File::open(format!("/proc/{pid}/{name}"))?;
    let (mut text, mut length) = (Vec::new(), 0);
    loop {
        text.resize(length + PAGE, 0);
        length += file.read(&mut text[length..])?;
        // These files give as much as there is room for.
        if length < text.len() {
            text.truncate(length);
            return Ok(text);
        }
    }
}

/// The line `/proc/PID/stat`: `pid (name) state parent group ...`.
struct Stat {
    /// What is asked for is at the front of it.
    buffer: [u8; 512],
    length: usize,
}

impl Stat {
    fn read(pid: i32) -> io::Result<Option<Self>> {
        let mut buffer = [0; 512];
        let read =
            fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer));
        match read {
            Ok(length) => Ok(Some(Self { buffer, length })),
            Err(error) => is_out_of_sight(error).map(|()| None),
        }
    }

    /// The fields from the state on, which is the third. The name before it may hold anything, spaces and
    /// parentheses too, so it ends at the last one.
    fn fields(&self) -> Option<SplitAsciiWhitespace<'_>> {
        let stat = &self.buffer[..self.length];
        let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let rest = std::str::from_utf8(&stat[after_name..]).ok()?;
        Some(rest.split_ascii_whitespace())
    }

    /// The number of threads is field 20, the start 22.
    fn entry(&self, pid: i32) -> Option<Entry> {
        let mut fields = self.fields()?;
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let threads: u32 = fields.nth(14)?.parse().ok()?;
        let start = fields.nth(1)?.parse().ok()?;
        let life = match state {
            // A process whose first thread has ended is shown as a zombie while the others live on.
            "Z" if threads > 1 => Life::Alive,
            "Z" | "X" | "x" => Life::Dead,
            _ => Life::Alive,
        };
        Some(Entry {
            pid,
            parent,
            group,
            start,
            life,
        })
    }

    /// Fields 14 to 17 are the times in user and system mode, its own and its waited-for children's; field 22 is
    /// the start, to be sure that it is still the same process; 24 the resident pages.
    fn consumption(&self, start: u64) -> Option<Consumption> {
        let mut fields = self.fields()?;
        let mut number = |skipped| fields.nth(skipped)?.parse::<u64>().ok();
        let ticks = number(11)? + number(0)? + number(0)? + number(0)?;
        let is_same = number(4)? == start;
        let pages = number(1)?;
        is_same.then(|| Consumption {
            cpu: Duration::from_millis(ticks * 1000 / clock_ticks_per_second()),
            resident: pages * page_size() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(line: &[u8]) -> Stat {
        let mut buffer = [0; 512];
        buffer[..line.len()].copy_from_slice(line);
        Stat {
            buffer,
            length: line.len(),
        }
    }

    #[test]
    fn a_name_may_hold_anything() {
        let line =
            b"42 (a) R 1 (b\xff) S 7 40 39 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n";
        let entry = stat(line).entry(42).expect("a line of the kernel's");
        assert_eq!(
            entry,
            Entry {
                pid: 42,
                parent: 7,
                group: 40,
                start: 987_654,
                life: Life::Alive
            }
        );
    }

    #[test]
    fn waited_for_children_count_as_consumption() {
        let line =
            b"42 (make) S 7 40 39 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 1 0 987654 5000 6 18";
        let consumption = stat(line).consumption(987_654).expect("the same process");
        let seconds = 3520 / clock_ticks_per_second();
        assert_eq!(consumption.cpu.as_secs(), seconds);
        assert_eq!(consumption.resident, 6 * page_size() as u64);
        assert_eq!(stat(line).consumption(987_655), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let me = std::process::id().cast_signed();
        let table = read(|_| true).expect("a readable /proc");
        assert!(
            table
                .iter()
                .any(|entry| entry.pid == me && entry.life == Life::Alive)
        );
    }
}
