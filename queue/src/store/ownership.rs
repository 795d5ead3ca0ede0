//! Which processes are alive: each that owns tasks, or has drained some, holds a lock on a file of its own.
//!
//! The kernel frees a lock however its holder dies, so liveness is never guessed from a process id.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use meanwhile_core::TaskId;

/// This process's own file in `owners/`. Removed when it is dropped.
#[derive(Debug)]
pub(super) struct Ownership {
    name: String,
    folder: PathBuf,
    /// Locked as long as this process lives.
    _lock: File,
}

/// The folder of the files.
pub(super) fn folder_in(store: &Path) -> PathBuf {
    store.join("owners")
}

/// Where the process of this name takes requests.
pub(super) fn socket(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.sock"))
}

fn lock_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.lock"))
}

impl Ownership {
    /// Claims a new name. The file gets it only when it is locked: nobody finds it unlocked and takes it for that of
    /// a dead process.
    pub(super) fn claim(folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        // Drawn like the id of a task: short enough for the path of a socket.
        let name = TaskId::random().to_string();
        let early = folder.join(format!("{name}.new"));
        let lock = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&early)?;
        lock.try_lock()?;
        fs::rename(&early, lock_file(&folder, &name))?;
        Ok(Self {
            name,
            folder,
            _lock: lock,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket(&self.folder, &self.name)
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        // Unlocked by the closing, after this. What cannot be removed is found by whoever looks for the dead.
        remove(&self.folder, &self.name);
    }
}

/// What a dead process left in `owners/`. Held as long as its affairs are put in order, so that one process does.
#[derive(Debug)]
pub(super) struct Estate {
    name: String,
    folder: PathBuf,
    _lock: Option<File>,
}

impl Estate {
    /// `None` if the process of this name lives, or somebody is at it.
    pub(super) fn of(folder: &Path, name: &str) -> io::Result<Option<Self>> {
        // For reading: whoever waits for the end of a process watches these files being closed after writing.
        let lock = match File::open(lock_file(folder, name)) {
            Ok(file) => match file.try_lock() {
                Ok(()) => Some(file),
                Err(fs::TryLockError::WouldBlock) => return Ok(None),
                Err(fs::TryLockError::Error(error)) => return Err(error),
            },
            // Nobody holds a file that is not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Some(Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            _lock: lock,
        }))
    }

    /// All is in order: nothing of it is left.
    pub(super) fn settle(self) {
        remove(&self.folder, &self.name);
    }
}

/// The names in `owners/`, of the living and the dead.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            Some(
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".lock")?
                    .to_owned(),
            )
        })
        .collect()
}

fn remove(folder: &Path, name: &str) {
    let _ = fs::remove_file(socket(folder, name));
    let _ = fs::remove_file(lock_file(folder, name));
}
