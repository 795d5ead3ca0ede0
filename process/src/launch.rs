//! A task on its way to a spawner thread, and there.

use std::ffi::{CStr, OsStr};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{
    Cancellation, EndedBy, Ending, Event, ExitStatus, Job, JobContext, Output, Report, Spec, Stdin,
    Stop, Stream, Work,
};
use rustix::io::Errno;
use rustix::process::Pid;

use crate::apart;
use crate::command::{Command, Script, c_string, explain};
use crate::job::JobFuture;
use crate::leader::Leader;
use crate::local::{Parts, Post, Start};
use crate::lock;
use crate::registry::Starting;
use crate::running::{Body, LeaderExit, Running};
use crate::spawn::{self, Image};
use crate::spool::{JobWriter, Spool, Writers};
use crate::table;

/// What tasks read from that were given nothing to read.
const DEV_NULL: &CStr = c"/dev/null";
/// How long a start is tried again where the system has no room for another process or descriptor now.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Launch {
    pub(crate) parts: Arc<Parts>,
    pub(crate) spec: Arc<Spec>,
    pub(crate) report: Report,
    pub(crate) post: Post,
    pub(crate) spool: Arc<Spool>,
    pub(crate) start: Arc<Mutex<Start>>,
}

/// Work that has begun.
struct Begun {
    body: Body,
    script: Option<Script>,
    exit: LeaderExit,
}

struct Failure {
    message: String,
    error: io::Error,
}

impl Launch {
    pub(crate) fn run(self, supervise: impl FnOnce(Running, LeaderExit)) {
        match self.begin() {
            Ok(begun) => {
                let (running, exit) = self.hand_over(begun);
                supervise(running, exit);
            }
            Err(NotBegun::Stopped(by)) => {
                self.report
                    .exited(Ending::of(ExitStatus::NeverStarted).ended_by(by));
            }
            Err(NotBegun::Failed(Failure { message, error })) => {
                self.report
                    .exited(Ending::failed_to_start(message, error.raw_os_error()));
            }
        }
    }

    /// Begins the work, again and again while the system has no room for it.
    fn begin(&self) -> Result<Begun, NotBegun> {
        let mut pause = Duration::from_millis(1);
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            if let Some(stop) = self.kept_stop() {
                return Err(NotBegun::Stopped(stop.by));
            }
            match self.try_to_begin() {
                Ok(begun) => return Ok(begun),
                Err(failure) if is_passing(&failure.error) && Instant::now() < give_up_at => {
                    self.spool.remove()
                }
                Err(failure) => return Err(NotBegun::Failed(failure)),
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    fn try_to_begin(&self) -> Result<Begun, Failure> {
        let writers = self.spool.create().map_err(|error| Failure {
            message: format!(
                "cannot make a file for the output in {}: {error}",
                self.spool_dir().display()
            ),
            error,
        })?;
        match self.spec.get_work() {
            Work::Job(job) => Ok(self.begin_job(job, writers)),
            _ => self.spawn(&writers).map_err(|error| Failure {
                message: explain(&self.spec, &error),
                error,
            }),
        }
    }

    fn begin_job(&self, job: &Arc<dyn Job>, writers: Writers) -> Begun {
        self.report.started();
        let output = Arc::new(JobWriter(writers.stdout));
        let (cancel, kill) = (Cancellation::default(), Cancellation::default());
        let context = JobContext::new(self.report.id(), output.clone(), cancel.clone());
        let future = JobFuture::new(Arc::clone(job), context, output, kill.clone());
        Begun {
            body: Body::Job { cancel, kill },
            script: None,
            exit: LeaderExit::Job(future),
        }
    }

    fn spawn(&self, writers: &Writers) -> io::Result<Begun> {
        let id = self.report.id();
        let command = Command::new(&self.spec, id, self.spool_dir())?;
        let starting = self.parts.registry.starting();
        let pid = match self.spawn_apart(&command.image, &starting) {
            Some(pid) => pid?,
            None => self.spawn_together(&command.image, writers)?,
        };
        self.report_start(pid);
        let cgroup = self
            .parts
            .cgroups
            .as_ref()
            .and_then(|parent| parent.adopt(pid, id));
        let leader = Arc::new(Leader::new(pid, cgroup));
        self.parts.registry.insert(&leader);
        let exit = LeaderExit::Process(Arc::clone(&leader));
        Ok(Begun {
            body: Body::Process(leader),
            script: command.script,
            exit,
        })
    }

    /// `None` if it takes descriptors of this process.
    fn spawn_apart(&self, image: &Image, starting: &Starting<'_>) -> Option<io::Result<Pid>> {
        if matches!(self.spec.get_stdin(), Stdin::Bytes(_)) {
            return None;
        }
        let path = |stream| self.spool.path(stream).map(c_string);
        let stdout = path(Stream::Stdout)?.ok()?;
        let stderr = path(Stream::Stderr).transpose().ok()?;
        let paths = apart::Paths {
            stdin: DEV_NULL,
            stdout: &stdout,
            stderr: stderr.as_deref(),
        };
        apart::spawn(image, paths, starting.id())
    }

    fn spawn_together(&self, image: &Image, writers: &Writers) -> io::Result<Pid> {
        let stdin = self.open_stdin()?;
        let stderr = writers.stderr.as_ref().unwrap_or(&writers.stdout);
        spawn::spawn(
            image,
            [stdin.as_fd(), writers.stdout.as_fd(), stderr.as_fd()],
        )
    }

    fn report_start(&self, pid: Pid) {
        if !self.report.is_recorded() {
            return self.report.started();
        }
        let pid = pid.as_raw_nonzero().get();
        // It is not reaped yet, so it is in the table, dead or not.
        match table::entry(pid) {
            Ok(Some(entry)) => self.report.started_as(entry.id()),
            // No descriptor left to look by: then it is found by its mark alone.
            _ => self.report.started(),
        }
    }

    fn open_stdin(&self) -> io::Result<File> {
        use std::io::{Seek, Write};
        let Stdin::Bytes(bytes) = self.spec.get_stdin() else {
            return File::open(OsStr::from_bytes(DEV_NULL.to_bytes()));
        };
        // A file and not a pipe: nobody has to feed it, and it can be as large as it likes.
        let path = self.spool_dir().join(format!("{}.in", self.report.id()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        std::fs::remove_file(&path)?;
        file.write_all(bytes)?;
        file.rewind()?;
        Ok(file)
    }

    fn hand_over(self, begun: Begun) -> (Running, LeaderExit) {
        let leader = match &begun.body {
            Body::Process(leader) => Some(Arc::clone(leader)),
            Body::Job { .. } => None,
        };
        let Begun { body, script, exit } = begun;
        let (start, post) = (self.start, self.post);
        let running = Running::new(
            &self.spec,
            self.report,
            body,
            script,
            self.spool,
            self.parts,
            Arc::clone(&post),
        );
        hand_over_stops(&start, leader, &post);
        (running, exit)
    }

    fn kept_stop(&self) -> Option<Stop> {
        match &*lock(&self.start) {
            Start::Queued { stops } => stops.first().copied(),
            Start::Running(_) => None,
        }
    }

    fn spool_dir(&self) -> &Path {
        self.parts.options.get_spool_dir()
    }
}

/// Posts the stops that came while the spawn was under way, and then lets further ones past.
fn hand_over_stops(start: &Mutex<Start>, leader: Option<Arc<Leader>>, post: &Post) {
    loop {
        let stops = match &mut *lock(start) {
            Start::Queued { stops } if !stops.is_empty() => mem::take(stops),
            // Only when all that were kept are passed on: one that comes meanwhile is kept behind them, and overtakes none.
            start => {
                *start = Start::Running(leader);
                return;
            }
        };
        for stop in stops {
            // Noted at the leader as well: a later stop that kills past the loop is told as whoever asked first.
            if let Some(leader) = &leader {
                leader.ask(stop);
            }
            post(Event::Stop(stop));
        }
    }
}

/// Why the work did not begin.
enum NotBegun {
    Stopped(EndedBy),
    Failed(Failure),
}

/// Whether the system may well say otherwise in a moment: other tasks end, and give back what they had.
fn is_passing(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(
        errno,
        Some(Errno::AGAIN | Errno::MFILE | Errno::NFILE | Errno::NOMEM)
    )
}
