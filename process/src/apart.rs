//! Starting a process that never has the descriptors of this one.
//!
//! `posix_spawn` gives the child a copy of the table of descriptors, of which the child then closes each: with one for each
//! of ten thousand tasks that takes longer than all the rest. Here the child shares the table until it makes itself one
//! that is empty, and opens its three by their paths.

use std::ffi::CStr;
use std::io;
use std::sync::atomic::AtomicI32;

use rustix::process::Pid;

use crate::spawn::Image;

/// The files that the child opens as its three descriptors.
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu")),
    expect(dead_code, reason = "nobody starts a process in this way there")
)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paths<'a> {
    pub(crate) stdin: &'a CStr,
    /// Appended to, and there already; so is the next one.
    pub(crate) stdout: &'a CStr,
    /// As stdout, if there is none.
    pub(crate) stderr: Option<&'a CStr>,
}

/// Starts `image` as [`spawn::spawn`](crate::spawn::spawn) does. `None` where the system cannot do it in this way.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn spawn(_: &Image, _: Paths<'_>, _: &AtomicI32) -> Option<io::Result<Pid>> {
    None
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use self::clone::spawn;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod clone {
    use std::ffi::c_void;
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::atomic::{AtomicBool, Ordering};

    use libc::{c_char, c_int};

    use super::{AtomicI32, CStr, Image, Paths, Pid, io};
    use crate::spawn::pointers;

    /// What the child has for a stack: it calls a few functions of libc, one at a time.
    const STACK: usize = 64 << 10;

    /// A kernel before 5.9, or a filter of system calls, refuses what this is built on.
    static IS_REFUSED: AtomicBool = AtomicBool::new(false);

    /// What the child is to do, and what became of it: it runs in this process's memory until it executes its image.
    struct Plan<'a> {
        program: *const c_char,
        args: *const *mut c_char,
        env: *const *mut c_char,
        cwd: Option<&'a CStr>,
        paths: Paths<'a>,
        failure: Option<Failure>,
    }

    enum Failure {
        /// It has no table of its own, and has done nothing.
        Together,
        Errno(c_int),
    }

    /// Starts `image` as [`spawn::spawn`](crate::spawn::spawn) does, with the id of the process in `id` before it runs.
    /// `None` where the system cannot do it in this way.
    pub(crate) fn spawn(
        image: &Image,
        paths: Paths<'_>,
        id: &AtomicI32,
    ) -> Option<io::Result<Pid>> {
        if IS_REFUSED.load(Ordering::Relaxed) {
            return None;
        }
        let (args, env) = (pointers(&image.args), pointers(&image.env));
        let mut plan = Plan {
            program: image.program.as_ptr(),
            args: args.as_ptr(),
            env: env.as_ptr(),
            cwd: image.cwd.as_deref(),
            paths,
            failure: None,
        };
        let pid = match clone(&mut plan, id) {
            Ok(pid) => pid,
            Err(error) => return Some(Err(error)),
        };
        let Some(failure) = plan.failure else {
            return Some(Ok(
                Pid::from_raw(pid).expect("a successful clone gives the id of a process")
            ));
        };
        // SAFETY: a child of ours that has ended, and that nobody else knows of.
        unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
        match failure {
            Failure::Together => {
                IS_REFUSED.store(true, Ordering::Relaxed);
                None
            }
            Failure::Errno(errno) => Some(Err(io::Error::from_raw_os_error(errno))),
        }
    }

    /// Returns when the child has executed its image, or has failed and ended.
    fn clone(plan: &mut Plan<'_>, id: &AtomicI32) -> io::Result<libc::pid_t> {
        let mut stack: Vec<u128> = Vec::with_capacity(STACK / size_of::<u128>());
        // It grows downwards, and is aligned as every platform wants it.
        let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
        let flags = libc::CLONE_VM
            | libc::CLONE_VFORK
            | libc::CLONE_FILES
            | libc::CLONE_PARENT_SETTID
            | libc::SIGCHLD;
        let mut before = MaybeUninit::uninit();
        // SAFETY: both sets are written before they are read. With every signal blocked no handler of this process
        // runs in the child, which shares its memory. This thread waits in clone until the child is done with that
        // memory, so that the plan, and all that it points to, and the stack outlive its use. The kernel writes to `id`
        // during the call alone, and whoever reads it meanwhile does so atomically.
        unsafe {
            let mut every_signal = MaybeUninit::uninit();
            libc::sigfillset(every_signal.as_mut_ptr());
            libc::pthread_sigmask(
                libc::SIG_SETMASK,
                every_signal.as_ptr(),
                before.as_mut_ptr(),
            );
            let plan = ptr::from_mut(plan).cast();
            let pid = libc::clone(child, top.cast(), flags, plan, id.as_ptr());
            let error = io::Error::last_os_error();
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
            if pid < 0 { Err(error) } else { Ok(pid) }
        }
    }

    /// The child. Nothing in here allocates, locks or panics: another thread of the process may be in the middle of
    /// either, and this one must not return into it.
    extern "C" fn child(plan: *mut c_void) -> c_int {
        // SAFETY: it is the plan that `clone` was given, and nobody else looks at it while this runs.
        let plan = unsafe { &mut *plan.cast::<Plan<'_>>() };
        // SAFETY: a system call about this process alone, that takes three numbers. It comes first: until it is done,
        // whatever is opened or closed here is so for the whole program.
        let is_apart = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                0_u32,
                u32::MAX,
                libc::CLOSE_RANGE_UNSHARE,
            ) == 0
        };
        plan.failure = Some(if is_apart {
            Failure::Errno(execute(plan))
        } else {
            Failure::Together
        });
        // SAFETY: ends this process without a destructor or handler of the program's.
        unsafe { libc::_exit(127) }
    }

    /// Does not return unless it fails, and then with the reason.
    fn execute(plan: &Plan<'_>) -> c_int {
        // SAFETY: every pointer is to a string that ends with a NUL, or to an array of them that ends with a null pointer,
        // which `spawn` keeps; the rest is about this process alone.
        unsafe {
            let is_ready = open_stdio(plan.paths)
                && libc::setsid() >= 0
                && plan.cwd.is_none_or(|cwd| libc::chdir(cwd.as_ptr()) == 0);
            if is_ready {
                let mut no_signal = MaybeUninit::uninit();
                libc::sigemptyset(no_signal.as_mut_ptr());
                reset_signals();
                libc::sigprocmask(libc::SIG_SETMASK, no_signal.as_ptr(), ptr::null_mut());
                libc::execve(plan.program, plan.args.cast(), plan.env.cast());
            }
            *libc::__errno_location()
        }
    }

    /// The table is empty: what is opened gets the lowest numbers in turn.
    unsafe fn open_stdio(paths: Paths<'_>) -> bool {
        let append = libc::O_WRONLY | libc::O_APPEND;
        // SAFETY: the paths end with a NUL.
        unsafe {
            libc::open(paths.stdin.as_ptr(), libc::O_RDONLY) == 0
                && libc::open(paths.stdout.as_ptr(), append) == 1
                && match paths.stderr {
                    Some(stderr) => libc::open(stderr.as_ptr(), append) == 2,
                    None => libc::dup(1) == 2,
                }
        }
    }

    /// What is ignored would stay so; what is handled must not be once signals are let in.
    fn reset_signals() {
        for signal in 1..=libc::SIGRTMAX() {
            // SAFETY: the structures are valid, zeroes for the default disposition; the table of handlers is not shared.
            unsafe {
                let mut before = MaybeUninit::<libc::sigaction>::zeroed();
                libc::sigaction(signal, ptr::null(), before.as_mut_ptr());
                if before.assume_init().sa_sigaction != libc::SIG_DFL {
                    let default = MaybeUninit::<libc::sigaction>::zeroed();
                    libc::sigaction(signal, default.as_ptr(), ptr::null_mut());
                }
            }
        }
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd;

    use super::*;

    /// A shell that runs `line`, with its output in `output`.
    fn run(line: &str, output: &std::path::Path) -> io::Result<i32> {
        let c = |text: &str| std::ffi::CString::new(text).expect("no NUL in it");
        let image = Image {
            program: c("/bin/sh"),
            args: vec![c("sh"), c("-c"), c(line)],
            env: vec![c("A=1")],
            cwd: Some(c("/")),
        };
        fs::write(output, "before\n").expect("a writable folder");
        let output = c(output.to_str().expect("a plain path"));
        let paths = Paths {
            stdin: c"/dev/null",
            stdout: &output,
            stderr: None,
        };
        let id = AtomicI32::new(0);
        let pid = spawn(&image, paths, &id).expect("a system of this decade")?;
        assert_eq!(pid.as_raw_nonzero().get(), id.into_inner());
        let status = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        let (_, status) = status.expect("a child").expect("it has ended");
        Ok(status.exit_status().expect("it ends by itself"))
    }

    #[test]
    fn nothing_of_this_process_is_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = folder.path().join("output");
        // Without the flag that closes it when a program is executed.
        let kept = rustix::io::dup(fs::File::open("/").expect("a folder")).expect("a descriptor");
        let line = "exec /bin/sh -c 'echo /proc/self/fd/*; echo oops >&2; cat; pwd; exit 3'";
        assert_eq!(run(line, &output).expect("a shell"), 3);
        // The shell itself looks into the folder with the fourth.
        let text = fs::read_to_string(&output).expect("readable");
        let fds = "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3";
        assert_eq!(text, format!("before\n{fds}\noops\n/\n"));
        assert!(kept.as_raw_fd() > 2);
    }

    #[test]
    fn what_fails_is_said_and_leaves_no_zombie() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let image = Image {
            program: c"/no/such/program".into(),
            args: vec![c"x".into()],
            env: Vec::new(),
            cwd: None,
        };
        let output = folder.path().join("output");
        fs::write(&output, "").expect("a writable folder");
        let output = std::ffi::CString::new(output.to_str().expect("a plain path"));
        let output = output.expect("no NUL in it");
        let mut paths = Paths {
            stdin: c"/dev/null",
            stdout: &output,
            stderr: None,
        };
        let error = |paths| {
            let result = spawn(&image, paths, &AtomicI32::new(0));
            result.expect("a system of this decade").err()
        };
        let kind = |error: Option<io::Error>| error.map(|error| error.kind());
        assert_eq!(kind(error(paths)), Some(io::ErrorKind::NotFound));
        paths.stdout = c"/no/such/folder/output";
        assert_eq!(kind(error(paths)), Some(io::ErrorKind::NotFound));
    }
}
