//! Waiting on one thread for the ends of many leaders.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

#[cfg(target_os = "macos")]
use crate::kqueue;

/// Why a [`Poller::wait`] returned.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// The descriptor added under this key is readable.
    Key(u64),
    /// Somebody called [`Poller::wake`].
    Woken,
}

/// Waits for many descriptors at the cost of those that are ready: epoll on Linux, kqueue on macOS.
///
/// ```
/// use meanwhile_process::{Poller, Ready};
/// let poller = Poller::new()?;
/// poller.wake();
/// let mut ready = Vec::new();
/// poller.wait(None, &mut ready)?;
/// assert_eq!(ready, [Ready::Woken]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Poller {
    queue: OwnedFd,
    #[cfg(target_os = "linux")]
    wake: OwnedFd,
}

/// The key of the wake-up.
const WAKE: u64 = u64::MAX;

#[cfg(target_os = "linux")]
impl Poller {
    /// Two descriptors.
    ///
    /// # Errors
    ///
    /// The operating system's, such as no descriptor left.
    pub fn new() -> io::Result<Self> {
        use rustix::event::{EventfdFlags, epoll, eventfd};
        let queue = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered: each wake is told once, and the counter never has to be read.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&queue, &wake, epoll::EventData::new_u64(WAKE), flags)?;
        Ok(Self { queue, wake })
    }

    /// Has `fd` told under `key` once if it is readable, and once whenever it becomes so, until it is closed everywhere.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn add(&self, fd: impl AsFd, key: u64) -> io::Result<()> {
        use rustix::event::epoll;
        epoll::add(
            &self.queue,
            fd,
            epoll::EventData::new_u64(key),
            epoll::EventFlags::IN | epoll::EventFlags::ET,
        )?;
        Ok(())
    }

    /// Ends a wait, or the next one if there is none now. From any thread; never blocks.
    pub fn wake(&self) {
        // It fails only when the counter is full, and then the waiter is about to be woken anyhow.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Waits until something is ready or `deadline` has come, and adds what is ready to `ready`.
    ///
    /// # Errors
    ///
    /// The operating system's; an interruption by a signal is none.
    pub fn wait(&self, deadline: Option<Instant>, ready: &mut Vec<Ready>) -> io::Result<()> {
        use rustix::event::epoll;
        let mut events: Vec<epoll::Event> = Vec::with_capacity(256);
        let timeout = deadline.map(until);
        match epoll::wait(
            &self.queue,
            rustix::buffer::spare_capacity(&mut events),
            timeout.as_ref(),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        ready.extend(events.iter().map(|event| match event.data.u64() {
            WAKE => Ready::Woken,
            key => Ready::Key(key),
        }));
        Ok(())
    }
}

fn until(deadline: Instant) -> rustix::event::Timespec {
    // A longer wait takes another system call, which older kernels lack; to wake up a day early does no harm.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let left = deadline
        .saturating_duration_since(Instant::now())
        .min(LONGEST);
    rustix::event::Timespec {
        tv_sec: left.as_secs().cast_signed(),
        tv_nsec: left.subsec_nanos().into(),
    }
}

#[cfg(target_os = "macos")]
impl Poller {
    /// One descriptor.
    ///
    /// # Errors
    ///
    /// The operating system's, such as no descriptor left.
    pub fn new() -> io::Result<Self> {
        let poller = Self {
            queue: kqueue::open()?,
        };
        poller.change(0, libc::EVFILT_USER, libc::EV_ADD | libc::EV_CLEAR, 0, WAKE)?;
        Ok(poller)
    }

    /// Has `fd` told under `key` once if it is readable, and once whenever it becomes so, until it is closed.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn add(&self, fd: impl AsFd, key: u64) -> io::Result<()> {
        let flags = libc::EV_ADD | libc::EV_CLEAR;
        self.change(ident(&fd), libc::EVFILT_READ, flags, 0, key)
    }

    /// Ends a wait, or the next one if there is none now. From any thread; never blocks.
    pub fn wake(&self) {
        // The event was added by new and is never deleted, so triggering it cannot fail.
        let _ = self.change(0, libc::EVFILT_USER, 0, libc::NOTE_TRIGGER, WAKE);
    }

    /// Waits until something is ready or `deadline` has come, and adds what is ready to `ready`.
    ///
    /// # Errors
    ///
    /// The operating system's; an interruption by a signal is none.
    pub fn wait(&self, deadline: Option<Instant>, ready: &mut Vec<Ready>) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        use std::ptr;
        const ROOM: libc::c_int = 256;
        let empty = libc::kevent {
            ident: 0,
            filter: 0,
            flags: 0,
            fflags: 0,
            data: 0,
            udata: ptr::null_mut(),
        };
        let mut events = [empty; ROOM as usize];
        let timeout = deadline.map(until).map(|left| libc::timespec {
            tv_sec: left.tv_sec,
            tv_nsec: left.tv_nsec,
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: no change is passed in; the array has room for ROOM events; the timeout is null or valid.
        let count = unsafe {
            libc::kevent(
                self.queue.as_raw_fd(),
                ptr::null(),
                0,
                events.as_mut_ptr(),
                ROOM,
                timeout,
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted {
                Ok(())
            } else {
                Err(error)
            };
        };
        ready.extend(
            events[..count]
                .iter()
                .map(|event| match event.udata as u64 {
                    WAKE => Ready::Woken,
                    key => Ready::Key(key),
                }),
        );
        Ok(())
    }

    fn change(
        &self,
        ident: usize,
        filter: i16,
        flags: u16,
        fflags: u32,
        key: u64,
    ) -> io::Result<()> {
        kqueue::change(
            &self.queue,
            kqueue::Change {
                ident,
                filter,
                flags,
                fflags,
                key,
            },
        )
    }
}

#[cfg(target_os = "macos")]
fn ident(fd: &impl AsFd) -> usize {
    use std::os::fd::AsRawFd;
    fd.as_fd().as_raw_fd() as usize
}
