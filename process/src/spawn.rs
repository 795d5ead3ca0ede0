//! Starting a process by `posix_spawn`.
//!
//! Not by `std::process::Command`: with all that a clean child needs (every descriptor closed, every signal
//! at its default and unblocked, a group of its own), it would have to fork and run code in the child. A fork
//! copies the parent's page tables, which from a parent of 2 GiB takes a thousand times as long. glibc's and
//! macOS' `posix_spawn` do all of it without a copy.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use libc::{c_char, c_int, c_short};
use rustix::process::Pid;

/// What to execute.
#[derive(Debug)]
pub(crate) struct Image {
    /// A path with a slash in it; nothing is looked up.
    pub(crate) program: CString,
    pub(crate) args: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) cwd: Option<CString>,
}

/// Starts `image` as the leader of a new session and process group, with these three descriptors and no other.
///
/// Returns once the image is executed; a failure to execute it is an error.
pub(crate) fn spawn(image: &Image, stdio: [BorrowedFd<'_>; 3]) -> io::Result<Pid> {
    let mut actions = FileActions::new()?;
    // A source among the three targets would be overwritten before its turn. It can only be there if the
    // host closed one of its own three.
    let mut moved: Vec<OwnedFd> = Vec::new();
    for (target, fd) in (0..).zip(stdio) {
        let source = if fd.as_raw_fd() < 3 {
            moved.push(rustix::io::fcntl_dupfd_cloexec(fd, 3)?);
            moved.last().map_or(-1, AsRawFd::as_raw_fd)
        } else {
            fd.as_raw_fd()
        };
        actions.dup2(source, target)?;
    }
    if let Some(cwd) = &image.cwd {
        actions.chdir(cwd)?;
    }
    actions.close_from_3()?;
    let attributes = Attributes::clean_session_leader()?;

    let args = pointers(&image.args);
    let env = pointers(&image.env);
    let mut pid: libc::pid_t = 0;
    // SAFETY: program, args and env are NUL-terminated and outlive the call, both arrays end in a null
    // pointer, and actions and attributes are initialised.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            image.program.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            args.as_ptr(),
            env.as_ptr(),
        )
    })?;
    Ok(Pid::from_raw(pid).expect("a successful posix_spawn gives the id of a process"))
}

/// An array of them that ends with a null pointer.
pub(crate) fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    let pointers = strings.iter().map(|string| string.as_ptr().cast_mut());
    pointers.chain([ptr::null_mut()]).collect()
}

/// These functions return the error instead of setting errno.
fn check(error: c_int) -> io::Result<()> {
    if error == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: init writes to the whole of it if it returns 0.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: initialised just now.
        Ok(Self(unsafe { actions.assume_init() }))
    }

    fn dup2(&mut self, source: c_int, target: c_int) -> io::Result<()> {
        // SAFETY: self is initialised; the numbers are only stored.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, source, target) })
    }

    fn chdir(&mut self, path: &CStr) -> io::Result<()> {
        // SAFETY: self is initialised; the path is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&raw mut self.0, path.as_ptr()) })
    }

    /// Closes what the host did not mark close-on-exec, or inherited itself.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn close_from_3(&mut self) -> io::Result<()> {
        // SAFETY: self is initialised; the number is only stored.
        check(unsafe { libc::posix_spawn_file_actions_addclosefrom_np(&raw mut self.0, 3) })
    }

    /// musl cannot close a range: each descriptor that would be inherited is closed by name. One that another
    /// thread opens in between is inherited.
    #[cfg(all(target_os = "linux", not(target_env = "gnu")))]
    fn close_from_3(&mut self) -> io::Result<()> {
        for entry in std::fs::read_dir("/proc/self/fd")? {
            let Some(fd) = entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<c_int>().ok())
            else {
                continue;
            };
            // SAFETY: asking for the flags of a number that is no descriptor any more fails, and does nothing.
            let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
            if fd >= 3 && flags >= 0 && flags & libc::FD_CLOEXEC == 0 {
                // SAFETY: self is initialised; the number is only stored.
                check(unsafe { libc::posix_spawn_file_actions_addclose(&raw mut self.0, fd) })?;
            }
        }
        Ok(())
    }

    /// POSIX_SPAWN_CLOEXEC_DEFAULT does it.
    #[cfg(target_os = "macos")]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "as on the other platforms"
    )]
    fn close_from_3(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised by new, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

struct Attributes(libc::posix_spawnattr_t);

#[cfg(target_os = "linux")]
const SETSID: c_int = libc::POSIX_SPAWN_SETSID as c_int;
/// `<spawn.h>` of macOS 10.15 and later; the libc crate lacks it.
#[cfg(target_os = "macos")]
const SETSID: c_int = 0x0400;

impl Attributes {
    #[cfg(target_os = "macos")]
    const CLOSE_THE_REST: c_int = libc::POSIX_SPAWN_CLOEXEC_DEFAULT;
    #[cfg(not(target_os = "macos"))]
    const CLOSE_THE_REST: c_int = 0;

    /// A session and group of its own, every signal at its default, none blocked.
    ///
    /// The session takes the terminal away: a program that asks for a password on `/dev/tty` fails at once,
    /// where in a background group it would be stopped by SIGTTIN and hang until its deadline. The signals
    /// would be inherited: the mask of this thread, a SIGINT ignored by `nohup`, a SIGPIPE ignored by Rust.
    fn clean_session_leader() -> io::Result<Self> {
        let flags = SETSID
            | libc::POSIX_SPAWN_SETSIGDEF as c_int
            | libc::POSIX_SPAWN_SETSIGMASK as c_int
            | Self::CLOSE_THE_REST;
        let flags =
            c_short::try_from(flags).expect("the flags of posix_spawn are those of a short");
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: init writes to the whole of it if it returns 0.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: initialised just now.
        let mut attributes = Self(unsafe { attributes.assume_init() });
        let mut every_signal = MaybeUninit::uninit();
        let mut no_signal = MaybeUninit::uninit();
        // SAFETY: both sets are written before they are read, and the attributes are initialised.
        unsafe {
            libc::sigfillset(every_signal.as_mut_ptr());
            libc::sigemptyset(no_signal.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(
                &raw mut attributes.0,
                every_signal.as_ptr(),
            ))?;
            check(libc::posix_spawnattr_setsigmask(
                &raw mut attributes.0,
                no_signal.as_ptr(),
            ))?;
            check(libc::posix_spawnattr_setflags(&raw mut attributes.0, flags))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised by its constructor, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
