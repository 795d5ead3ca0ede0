//! The table as libproc shows it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Consumption, Entry, Life};

/// All processes that can be seen.
///
/// # Errors
///
/// The operating system's: then nothing is known, and nobody is to be taken for gone.
pub(crate) fn read(is_wanted: impl Fn(i32) -> bool) -> io::Result<Vec<Entry>> {
    let mut pids = vec![0_i32; 16_384];
    let bytes = libc::c_int::try_from(size_of_val(pids.as_slice())).unwrap_or(libc::c_int::MAX);
    // SAFETY: the buffer is valid for writes of this many bytes.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
    let Ok(count) = usize::try_from(count) else {
        return Err(io::Error::last_os_error());
    };
    pids.truncate(count);
    let wanted = pids.into_iter().filter(|pid| is_wanted(*pid));
    Ok(wanted.filter_map(look).collect())
}

/// macOS shows the environment of a process to nobody but a debugger: descendants are found by ancestry.
pub(crate) fn environment(_: i32) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// macOS names no files of another process here.
pub(crate) fn outputs(_: i32) -> Vec<PathBuf> {
    Vec::new()
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

/// macOS does not tell which id it gave out last.
#[derive(Debug, Default)]
pub(crate) struct IdCounter;

impl IdCounter {
    pub(crate) fn last(&self) -> Option<i32> {
        None
    }
}

/// `None` if there is no such process.
pub(crate) fn entry(pid: i32) -> io::Result<Option<Entry>> {
    Ok(look(pid))
}

/// What it has taken so far; `None` if it is gone, or somebody else's. The time of its children is not told.
pub(crate) fn consumption(process: Entry) -> Option<Consumption> {
    // SAFETY: this is what the kernel answers PROC_PIDTASKINFO with, and all zeroes are valid.
    let info: libc::proc_taskinfo = unsafe { info(process.pid, libc::PROC_PIDTASKINFO) }?;
    let is_same = look(process.pid)?.start == process.start;
    is_same.then(|| Consumption {
        cpu: duration(info.pti_total_user + info.pti_total_system),
        resident: info.pti_resident_size,
    })
}

/// What the system calls it.
pub(crate) fn name(pid: i32) -> Option<String> {
    let mut name = [0_u8; 64];
    // SAFETY: the buffer is valid for writes of this many bytes.
    let length = unsafe { libc::proc_name(pid, name.as_mut_ptr().cast(), name.len() as u32) };
    let name = name.get(..usize::try_from(length).ok()?)?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Its arguments; none if they cannot be seen.
pub(crate) fn args(pid: i32) -> Vec<OsString> {
    let mut request = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut answer = vec![0_u8; 1 << 20];
    let mut length = answer.len();
    // SAFETY: the request has three numbers, and the buffer is valid for writes of `length` bytes.
    let result = unsafe {
        libc::sysctl(
            request.as_mut_ptr(),
            3,
            answer.as_mut_ptr().cast(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    answer.truncate(if result == 0 { length } else { 0 });
    parse_args(&answer).unwrap_or_default()
}

/// How many arguments there are, the path of the program, padding of NULs, and then the arguments.
fn parse_args(answer: &[u8]) -> Option<Vec<OsString>> {
    let (count, rest) = answer.split_first_chunk()?;
    let count = usize::try_from(i32::from_ne_bytes(*count)).ok()?;
    let padding = rest.iter().position(|byte| *byte == 0)?;
    let args = padding + rest[padding..].iter().position(|byte| *byte != 0)?;
    let args = rest[args..].split(|byte| *byte == 0).take(count);
    Some(args.map(|arg| OsStr::from_bytes(arg).to_owned()).collect())
}

/// The kernel counts in ticks of its own.
#[expect(
    deprecated,
    reason = "the crate that it is said to have moved to would be for this one call"
)]
fn duration(ticks: u64) -> Duration {
    let mut base = libc::mach_timebase_info { numer: 1, denom: 1 };
    // SAFETY: the argument is valid for a write.
    unsafe { libc::mach_timebase_info(&raw mut base) };
    let nanos = u128::from(ticks) * u128::from(base.numer) / u128::from(base.denom.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn look(pid: i32) -> Option<Entry> {
    // SAFETY: this is what the kernel answers PROC_PIDTBSDINFO with, and all zeroes are valid.
    let info: libc::proc_bsdinfo = unsafe { info(pid, libc::PROC_PIDTBSDINFO) }?;
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

/// `None` unless the kernel answers with all of a `T`.
///
/// # Safety
///
/// `T` must be the structure of this `flavor`, and valid if it is all zeroes.
unsafe fn info<T>(pid: i32, flavor: libc::c_int) -> Option<T> {
    let size = libc::c_int::try_from(size_of::<T>()).ok()?;
    let mut info = MaybeUninit::<T>::zeroed();
    // SAFETY: the buffer is valid for writes of this many bytes.
    let read = unsafe { libc::proc_pidinfo(pid, flavor, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: as the caller promises.
    (read == size).then(|| unsafe { info.assume_init() })
}
