//! What one check works with.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use meanwhile_core::{
    Capabilities, Chunk, Exit, Handle, Lifecycle, Notification, Spec, Stream, Tasks,
};

use crate::folder::Folder;
use crate::probe::Probe;
use crate::wait;

/// A command that writes some 80 MB in as many seconds as its shell needs. It ends by itself: a broken backend must not
/// leave it behind to fill the disk.
pub(crate) const NOISE: &str =
    "i=0; while [ $i -lt 3000000 ]; do echo again and again and again; i=$((i+1)); done";

/// Tasks on the backend under test, a probe for a queue, and a folder: one check's own, cleaned up with it.
#[derive(Debug)]
pub(crate) struct Trial {
    // Dropped in this order: the backend cleans up first, and the turn ends last.
    pub(crate) tasks: Tasks,
    pub(crate) probe: Probe,
    pub(crate) folder: Folder,
    pub(crate) _turn: Turn,
}

/// What a check needs of a backend.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    /// Commands, wherever they run.
    Commands,
    /// Commands that are processes of this machine and see the folder of the check.
    LocalProcesses,
    /// Work inside this process.
    Jobs,
}

/// Checks that count or take what the whole process has (descriptors, threads, children) run alone.
static PROCESS: RwLock<()> = RwLock::new(());

#[derive(Debug)]
pub(crate) struct Turn {
    _shared: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

impl Trial {
    /// Sets up a check. `None`, and a line that says so, if this is not demanded of the backend.
    pub(crate) fn new<L: Lifecycle>(make: impl FnOnce() -> L, needs: Needs) -> Option<Self> {
        Self::set_up(Turn::shared(), make, needs, usize::MAX)
    }

    /// Likewise, for a check that counts what the whole process has.
    pub(crate) fn alone<L: Lifecycle>(make: impl FnOnce() -> L, needs: Needs) -> Option<Self> {
        Self::set_up(Turn::alone(), make, needs, usize::MAX)
    }

    /// Likewise, with a limit of concurrency.
    pub(crate) fn limited<L: Lifecycle>(
        make: impl FnOnce() -> L,
        needs: Needs,
        max_running: usize,
    ) -> Option<Self> {
        Self::set_up(Turn::shared(), make, needs, max_running)
    }

    fn set_up<L: Lifecycle>(
        turn: Turn,
        make: impl FnOnce() -> L,
        needs: Needs,
        max_running: usize,
    ) -> Option<Self> {
        let backend = make();
        if !needs.are_met_by(backend.capabilities()) {
            not_demanded(&format!(
                "{backend:?} does not declare what this needs: {needs:?}"
            ));
            return None;
        }
        let probe = Probe::default();
        let tasks = Tasks::builder(backend, probe.clone())
            .max_running(max_running)
            .build();
        Some(Self {
            tasks,
            probe,
            folder: Folder::new(),
            _turn: turn,
        })
    }

    /// A shell line that runs in the folder of this check; for local processes.
    pub(crate) fn here(&self, line: impl AsRef<str>) -> Spec {
        Spec::shell(line.as_ref()).cwd(self.folder.path())
    }

    #[track_caller]
    pub(crate) fn launch(&self, spec: Spec) -> Handle {
        match self.tasks.launch(spec) {
            Ok(handle) => handle,
            Err(error) => panic!("a valid spec was refused: {error}"),
        }
    }

    /// Waits for the end of a task.
    #[track_caller]
    pub(crate) fn end(&self, handle: &Handle) -> Exit {
        match handle.wait_timeout(wait::patience()) {
            Some(exit) => exit,
            None => panic!(
                "no end was told within {:?}, the task is {:?}: {}",
                wait::patience(),
                handle.state(),
                handle.spec().command()
            ),
        }
    }

    /// Launches a task and waits for its end.
    #[track_caller]
    pub(crate) fn run(&self, spec: Spec) -> Exit {
        self.end(&self.launch(spec))
    }

    /// Launches a task, waits for its end, and gives back what it wrote.
    #[track_caller]
    pub(crate) fn run_for_output(&self, spec: Spec) -> String {
        let handle = self.launch(spec);
        self.end(&handle);
        self.text(&handle)
    }

    /// The one notification about a task that ended.
    #[track_caller]
    pub(crate) fn told(&self, handle: &Handle) -> Notification {
        let mut told = self.probe.pushed_about(handle.id());
        assert_eq!(
            told.len(),
            1,
            "one notification for one task, there are: {told:#?}"
        );
        told.remove(0)
    }

    /// All that can be read of a stream, in pieces.
    #[track_caller]
    pub(crate) fn chunks(&self, handle: &Handle, stream: Stream) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut offset = 0;
        loop {
            let chunk = handle
                .output(stream, offset, 1 << 16)
                .expect("the output can be read");
            if chunk.bytes.is_empty() {
                return chunks;
            }
            offset = chunk.next_offset();
            chunks.push(chunk);
        }
    }

    /// All that can be read of a stream.
    #[track_caller]
    pub(crate) fn bytes(&self, handle: &Handle, stream: Stream) -> Vec<u8> {
        self.chunks(handle, stream)
            .into_iter()
            .flat_map(|chunk| chunk.bytes)
            .collect()
    }

    /// Likewise, of stdout and as text.
    #[track_caller]
    pub(crate) fn text(&self, handle: &Handle) -> String {
        String::from_utf8_lossy(&self.bytes(handle, Stream::Stdout)).into_owned()
    }

    /// Waits until a task has written this.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, handle: &Handle, text: &str) {
        let what = format!("{text:?} can be read");
        wait::until(&what, || self.text(handle).contains(text));
    }
}

impl Needs {
    fn are_met_by(self, capabilities: Capabilities) -> bool {
        match self {
            Self::Commands => capabilities.commands(),
            Self::LocalProcesses => capabilities.commands() && capabilities.local_processes(),
            Self::Jobs => capabilities.jobs(),
        }
    }
}

impl Turn {
    /// A check that failed says nothing about the next one, so a poisoned lock is as good as new.
    pub(crate) fn shared() -> Self {
        let shared = PROCESS.read().unwrap_or_else(PoisonError::into_inner);
        Self {
            _shared: Some(shared),
            _alone: None,
        }
    }

    fn alone() -> Self {
        let alone = PROCESS.write().unwrap_or_else(PoisonError::into_inner);
        Self {
            _shared: None,
            _alone: Some(alone),
        }
    }
}

/// Says that a check, or a part of it, was left out.
pub(crate) fn not_demanded(why: &str) {
    println!("not demanded: {why}");
}
