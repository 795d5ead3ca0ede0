//! macOS' kqueue, as far as it is needed.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

/// A new queue, closed in children.
pub(crate) fn open() -> io::Result<OwnedFd> {
    // SAFETY: kqueue takes nothing.
    let fd = unsafe { libc::kqueue() };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else knows of it.
    let queue = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
    Ok(queue)
}

/// What to watch, and under which key to tell of it.
pub(crate) struct Change {
    pub(crate) ident: usize,
    pub(crate) filter: i16,
    pub(crate) flags: u16,
    pub(crate) fflags: u32,
    pub(crate) key: u64,
}

/// Carries one change out.
pub(crate) fn change(queue: &OwnedFd, change: Change) -> io::Result<()> {
    let Change {
        ident,
        filter,
        flags,
        fflags,
        key,
    } = change;
    let udata = ptr::without_provenance_mut(key as usize);
    let event = libc::kevent {
        ident,
        filter,
        flags,
        fflags,
        data: 0,
        udata,
    };
    // SAFETY: one valid change is passed in, and no room for events is claimed.
    let result = unsafe {
        libc::kevent(
            queue.as_raw_fd(),
            &raw const event,
            1,
            ptr::null_mut(),
            0,
            ptr::null(),
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
