//! Limits and dispositions that a program sets once, at its start, and how many tasks they allow.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open descriptors to the hard one, for programs that own their process.
///
/// Each live task holds one descriptor. A library must not do this behind its host's back: children inherit
/// the limit, and `select` breaks above 1,024. Call it before backends are made; they budget by the limit.
///
/// # Errors
///
/// The operating system's; the limit is unchanged then.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    // macOS says "infinity" and refuses more than this.
    let most = if cfg!(target_os = "macos") {
        Some(10_240)
    } else {
        None
    };
    let current = match (limit.maximum, most) {
        (Some(hard), Some(most)) => Some(hard.min(most)),
        (hard, most) => hard.or(most),
    };
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current,
            maximum: limit.maximum,
        },
    )?;
    Ok(())
}

/// Sets SIGCHLD to its default, for programs that own their process.
///
/// A parent may have started this process with SIGCHLD ignored. The kernel then reaps every child by itself,
/// and no wait call can say how a task ended: it would be told as lost.
///
/// # Errors
///
/// The operating system's.
pub fn default_sigchld() -> io::Result<()> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeroes is a valid sigaction: SIG_DFL is 0, the mask is empty, no flag is set. The pointers
    // are valid for the call, and SIG_DFL runs no code of ours.
    let result = unsafe { libc::sigaction(libc::SIGCHLD, action.as_mut_ptr(), ptr::null_mut()) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Unblocks every signal for this thread and those that it starts, for programs that own their process.
///
/// A parent may have started this process with SIGTERM blocked, which then would never be seen. Tasks are not
/// concerned: each is started with nothing blocked.
///
/// # Errors
///
/// The operating system's.
pub fn unblock_signals() -> io::Result<()> {
    let mut none = MaybeUninit::uninit();
    // SAFETY: the set is written by sigemptyset before it is read, and the old mask is not asked for.
    let error = unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut())
    };
    if error == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

/// How many tasks may be live at once: one descriptor each, and an eighth of all plus a few are the host's.
pub(crate) fn max_live() -> usize {
    let soft = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    let soft = usize::try_from(soft).unwrap_or(usize::MAX);
    soft.saturating_sub(soft / 8 + 32).max(1)
}
