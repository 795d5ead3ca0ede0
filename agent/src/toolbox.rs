//! The tools of one agent.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use meanwhile_core::{Inbox, Owner, Tasks};

use crate::input::Input;
use crate::twins::Twins;
use crate::{Notifications, ToolResult, ToolUse, tools};

/// The tools of one agent over its tasks: `Bash`, `TaskOutput`, `TaskStop`, `TaskList`, `Read`.
///
/// Cheap to clone; clones are the same tools. Its tasks belong to one owner, and it shows no other's.
#[derive(Debug, Clone)]
pub struct Toolbox {
    tasks: Tasks,
    owner: Owner,
    shell: Option<PathBuf>,
    base_dir: Option<PathBuf>,
    cores: usize,
    twins: Arc<Twins>,
}

impl Toolbox {
    /// How many characters a text of [`notifications`](Self::notifications) has at most.
    pub const NOTIFICATION_BUDGET: usize = 20_000;

    /// The tools of `owner`.
    #[must_use]
    pub fn new(tasks: Tasks, owner: Owner) -> Self {
        Self {
            tasks,
            owner,
            shell: None,
            base_dir: None,
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            twins: Arc::default(),
        }
    }

    /// Has commands read by this shell, an absolute path, and not by `/bin/sh`.
    #[must_use]
    pub fn with_shell(mut self, shell: impl Into<PathBuf>) -> Self {
        self.shell = Some(shell.into());
        self
    }

    /// Runs commands in this folder and reads relative paths from it, and not from that of this process.
    #[must_use]
    pub fn with_base_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.base_dir = Some(folder.into());
        self
    }

    /// Advises against more running tasks than this, and not than the machine has cores.
    #[must_use]
    pub fn with_cores(mut self, cores: NonZeroUsize) -> Self {
        self.cores = cores.get();
        self
    }

    /// Does what `tool_use` asks for, and answers when the answer is due.
    ///
    /// The first poll launches or reads, so calls that are first polled in order act in order; a background
    /// call is answered by it. It never fails: bad input is an answer of its own, which names the field.
    /// Dropping the future of a foreground call moves its task to the background.
    pub fn call(
        &self,
        tool_use: ToolUse,
    ) -> impl Future<Output = ToolResult> + Send + 'static + use<> {
        let toolbox = self.clone();
        async move {
            let answer = match Input::new(tool_use.input) {
                Ok(input) => tools::call(&toolbox, &tool_use.name, &input).await,
                Err(error) => Err(error.into()),
            };
            ToolResult::new(tool_use.id, answer)
        }
    }

    /// What ended since the last turn, in at most [`NOTIFICATION_BUDGET`](Self::NOTIFICATION_BUDGET)
    /// characters.
    #[must_use = "what is not acknowledged comes back"]
    pub fn notifications(&self) -> Notifications {
        self.notifications_within(Self::NOTIFICATION_BUDGET)
    }

    /// Likewise, in at most `budget` characters. What cannot even be named in them stays pending; one ending
    /// is always told.
    #[must_use = "what is not acknowledged comes back"]
    pub fn notifications_within(&self, budget: usize) -> Notifications {
        Notifications::drain(&self.inbox(), &self.tasks, budget)
    }

    /// The inbox that [`notifications`](Self::notifications) drains: to wait until something is pending.
    #[must_use]
    pub fn inbox(&self) -> Inbox {
        self.tasks.inbox(self.owner.clone())
    }

    /// The tasks under the tools.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Whose tools they are.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(crate) fn shell(&self) -> Option<&Path> {
        self.shell.as_deref()
    }

    pub(crate) fn base_dir(&self) -> Option<&Path> {
        self.base_dir.as_deref()
    }

    /// A path that the model named, from the base folder if it is relative.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        match &self.base_dir {
            // Left empty, so that it is refused as such.
            Some(base) if !path.is_empty() => base.join(path),
            _ => path.into(),
        }
    }

    pub(crate) fn cores(&self) -> usize {
        self.cores
    }

    pub(crate) fn twins(&self) -> &Twins {
        &self.twins
    }
}
