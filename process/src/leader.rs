//! The leader of a task's process group: its end, its status, its group.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use meanwhile_core::ExitStatus;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process_group, test_kill_process_group,
    waitid, waitpid,
};

use crate::exit_watch;
use crate::lock;

/// A started process that leads its group.
///
/// Its id, and with it the id of the group, stays taken until it is reaped, dead or not. So a signal to the
/// group cannot hit somebody else as long as it is sent before the reaping, and both are under one lock.
#[derive(Debug)]
pub struct Leader {
    pid: Pid,
    exit: Arc<OwnedFd>,
    body: Mutex<Body>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    /// Alive, or dead and not reaped.
    There,
    Reaped(ExitStatus),
}

impl Leader {
    /// Takes charge of a child that was just spawned. One that cannot be watched is killed and reaped.
    pub(crate) fn new(pid: Pid) -> io::Result<Self> {
        match exit_watch::open(pid) {
            Ok(exit) => Ok(Self {
                pid,
                exit: Arc::new(exit),
                body: Mutex::new(Body::There),
            }),
            Err(error) => {
                // It may be gone already, which is as well.
                let _ = kill_process_group(pid, Signal::KILL);
                let _ = waitpid(Some(pid), WaitOptions::empty());
                Err(error)
            }
        }
    }

    /// A descriptor that becomes readable when the leader has ended: a pidfd on Linux, a kqueue on macOS.
    /// Readiness may be spurious: ask [`status`](Self::status).
    #[must_use]
    pub fn exit_descriptor(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.exit)
    }

    /// How it ended; `None` while it lives. The leader is not reaped by that, so that its group can still be
    /// signalled.
    #[must_use]
    pub fn status(&self) -> Option<ExitStatus> {
        let body = lock(&self.body);
        if let Body::Reaped(status) = &*body {
            return Some(status.clone());
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(None) => None,
            Ok(Some(status)) => Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ExitStatus::Code(code),
                (None, Some(signal)) => ExitStatus::Signal(signal),
                (None, None) => ExitStatus::Lost,
            }),
            // Somebody else in this process reaped it, or SIGCHLD is ignored. Nobody knows the status now.
            Err(_) => Some(ExitStatus::Lost),
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Signals every process of the group, unless the leader was reaped.
    pub(crate) fn signal_group(&self, signal: Signal) {
        let body = lock(&self.body);
        if *body == Body::There {
            // It fails only if there is nobody left, or nobody that we may signal; the next look tells.
            let _ = kill_process_group(self.pid, signal);
        }
    }

    /// Reaps a leader that has ended: from here on its id is free. Does nothing while it lives.
    pub(crate) fn reap(&self) {
        let Some(status) = self.status() else { return };
        let mut body = lock(&self.body);
        if *body == Body::There {
            let _ = waitpid(Some(self.pid), WaitOptions::NOHANG);
            *body = Body::Reaped(status);
        }
    }

    /// Blocks until it has ended, at most for `limit_ms`.
    pub(crate) fn wait_for_exit(&self, limit_ms: i64) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let limit = Timespec {
            tv_sec: limit_ms / 1000,
            tv_nsec: (limit_ms % 1000) * 1_000_000,
        };
        let _ = poll(&mut [PollFd::new(&self.exit, PollFlags::IN)], Some(&limit));
    }

    /// Whether anybody is in the group. Meant for after the reaping: a dead leader counts until then.
    pub(crate) fn is_group_empty(&self) -> bool {
        test_kill_process_group(self.pid).is_err()
    }
}

impl AsFd for Leader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }
}
