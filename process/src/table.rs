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
    use std::io::Read;

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use super::{Entry, Life};

    /// All processes that can be seen.
    pub(crate) fn read() -> Vec<Entry> {
        // Without /proc there is nobody to be seen beyond the group.
        let Ok(folder) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let pids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter_map(entry).collect()
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
        let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        // The descriptor holds on to whoever has the id now; compared after it was opened.
        if entry(process.pid).is_some_and(|now| now.start == process.start) {
            for signal in signals {
                let _ = pidfd_send_signal(&pidfd, *signal);
            }
        }
    }

    /// The id that was given out last, to a process or a thread.
    pub(crate) fn last_id() -> Option<i32> {
        let text = fs::read_to_string("/proc/loadavg").ok()?;
        text.trim_end().rsplit(' ').next()?.parse().ok()
    }

    fn entry(pid: i32) -> Option<Entry> {
        let mut buffer = [0; 512];
        let mut file = fs::File::open(format!("/proc/{pid}/stat")).ok()?;
        let length = file.read(&mut buffer).ok()?;
        parse(pid, &buffer[..length])
    }

    /// `pid (name) state parent group session ...`, the start is number 22. The name may hold anything, spaces
    /// and parentheses too, so it ends at the last one.
    fn parse(pid: i32, stat: &[u8]) -> Option<Entry> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let rest = std::str::from_utf8(&stat[after_name..]).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let life = match fields.next()? {
            "Z" | "X" | "x" => Life::Dead,
            _ => Life::Alive,
        };
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let start = fields.nth(16)?.parse().ok()?;
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
            assert!(
                read()
                    .iter()
                    .any(|entry| entry.pid == me && entry.life == Life::Alive)
            );
        }
    }
}

#[cfg(target_os = "macos")]
mod macos {
    use std::mem::MaybeUninit;

    use rustix::process::{Pid, Signal, kill_process};

    use super::{Entry, Life};

    /// All processes that can be seen.
    pub(crate) fn read() -> Vec<Entry> {
        let mut pids = vec![0_i32; 16_384];
        let bytes = libc::c_int::try_from(size_of_val(pids.as_slice())).unwrap_or(libc::c_int::MAX);
        // SAFETY: the buffer is valid for writes of this many bytes.
        let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
        pids.truncate(usize::try_from(count).unwrap_or(0));
        pids.into_iter().filter_map(entry).collect()
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
        if entry(process.pid).is_some_and(|now| now.start == process.start) {
            for signal in signals {
                let _ = kill_process(pid, *signal);
            }
        }
    }

    /// macOS does not tell.
    pub(crate) fn last_id() -> Option<i32> {
        None
    }

    fn entry(pid: i32) -> Option<Entry> {
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
