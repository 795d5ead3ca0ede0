//! How one process learns that another one changed something, or died, without asking.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::database::leads_to;
use super::shared::lock;

/// A file that is written to after every commit, for others to watch. Not the database itself: its log is written
/// before the commit can be seen.
#[derive(Debug)]
pub(super) struct Bell {
    path: PathBuf,
    /// Opened when it is first needed, and again when others cannot find it any more.
    file: Mutex<Option<Arc<File>>>,
}

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Change,
    /// A process that owned tasks may have ended. Its lock is freed a moment after this is heard.
    Death,
    /// The bell was removed, with the whole folder most likely: from here on nothing is heard.
    Removal,
}

impl Bell {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            path: folder.join("bell"),
            file: Mutex::default(),
        }
    }

    /// What goes wrong costs a waiter its wake-up, not the ending. Whoever waits has made the bell; where there is none, in
    /// a folder that is just being removed, none is made.
    pub(super) fn ring(&self) {
        if let Ok(file) = self.file(OpenOptions::new().write(true)) {
            let _ = file.write_all_at(b".", 0);
        }
    }

    fn file(&self, options: &OpenOptions) -> io::Result<Arc<File>> {
        let mut open = lock(&self.file);
        if let Some(file) = &*open
            && leads_to(&self.path, file)
        {
            return Ok(Arc::clone(file));
        }
        let file = options.open(&self.path)?;
        Ok(Arc::clone(open.insert(Arc::new(file))))
    }

    /// Calls `hear` from a thread of the watcher until that is dropped.
    pub(super) fn watch(
        &self,
        owners: &Path,
        hear: impl Fn(Heard) + Send + 'static,
    ) -> notify::Result<RecommendedWatcher> {
        let mut options = OpenOptions::new();
        let file = self.file(options.create(true).truncate(false).write(true).mode(0o600))?;
        let bell = self.path.clone();
        let mut is_removed = false;
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            heard(&event, &bell).iter().copied().for_each(&hear);
            // The removal of a file that is open is a change of it, the last one that is heard.
            if !is_removed && !leads_to(&bell, &file) {
                is_removed = true;
                hear(Heard::Removal);
            }
        })?;
        watcher.watch(&self.path, RecursiveMode::NonRecursive)?;
        if owners.exists() {
            watcher.watch(owners, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }
}

fn heard(event: &notify::Result<Event>, bell: &Path) -> &'static [Heard] {
    match event {
        // Something was missed: so look at everything.
        Err(_) => &[Heard::Change, Heard::Death],
        Ok(event) if event.need_rescan() => &[Heard::Change, Heard::Death],
        Ok(event) if event.paths.iter().any(|path| path == bell) => {
            if event.kind.is_modify() {
                &[Heard::Change]
            } else {
                &[]
            }
        }
        Ok(event) if is_end(event.kind) => &[Heard::Death],
        Ok(_) => &[],
    }
}

/// Only its owner has the file of a process open for writing, and it is closed when the process is gone.
fn is_end(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Remove(_)
    )
}
