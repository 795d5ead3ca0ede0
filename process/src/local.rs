//! What a backend of this machine hands its specs to.

use std::fmt;
use std::sync::{Arc, Mutex};

use meanwhile_core::{Capabilities, Event, Output, Report, Spec, Stop, Task};

use crate::cgroup;
use crate::launch::Launch;
use crate::leader::Leader;
use crate::limits;
use crate::lock;
use crate::options::{Containment, LocalOptions};
use crate::registry::Registry;
use crate::running::{LeaderExit, Running};
use crate::spool::Spool;
use crate::sweeper::Sweeper;
use crate::watcher::Watcher;
use crate::workers::Workers;

/// How an event reaches the loop that supervises a task. It must not block, and may be called from any
/// thread, also when the loop is gone.
pub type Post = Arc<dyn Fn(Event) + Send + Sync>;

/// The machine's side of a local backend.
///
/// Cheap to clone. Its threads (`meanwhile-spawn-N`, `meanwhile-sweep-1`, `meanwhile-spool`) are started when they are first
/// needed and end when the last clone is dropped and the last task is over.
#[derive(Debug, Clone)]
pub struct Local {
    pub(crate) parts: Arc<Parts>,
    max_live: usize,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) options: LocalOptions,
    spawners: Workers,
    pub(crate) watcher: Watcher,
    pub(crate) sweeper: Sweeper,
    pub(crate) registry: Arc<Registry>,
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
            spawners: Workers::new("meanwhile-spawn", options.get_spawners()),
            options,
            watcher: Watcher::new(),
            sweeper: Sweeper::new(),
            registry: Arc::default(),
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
        self.parts.spawners.submit(move || launch.run(supervise));
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
pub(crate) enum Start {
    /// On its way to its loop. Stops that come now are kept, in order: a later one may be less patient.
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
