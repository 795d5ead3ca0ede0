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
    use std::os::fd::{AsRawFd, FromRawFd};

    // SAFETY: kqueue takes nothing; a result that is not negative is a descriptor that is ours alone.
    let queue = unsafe {
        let fd = libc::kqueue();
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
    let ident = pid.as_raw_nonzero().get() as usize;
    match change(
        &queue,
        ident,
        libc::EVFILT_PROC,
        libc::EV_ADD | libc::EV_ONESHOT,
        libc::NOTE_EXIT,
    ) {
        // A child that is dead already cannot be watched any more: an event of our own says so instead.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
            change(&queue, 0, libc::EVFILT_USER, libc::EV_ADD, 0)?;
            change(&queue, 0, libc::EVFILT_USER, 0, libc::NOTE_TRIGGER)?;
        }
        other => other?,
    }
    return Ok(queue);

    fn change(
        queue: &OwnedFd,
        ident: usize,
        filter: i16,
        flags: u16,
        fflags: u32,
    ) -> io::Result<()> {
        let event = libc::kevent {
            ident,
            filter,
            flags,
            fflags,
            data: 0,
            udata: std::ptr::null_mut(),
        };
        // SAFETY: one valid change is passed in, and no room for events is claimed.
        let result = unsafe {
            libc::kevent(
                queue.as_raw_fd(),
                &raw const event,
                1,
                std::ptr::null_mut(),
                0,
                std::ptr::null(),
            )
        };
        if result < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}
