//! The leader of a task's process group: its end, its status, its group.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{EndedBy, ExitStatus, Stop};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process_group, test_kill_process_group,
    waitid, waitpid,
};

use crate::cgroup::Cgroup;
use crate::table::Entry;
use crate::{exit_watch, lock};

/// A started process that leads its group.
///
/// Its id, and with it the id of the group, stays taken until it is reaped, dead or not. So a signal to the
/// group cannot hit somebody else as long as it is sent before the reaping, and both are under one lock.
#[derive(Debug)]
pub struct Leader {
    pid: Pid,
    started: Instant,
    exit: Option<Arc<OwnedFd>>,
    cgroup: Option<Cgroup>,
    reaping: Mutex<Reaping>,
    /// How it ended, once that was seen: what is dead does not change.
    status: OnceLock<ExitStatus>,
    /// What was found of the task when it was last looked for.
    look: Mutex<Look>,
}

/// A look at a task's tree. The first is that of the start, when nobody else could be there.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) at: Instant,
    /// Dead ones included. The leader need not be among them.
    pub(crate) tree: Vec<Entry>,
    /// Whoever has come since has a later id than this. `None` where the system does not tell.
    pub(crate) last_id: Option<i32>,
    /// Of the ids shortly before that, those of nobody who was there: some may just have been forked.
    pub(crate) unseen: Arc<[i32]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reaping {
    /// Alive, or dead and not reaped.
    There {
        stop: StopSeen,
    },
    Reaped,
}

/// What came of stops before the loop got to know of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopSeen {
    None,
    /// Somebody asked, and the loop will see to it.
    Asked(EndedBy),
    /// Somebody did not want to wait: the group was killed, for whoever had asked first.
    Killed(EndedBy),
}

impl Leader {
    /// Takes charge of a child that was just spawned.
    pub(crate) fn new(pid: Pid, cgroup: Option<Cgroup>) -> Self {
        let reaping = Reaping::There {
            stop: StopSeen::None,
        };
        // Without a descriptor left the leader is watched by the clock. To give up now would be to kill a command
        // that has begun, and to begin it again would be to run it twice.
        let exit = exit_watch::open(pid).ok().map(Arc::new);
        let started = Instant::now();
        let start = Look {
            at: started,
            tree: Vec::new(),
            last_id: Some(pid.as_raw_nonzero().get()),
            unseen: Arc::default(),
        };
        Self {
            pid,
            started,
            exit,
            cgroup,
            reaping: Mutex::new(reaping),
            status: OnceLock::new(),
            look: Mutex::new(start),
        }
    }

    /// A descriptor that becomes readable when the leader has ended: a pidfd on Linux, a kqueue on macOS. It may be so a
    /// moment before there is a status, and a reactor need not tell again: then, and if this is `None` because the system
    /// had none left, ask [`status`](Self::status) every [`LOOK_AGAIN`](crate::LOOK_AGAIN).
    #[must_use]
    pub fn exit_descriptor(&self) -> Option<Arc<OwnedFd>> {
        self.exit.clone()
    }

    /// How it ended; `None` while it lives. The leader is not reaped by that, so that its group can still be
    /// signalled.
    #[must_use]
    pub fn status(&self) -> Option<ExitStatus> {
        // Under the lock: what is reaped cannot be asked any more.
        let _reaping = lock(&self.reaping);
        self.seen_status().cloned()
    }

    fn seen_status(&self) -> Option<&ExitStatus> {
        if let Some(status) = self.status.get() {
            return Some(status);
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = match waitid(WaitId::Pid(self.pid), options) {
            Ok(None) => return None,
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ExitStatus::Code(code),
                (None, Some(signal)) => ExitStatus::Signal(signal),
                (None, None) => ExitStatus::Lost,
            },
            // Somebody else in this process reaped it, or SIGCHLD is ignored. Nobody knows the status now.
            Err(_) => ExitStatus::Lost,
        };
        Some(self.status.get_or_init(|| status))
    }

    /// Its process id, which is also that of its group.
    pub(crate) fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Signals every process of the group, unless the leader was reaped.
    pub(crate) fn signal_group(&self, signal: Signal) {
        let reaping = lock(&self.reaping);
        if matches!(*reaping, Reaping::There { .. }) {
            // It fails only if there is nobody left, or nobody that we may signal; the next look tells.
            let _ = kill_process_group(self.pid, signal);
        }
    }

    /// Notes a stop; kills the group at once if there is to be no grace. The note keeps the loop from taking
    /// the end for a natural one if it sees that before it sees the stop.
    pub(crate) fn ask(&self, stop: Stop) {
        let mut reaping = lock(&self.reaping);
        let has_ended = self.seen_status().is_some();
        let Reaping::There { stop: seen } = &mut *reaping else {
            return;
        };
        if has_ended {
            return;
        }
        let by = match *seen {
            StopSeen::None => stop.by,
            StopSeen::Asked(by) | StopSeen::Killed(by) => by,
        };
        if stop.grace == Some(Duration::ZERO) {
            *seen = StopSeen::Killed(by);
            let _ = kill_process_group(self.pid, Signal::KILL);
        } else if *seen == StopSeen::None {
            *seen = StopSeen::Asked(by);
        }
    }

    /// The stop for which the group was killed without the loop.
    pub(crate) fn killed_for(&self) -> Option<Stop> {
        match *lock(&self.reaping) {
            Reaping::There {
                stop: StopSeen::Killed(by),
            } => Some(Stop::by(by).grace(Duration::ZERO)),
            Reaping::There { .. } | Reaping::Reaped => None,
        }
    }

    /// Reaps a leader that has ended: from here on its id is free. Does nothing while it lives.
    pub(crate) fn reap(&self) {
        let mut reaping = lock(&self.reaping);
        if matches!(*reaping, Reaping::There { .. }) && self.seen_status().is_some() {
            let _ = waitpid(Some(self.pid), WaitOptions::NOHANG);
            *reaping = Reaping::Reaped;
        }
    }

    /// Blocks until it has ended, for at most `limit`.
    pub(crate) fn wait_for_exit(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.status().is_none() {
            if Instant::now() >= deadline {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// What the last look found. Whoever was found outside of the group is not forgotten by it: when their parents die of
    /// a signal they lose their ancestry, and some have no other mark.
    pub(crate) fn last_look(&self) -> Look {
        lock(&self.look).clone()
    }

    pub(crate) fn remember(&self, look: Look) {
        *lock(&self.look) = look;
    }

    /// The control group of the task, if it has one.
    pub(crate) fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// Whether nobody is in the group. Meant for after the reaping: a dead leader counts until then.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_group_empty(&self) -> bool {
        // A member that we may not signal, one that became root, is somebody.
        test_kill_process_group(self.pid) == Err(rustix::io::Errno::SRCH)
    }

    /// Whether nobody is in the group. Meant for after the reaping: a dead leader counts until then.
    #[cfg(target_os = "macos")]
    pub(crate) fn is_group_empty(&self) -> bool {
        // Zombies cannot be signalled there either.
        test_kill_process_group(self.pid).is_err()
    }
}
