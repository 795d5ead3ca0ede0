//! The state folder, and in it the folder of each session's output.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::error::Error;

const LOCK: &str = "lock";

/// How long what ended and was told is kept, with its output, at least.
pub(crate) const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The folder of one session's output.
///
/// It stays when the session ends. As long as the session lives it holds a lock on a file in it, which the
/// kernel frees however the session ends: so nobody takes a folder for abandoned that is not.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    lock: File,
}

impl Spool {
    /// Makes a folder for this session, and removes those of sessions that ended long ago.
    pub(crate) fn create(session: &str) -> Result<Self, Error> {
        let state = state_folder()?;
        let spools = state.join("spool");
        let spool = Self::create_in(&spools, session);
        // Nobody waits for this thread: what it has not removed when the process ends, the next one will.
        let removing = thread::Builder::new().name("old-spools".to_owned());
        spool
            .and_then(|spool| removing.spawn(move || remove_old(&spools)).map(|_| spool))
            .map_err(|error| unusable(&state, error))
    }

    fn create_in(spools: &Path, session: &str) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(spools)?;
        let prefix = format!("{}-", file_name(session));
        let path = tempfile::Builder::new()
            .prefix(&prefix)
            .rand_bytes(8)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(spools)?
            .keep();
        let lock = File::create_new(path.join(LOCK))?;
        lock.try_lock()?;
        Ok(Self { path, lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Notes when the session ended, or removes the folder if nothing was written.
impl Drop for Spool {
    fn drop(&mut self) {
        let is_unused = fs::read_dir(&self.path).is_ok_and(|entries| entries.count() == 1);
        // Neither matters to anybody if it fails: the folder is then removed some days earlier or later.
        let _ = if is_unused {
            fs::remove_dir_all(&self.path)
        } else {
            self.lock.set_modified(SystemTime::now())
        };
    }
}

/// `$MEANWHILE_STATE_DIR`, else the platform's state folder.
pub(crate) fn state_folder() -> Result<PathBuf, Error> {
    let folder = find_state_folder()?;
    if folder.to_str().is_none() {
        // Answers name the files of output, and are UTF-8.
        return Err(unusable(&folder, io::Error::other("its name is not UTF-8")));
    }
    Ok(folder)
}

fn unusable(folder: &Path, error: io::Error) -> Error {
    let folder = folder.display();
    let action =
        format!("cannot use the state folder {folder} (MEANWHILE_STATE_DIR names another one)");
    Error::own(action, error)
}

fn find_state_folder() -> Result<PathBuf, Error> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = set("MEANWHILE_STATE_DIR") {
        return std::path::absolute(&folder).map_err(|error| {
            Error::own(
                format!("cannot use MEANWHILE_STATE_DIR {}", folder.display()),
                error,
            )
        });
    }
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    let folder = if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        // The specification of XDG_STATE_HOME has relative paths ignored.
        set("XDG_STATE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| home().map(|home| home.join(".local/state")))
    };
    folder
        .map(|folder| folder.join("meanwhile"))
        .ok_or_else(|| {
            let reason = io::Error::new(io::ErrorKind::NotFound, "there is no home folder");
            Error::own(
                "cannot find a state folder (MEANWHILE_STATE_DIR names one)",
                reason,
            )
        })
}

/// The session's name as far as it can be part of a file's.
fn file_name(session: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    session.chars().take(40).map(plain).collect()
}

fn remove_old(spools: &Path) {
    let Some(limit) = SystemTime::now().checked_sub(KEPT) else {
        return;
    };
    let entries = fs::read_dir(spools).into_iter().flatten().flatten();
    // The files beside the folders are the store's.
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    for folder in folders.map(|entry| entry.path()) {
        // A folder that cannot be looked at or removed is left to the next start.
        let _ = remove_if_ended_before(limit, &folder);
    }
}

fn remove_if_ended_before(limit: SystemTime, folder: &Path) -> io::Result<()> {
    let path = folder.join(LOCK);
    // The folder changes with every task that is launched, the lock when the session ends. A folder without a
    // lock is one whose session is just starting, or whose removal was cut short.
    let changed = fs::metadata(&path)
        .or_else(|_| fs::metadata(folder))?
        .modified()?;
    if changed.max(fs::metadata(folder)?.modified()?) > limit {
        return Ok(());
    }
    match File::open(&path) {
        Ok(lock) => {
            lock.try_lock()?;
            fs::remove_dir_all(folder)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir_all(folder),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(8 * 24 * 60 * 60);

    fn age(folder: &Path) {
        let then = SystemTime::now() - LONG;
        for path in [folder.join(LOCK), folder.to_owned()] {
            File::open(path).unwrap().set_modified(then).unwrap();
        }
    }

    #[test]
    fn a_spool_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::create_in(&home.path().join("spool"), "../a b/é").unwrap();
        let name = spool.path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("---a-b---"), "{name}");
        for path in [spool.path(), &home.path().join("spool")] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", path.display());
        }
    }

    #[test]
    fn an_old_spool_is_removed_when_its_session_is_over_and_not_before() {
        let home = tempfile::tempdir().unwrap();
        let limit = SystemTime::now() - KEPT;
        let spool = Spool::create_in(home.path(), "s").unwrap();
        let path = spool.path().to_owned();
        fs::write(path.join("output"), "text").unwrap();
        age(&path);
        assert!(
            remove_if_ended_before(limit, &path).is_err(),
            "it is locked"
        );
        assert!(path.join("output").exists());

        drop(spool);
        remove_if_ended_before(limit, &path).unwrap();
        assert!(path.exists(), "it ended just now");
        age(&path);
        remove_if_ended_before(limit, &path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn the_files_of_the_store_are_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let output = home.path().join("t7k2m9xq4z.out");
        fs::write(&output, "text").unwrap();
        let old = home.path().join("old-12345678");
        fs::create_dir(&old).unwrap();
        for path in [&output, &old] {
            let then = SystemTime::now() - LONG;
            File::open(path).unwrap().set_modified(then).unwrap();
        }
        remove_old(home.path());
        assert!(output.exists() && !old.exists());
    }

    #[test]
    fn an_unused_spool_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::create_in(home.path(), "s").unwrap();
        let path = spool.path().to_owned();
        drop(spool);
        assert!(!path.exists());
    }
}
