//! The system's table of processes.

#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "macos")]
pub(crate) use macos::*;

/// One process, as it was at the look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// When it started, in some unit of the system: with the id, it names a process for good.
    pub(crate) start: u64,
    pub(crate) life: Life,
}

/// The group of a process or thread, 0 for this one; `None` if there is no such process.
///
/// Not by rustix, which takes a group of 0 for impossible: the kernel's own threads have it, and so has who was
/// brought into a pid namespace from outside.
pub(crate) fn group_of(pid: i32) -> Option<i32> {
    // SAFETY: getpgid takes a number and has no effect.
    let group = unsafe { libc::getpgid(pid) };
    (group >= 0).then_some(group)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    /// A zombie: it does nothing any more and waits for its parent.
    Dead,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io::{self, Read};

    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

    use super::{Entry, Life};

    /// All processes that can be seen.
    ///
    /// # Errors
    ///
    /// The operating system's, such as no descriptor left: then nothing is known, and nobody is to be taken for
    /// gone.
    pub(crate) fn read() -> io::Result<Vec<Entry>> {
        let mut table = Vec::new();
        for folder in fs::read_dir("/proc")? {
            let pid = folder?
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            table.extend(pid.map(entry).transpose()?.flatten());
        }
        Ok(table)
    }

    /// The value of the variable `name` in the environment that `pid` was started with. `None` if it is not
    /// there, or the process belongs to somebody else.
    pub(crate) fn variable(pid: i32, name: &str) -> Option<Vec<u8>> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mut entries = environment.split(|byte| *byte == 0);
        entries.find_map(|entry| {
            entry
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")
                .map(<[u8]>::to_vec)
        })
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

    /// The id that was given out last, to a process or a thread.
    pub(crate) fn last_id() -> Option<i32> {
        let text = fs::read_to_string("/proc/loadavg").ok()?;
        text.trim_end().rsplit(' ').next()?.parse().ok()
    }

    /// `None` if there is no such process.
    pub(crate) fn entry(pid: i32) -> io::Result<Option<Entry>> {
        let mut buffer = [0; 512];
        let read =
            fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer));
        match read {
            Ok(length) => Ok(parse(pid, &buffer[..length])),
            // Gone before the open, or between it and the read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // Hidden from us: somebody else's.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
            Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `pid (name) state parent group ...`; the number of threads is field 20, the start 22. The name may hold
    /// anything, spaces and parentheses too, so it ends at the last one.
    fn parse(pid: i32, stat: &[u8]) -> Option<Entry> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let rest = std::str::from_utf8(&stat[after_name..]).ok()?;
        let mut fields = rest.split_ascii_whitespace();
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

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_may_hold_anything() {
            let stat =
                b"42 (a) R 1 (b\xff) S 7 40 39 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n";
            let entry = parse(42, stat).expect("a line of the kernel's");
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
        fn this_process_is_in_the_table() {
            let me = std::process::id().cast_signed();
            let table = read().expect("a readable /proc");
            assert!(
                table
                    .iter()
                    .any(|entry| entry.pid == me && entry.life == Life::Alive)
            );
        }
    }
}

#[cfg(target_os = "macos")]
mod macos {
    use std::io;
    use std::mem::MaybeUninit;

    use rustix::process::{Pid, Signal, kill_process};

    use super::{Entry, Life};

    /// All processes that can be seen.
    ///
    /// # Errors
    ///
    /// The operating system's: then nothing is known, and nobody is to be taken for gone.
    pub(crate) fn read() -> io::Result<Vec<Entry>> {
        let mut pids = vec![0_i32; 16_384];
        let bytes = libc::c_int::try_from(size_of_val(pids.as_slice())).unwrap_or(libc::c_int::MAX);
        // SAFETY: the buffer is valid for writes of this many bytes.
        let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
        let Ok(count) = usize::try_from(count) else {
            return Err(io::Error::last_os_error());
        };
        pids.truncate(count);
        Ok(pids.into_iter().filter_map(look).collect())
    }

    /// macOS shows the environment of a process to nobody but a debugger: descendants are found by ancestry.
    pub(crate) fn variable(_: i32, _: &str) -> Option<Vec<u8>> {
        None
    }

    /// Sends `signals` to this process. There is no descriptor to hold on to it: the moment between the look
    /// and the signal is left to chance.
    pub(crate) fn signal(process: Entry, signals: &[Signal]) {
        let Some(pid) = Pid::from_raw(process.pid) else {
            return;
        };
        if look(process.pid).is_some_and(|now| now.start == process.start) {
            for signal in signals {
                let _ = kill_process(pid, *signal);
            }
        }
    }

    /// macOS does not tell.
    pub(crate) fn last_id() -> Option<i32> {
        None
    }

    /// `None` if there is no such process.
    pub(crate) fn entry(pid: i32) -> io::Result<Option<Entry>> {
        Ok(look(pid))
    }

    fn look(pid: i32) -> Option<Entry> {
        const SIZE: libc::c_int = size_of::<libc::proc_bsdinfo>() as libc::c_int;
        let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
        // SAFETY: the buffer is valid for writes of SIZE bytes.
        let read = unsafe {
            libc::proc_pidinfo(
                pid,
                libc::PROC_PIDTBSDINFO,
                0,
                info.as_mut_ptr().cast(),
                SIZE,
            )
        };
        if read != SIZE {
            return None;
        }
        // SAFETY: all zeroes are valid, and the kernel filled all of it.
        let info = unsafe { info.assume_init() };
        Some(Entry {
            pid,
            parent: info.pbi_ppid.cast_signed(),
            group: info.pbi_pgid.cast_signed(),
            start: info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec,
            life: if info.pbi_status == libc::SZOMB {
                Life::Dead
            } else {
                Life::Alive
            },
        })
    }
}
