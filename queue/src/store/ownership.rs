//! Which processes are alive: each that owns tasks, or has drained some, holds a lock on a file of its own.
//!
//! The kernel frees a lock however its holder dies, so liveness is never guessed from a process id.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use meanwhile_core::TaskId;

use super::database::leads_to;

/// This process's own file in `owners/`.
#[derive(Debug)]
pub(super) struct Ownership {
    name: String,
    folder: PathBuf,
    /// Locked as long as this process lives.
    lock: File,
    /// The same name where the store was before. Its folder may only have been moved: who opens it there finds it locked.
    _before: Option<Arc<Self>>,
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

/// Whether the process of this name, dead or alive, has its file.
pub(super) fn is_there(folder: &Path, name: &str) -> bool {
    lock_file(folder, name).exists()
}

impl Ownership {
    /// Claims a new name.
    pub(super) fn claim(folder: PathBuf) -> io::Result<Self> {
        loop {
            // Drawn like the id of a task: short enough for the path of a socket.
            let name = TaskId::random().to_string();
            if let Some(lock) = make_lock(&folder, &name)? {
                return Ok(Self::inherit(folder, name, lock));
            }
        }
    }

    /// Claims the same name once more, after its file was removed or moved: with the whole folder, most likely.
    pub(super) fn claim_again(self: &Arc<Self>) -> io::Result<Self> {
        loop {
            if let Some(lock) = make_lock(&self.folder, &self.name)? {
                return Ok(Self {
                    name: self.name.clone(),
                    folder: self.folder.clone(),
                    lock,
                    _before: Some(Arc::clone(self)),
                });
            }
        }
    }

    /// Whether others see that this process lives.
    pub(super) fn is_there(&self) -> bool {
        leads_to(&lock_file(&self.folder, &self.name), &self.lock)
    }

    /// What another process claimed for this one, and has handed over with its lock.
    pub(super) fn inherit(folder: PathBuf, name: String, lock: File) -> Self {
        Self {
            name,
            folder,
            lock,
            _before: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket(&self.folder, &self.name)
    }

    /// Leaves nothing behind: there is nothing of this process that others would have to deal with. Without this it
    /// is found by them like one that died.
    pub(super) fn resign(&self) {
        // Unlocked by the closing, after this. What cannot be removed is found by whoever looks for the dead.
        remove(&self.folder, &self.name);
    }

    /// Is like one that died from here on. To close the file would not do: a child that another thread is about to start
    /// has a copy of the descriptor until it executes its program, and the lock is freed with the last copy.
    pub(super) fn let_go(&self) {
        // The closing does it, if later.
        let _ = self.lock.unlock();
    }
}

/// Makes the file of this name and locks it. `None` if somebody who looks for the dead was faster: then they have it, or
/// have removed it.
fn make_lock(folder: &Path, name: &str) -> io::Result<Option<File>> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let lock = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(lock_file(folder, name))?;
    match lock.try_lock() {
        Ok(()) if lock.metadata()?.nlink() > 0 => {
            // A full disk leaves it empty, which costs no more than some certainty later.
            let _ = (&lock).write_all(boot().as_bytes());
            Ok(Some(lock))
        }
        Ok(()) | Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// What a dead process left in `owners/`. Held as long as its affairs are put in order, so that one process does.
#[derive(Debug)]
pub(super) struct Estate {
    name: String,
    folder: PathBuf,
    _lock: Option<File>,
    pub(super) epoch: Epoch,
}

/// When a dead process lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    /// Since the machine was started: what it left may be there.
    ThisBoot,
    /// Before: everything it left is gone, and the ids of its processes are others' now.
    EarlierBoot,
    /// Its file does not say, or is gone.
    Unknown,
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
            epoch: lock.as_ref().map_or(Epoch::Unknown, epoch),
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

fn epoch(mut lock: &File) -> Epoch {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(_) if text.is_empty() => Epoch::Unknown,
        Ok(_) if text == boot() => Epoch::ThisBoot,
        Ok(_) => Epoch::EarlierBoot,
        Err(_) => Epoch::Unknown,
    }
}

/// What the system calls the time since it was started. Where it has no name for it, as on macOS, the start of a
/// process says the day, too.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map_or_else(|_| "-".to_owned(), |id| id.trim_end().to_owned())
}

fn remove(folder: &Path, name: &str) {
    let _ = fs::remove_file(socket(folder, name));
    let _ = fs::remove_file(lock_file(folder, name));
}
