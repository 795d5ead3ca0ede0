//! What a backend of this machine hands its specs to.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{
    Cancellation, Capabilities, Ending, Event, ExitStatus, JobContext, Output, Report, Spec, Stdin,
    Stop, Task, Work,
};
use rustix::io::Errno;

use crate::cgroup;
use crate::command::{Command, explain};
use crate::job::JobFuture;
use crate::leader::Leader;
use crate::limits;
use crate::lock;
use crate::options::{Containment, LocalOptions};
use crate::running::{Body, LeaderExit, Running};
use crate::spawn;
use crate::spool::{JobWriter, Spool, Writers};
use crate::sweeper::Sweeper;
use crate::tree::LiveGroups;
use crate::watcher::Watcher;
use crate::workers::Workers;

/// How an event reaches the loop that supervises a task. It must not block, and may be called from any
/// thread, also when the loop is gone.
pub type Post = Arc<dyn Fn(Event) + Send + Sync>;

/// The machine's side of a local backend.
///
/// Cheap to clone. Its threads (`meanwhile-spawn-N`, `meanwhile-spool`) are started when they are first
/// needed and end when the last clone is dropped and the last task is over.
#[derive(Debug, Clone)]
pub struct Local {
    pub(crate) parts: Arc<Parts>,
    max_live: usize,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) options: LocalOptions,
    pub(crate) workers: Workers,
    pub(crate) watcher: Watcher,
    pub(crate) sweeper: Arc<Sweeper>,
    pub(crate) live: Arc<LiveGroups>,
    /// There if it was asked for and can be had.
    pub(crate) cgroups: Option<cgroup::Parent>,
}

impl Local {
    /// Starts nothing yet.
    #[must_use]
    pub fn new(options: LocalOptions) -> Self {
        let cgroups = match options.get_containment() {
            Containment::Cgroup => cgroup::Parent::find(),
            Containment::Marks => None,
        };
        let parts = Parts {
            cgroups,
            workers: Workers::new(options.get_spawners()),
            options,
            watcher: Watcher::new(),
            sweeper: Arc::default(),
            live: Arc::default(),
        };
        Self {
            parts: Arc::new(parts),
            max_live: limits::max_live(),
        }
    }

    /// What every local backend can do: commands as processes of this machine, and jobs; as many at once as
    /// the limit on descriptors allows at the time of [`new`](Self::new).
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities::none()
            .with_commands()
            .with_local_processes()
            .with_jobs()
            .with_max_live(self.max_live)
    }

    /// Has `spec` started on a spawner thread and returns at once. When it runs, `supervise` is called there
    /// with the running task and what to wait for; it must hand both to the backend's own loop and return.
    /// Events for that loop come through `post`, also before it exists.
    ///
    /// A spawn that fails, and a stop that comes before the spawn, are reported from here; `supervise` is not
    /// called then.
    pub fn launch(
        &self,
        spec: Arc<Spec>,
        report: Report,
        post: Post,
        supervise: impl FnOnce(Running, LeaderExit) + Send + 'static,
    ) -> LocalTask {
        let spool = Arc::new(Spool::new(
            self.parts.options.get_spool_dir(),
            report.id(),
            spec.get_output_files(),
            spec.get_output_limit(),
        ));
        let start = Arc::new(Mutex::new(Start::Queued { stops: Vec::new() }));
        let launch = Launch {
            parts: Arc::clone(&self.parts),
            spec,
            report,
            post: Arc::clone(&post),
            spool: Arc::clone(&spool),
            start: Arc::clone(&start),
        };
        self.parts.workers.spawn(move || launch.run(supervise));
        LocalTask { start, post, spool }
    }
}

/// The control half of a task of this machine.
pub struct LocalTask {
    start: Arc<Mutex<Start>>,
    post: Post,
    spool: Arc<Spool>,
}

/// How far a task has come on the way to its loop.
#[derive(Debug)]
enum Start {
    /// On its way to a spawner. Stops that come now are kept: a later one may be less patient.
    Queued { stops: Vec<Stop> },
    /// It runs; jobs have no leader.
    Running(Option<Arc<Leader>>),
}

impl Task for LocalTask {
    fn stop(&self, stop: Stop) {
        match &mut *lock(&self.start) {
            Start::Queued { stops } => {
                stops.push(stop);
                return;
            }
            // No grace: killed from here, and not only by its loop. This may be the last thing that the
            // program does.
            Start::Running(Some(leader)) => leader.ask(stop),
            Start::Running(None) => {}
        }
        (self.post)(Event::Stop(stop));
    }

    fn output(&self) -> Arc<dyn Output> {
        Arc::clone(&self.spool) as Arc<dyn Output>
    }
}

impl fmt::Debug for LocalTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTask")
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

/// A task on its way to a spawner, and there.
struct Launch {
    parts: Arc<Parts>,
    spec: Arc<Spec>,
    report: Report,
    post: Post,
    spool: Arc<Spool>,
    start: Arc<Mutex<Start>>,
}

impl Launch {
    fn run(self, supervise: impl FnOnce(Running, LeaderExit)) {
        match self.begin() {
            Ok(Some(begun)) => {
                let (running, exit) = self.hand_over(begun);
                supervise(running, exit);
            }
            Ok(None) => {
                let by = self
                    .kept_stop()
                    .map_or(meanwhile_core::EndedBy::Unknown, |stop| stop.by);
                self.report
                    .exited(Ending::of(ExitStatus::NeverStarted).ended_by(by));
            }
            Err(Failure { message, os_error }) => {
                self.report
                    .exited(Ending::failed_to_start(message, os_error));
            }
        }
    }

    /// Starts the work; `None` if it is to be stopped before it began.
    fn begin(&self) -> Result<Option<Begun>, Failure> {
        if self.kept_stop().is_some() {
            return Ok(None);
        }
        let writers = self.spool.create().map_err(|error| Failure {
            message: format!(
                "cannot make a file for the output in {}: {error}",
                self.spool_dir().display()
            ),
            os_error: error.raw_os_error(),
        })?;
        if let Work::Job(job) = self.spec.get_work() {
            let output = Arc::new(JobWriter(writers.stdout));
            let (cancel, kill) = (Cancellation::default(), Cancellation::default());
            let context = JobContext::new(self.report.id(), output.clone(), cancel.clone());
            let future = JobFuture::new(Arc::clone(job), context, output, kill.clone());
            return Ok(Some(Begun {
                body: Body::Job { cancel, kill },
                exit: LeaderExit::Job(future),
            }));
        }
        self.spawn(&writers).map_err(|error| Failure {
            message: explain(&self.spec, &error),
            os_error: error.raw_os_error(),
        })
    }

    fn spawn(&self, writers: &Writers) -> io::Result<Option<Begun>> {
        use std::os::fd::AsFd;
        let command = Command::new(&self.spec, self.report.id(), self.spool_dir())?;
        let stdin = open_stdin(self.spec.get_stdin(), self)?;
        let stderr = writers.stderr.as_ref().unwrap_or(&writers.stdout);
        let stdio = [stdin.as_fd(), writers.stdout.as_fd(), stderr.as_fd()];
        let mut pause = Duration::from_millis(1);
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            let error = match spawn::spawn(&command.image, stdio) {
                Ok(pid) => {
                    let cgroups = self.parts.cgroups.as_ref();
                    let cgroup = cgroups.and_then(|parent| parent.adopt(pid, self.report.id()));
                    let leader = Arc::new(Leader::new(pid, cgroup));
                    self.parts.live.insert(&leader);
                    let exit = LeaderExit::Process(Arc::clone(&leader));
                    return Ok(Some(Begun {
                        body: Body::Process {
                            leader,
                            script: command.script,
                        },
                        exit,
                    }));
                }
                Err(error) => error,
            };
            if !is_passing(&error) || Instant::now() >= give_up_at {
                remove(command.script.as_deref());
                return Err(error);
            }
            if self.kept_stop().is_some() {
                remove(command.script.as_deref());
                return Ok(None);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    fn hand_over(self, begun: Begun) -> (Running, LeaderExit) {
        self.report.started();
        let leader = match &begun.body {
            Body::Process { leader, .. } => Some(Arc::clone(leader)),
            Body::Job { .. } => None,
        };
        let running = Running::new(
            &self.spec,
            self.report,
            begun.body,
            self.parts,
            self.spool,
            Arc::clone(&self.post),
        );
        let before = std::mem::replace(&mut *lock(&self.start), Start::Running(leader));
        // They came while the spawn was under way.
        if let Start::Queued { stops } = before {
            stops
                .into_iter()
                .for_each(|stop| (self.post)(Event::Stop(stop)));
        }
        (running, begun.exit)
    }

    fn kept_stop(&self) -> Option<Stop> {
        match &*lock(&self.start) {
            Start::Queued { stops } => stops.first().copied(),
            Start::Running(_) => None,
        }
    }

    fn spool_dir(&self) -> &std::path::Path {
        self.parts.options.get_spool_dir()
    }
}

/// How long a spawn is tried again where the system has no room for another process or descriptor now.
const PATIENCE: Duration = Duration::from_secs(30);

struct Begun {
    body: Body,
    exit: LeaderExit,
}

struct Failure {
    message: String,
    os_error: Option<i32>,
}

/// Whether the system may well say otherwise in a moment: other tasks end, and give back what they had.
fn is_passing(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(
        errno,
        Some(Errno::AGAIN | Errno::MFILE | Errno::NFILE | Errno::NOMEM)
    )
}

fn open_stdin(stdin: &Stdin, launch: &Launch) -> io::Result<std::fs::File> {
    use std::io::{Seek, Write};
    let Stdin::Bytes(bytes) = stdin else {
        return std::fs::File::open("/dev/null");
    };
    // A file and not a pipe: nobody has to feed it, and it can be as large as it likes.
    let path = launch
        .spool_dir()
        .join(format!("{}.in", launch.report.id()));
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

fn remove(script: Option<&std::path::Path>) {
    if let Some(script) = script {
        // What cannot be removed now goes with the folder.
        let _ = std::fs::remove_file(script);
    }
}
