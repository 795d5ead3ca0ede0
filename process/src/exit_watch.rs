//! A descriptor that becomes readable when a child ends, so that any reactor can wait for it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::Pid;

/// Opens it for a child of this process that was not reaped.
#[cfg(target_os = "linux")]
pub(crate) fn open(pid: Pid) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Opens it for a child of this process that was not reaped.
#[cfg(target_os = "macos")]
pub(crate) fn open(pid: Pid) -> io::Result<OwnedFd> {
    use crate::kqueue::{self, Change, change};

    let queue = kqueue::open()?;
    let ident = pid.as_raw_nonzero().get().cast_unsigned() as usize;
    let (filter, flags) = (libc::EVFILT_PROC, libc::EV_ADD | libc::EV_ONESHOT);
    match change(
        &queue,
        Change {
            ident,
            filter,
            flags,
            fflags: libc::NOTE_EXIT,
            key: 0,
        },
    ) {
        // A child that is dead already cannot be watched any more: an event of our own says so instead.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
            let filter = libc::EVFILT_USER;
            change(
                &queue,
                Change {
                    ident: 0,
                    filter,
                    flags: libc::EV_ADD,
                    fflags: 0,
                    key: 0,
                },
            )?;
            change(
                &queue,
                Change {
                    ident: 0,
                    filter,
                    flags: 0,
                    fflags: libc::NOTE_TRIGGER,
                    key: 0,
                },
            )?;
        }
        other => other?,
    }
    Ok(queue)
}
