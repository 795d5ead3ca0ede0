//! The database file: made, opened, set aside when it is damaged.
//!
//! Commits do not wait for the disk (`synchronous=NORMAL`): they are safe from the death of this process as soon as they
//! return. What is to be safe from a power cut as well is made so by syncing the log, outside of any lock: so nobody who
//! launches or drains, in whichever process, waits for another's sync. SQLite itself syncs the log before it moves
//! anything from there into the database.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};

use super::error::{StoreError, StoreErrorKind};
use super::schema;

/// How long to wait for another process that writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Patience {
    /// A launch: whoever waits for it is in a hurry, and there is another way.
    Short,
    /// The writer: it tries again by itself, and while it waits nobody else here can read.
    Again,
    /// Whoever asked wants the answer.
    Long,
    /// A program that begins: another one may just be making the tables of a large store anew, and there is nothing to
    /// be done without them. One that was stopped in the middle of that would be waited for in vain.
    Opening,
}

impl Patience {
    pub(super) fn limit(self) -> Duration {
        match self {
            Self::Short => Duration::from_millis(20),
            Self::Again => Duration::from_millis(200),
            Self::Long => Duration::from_secs(5),
            Self::Opening => Duration::from_secs(10),
        }
    }

    fn in_micros(self) -> u64 {
        u64::try_from(self.limit().as_micros()).unwrap_or(u64::MAX)
    }
}

/// What may be done with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    ReadWrite,
    ReadOnly,
}

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) access: Access,
    path: PathBuf,
    /// Which file it is: another one may be put in its place.
    identity: Option<(u64, u64)>,
    /// In microseconds; the busy handler reads it.
    patience: Arc<AtomicU64>,
    log: Option<Arc<File>>,
}

/// How long a log is made before its content is moved into the database.
const LOG_LIMIT: u64 = 4 << 20;

impl Database {
    /// Opens the store in `folder`, and makes it if there is none. Says in `warn` if one was set aside for it.
    pub(super) fn open(
        folder: &Path,
        patience: Patience,
        warn: &dyn Fn(&str),
    ) -> Result<Self, StoreError> {
        match Self::open_for_writing(folder, patience, warn) {
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                set_aside(folder, None, patience, warn)?;
                Self::open_for_writing(folder, patience, warn)
            }
            Err(error) if error.kind() == StoreErrorKind::ReadOnly => {
                Self::open_for_reading(folder).map_err(|_| error)
            }
            other => other,
        }
    }

    fn open_for_writing(
        folder: &Path,
        patience: Patience,
        warn: &dyn Fn(&str),
    ) -> Result<Self, StoreError> {
        let action = cannot_open(folder);
        let failed = |error| StoreError::io(&*action, error);
        let guard = Guard::open(folder, patience).map_err(failed)?;
        // Any number of processes may open it at once, as long as none makes or changes its tables.
        guard.lock(&action, File::try_lock_shared)?;
        let path = file_in(folder);
        if path.exists() {
            let database = Self::connect(folder, Access::ReadWrite)?;
            if schema::is_current(&database.connection)? && database.keeps_log() {
                return Ok(database);
            }
        }
        guard.file.unlock().map_err(failed)?;
        guard.lock(&action, File::try_lock)?;
        if !path.exists() {
            // The log and the index of one that was removed: whoever still has that open uses them.
            rename_all(folder, warn).map_err(failed)?;
        }
        // SQLite would let everybody read it. If it is there it is left alone: to close any descriptor of it would
        // take away the locks that SQLite has on it in this process.
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        if let Err(error) = made
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(failed(error));
        }
        let mut database = Self::connect(folder, Access::ReadWrite)?;
        let is_current = schema::is_current(&database.connection)?;
        let sql = |error| StoreError::sql(cannot_open(folder), error);
        database
            .connection
            .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
            .map_err(sql)?;
        if !database.keeps_log() {
            let full = database
                .connection
                .pragma_update(None, "synchronous", "full");
            full.map_err(sql)?;
        }
        if !is_current {
            schema::migrate(&mut database.connection).map_err(sql)?;
        }
        Ok(database)
    }

    /// Opens what is there, on a disk that takes no writes.
    fn open_for_reading(folder: &Path) -> Result<Self, StoreError> {
        let database = Self::connect(folder, Access::ReadOnly)?;
        schema::is_current(&database.connection)?;
        Ok(database)
    }

    fn connect(folder: &Path, access: Access) -> Result<Self, StoreError> {
        let path = file_in(folder);
        if path.is_dir() {
            let action = format!("{}: store.db is a folder", cannot_open(folder));
            return Err(StoreError::new(StoreErrorKind::Corrupt, action));
        }
        let sql = |error| StoreError::sql(cannot_open(folder), error);
        let identity = identity(&path);
        let mut connection = match access {
            Access::ReadWrite => Connection::open_with_flags(&path, flags(access)).map_err(sql)?,
            Access::ReadOnly => open_unwritable(&path).map_err(sql)?,
        };
        // Whoever opens it may find others at it, such as one that reads the log of a process that was killed.
        let patience = Arc::new(AtomicU64::new(Patience::Long.in_micros()));
        let limit = Arc::clone(&patience);
        connection
            .busy_handler(Some(move |times| {
                wait_for_others(times, limit.load(Ordering::Relaxed))
            }))
            .map_err(sql)?;
        // Moving the log into the database is the writer's, who has the time, and nobody else's.
        connection
            .execute_batch(
                "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 0;
                 PRAGMA cache_size = -1024;",
            )
            .map_err(sql)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(sql)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self {
            connection,
            access,
            path,
            identity,
            patience,
            log: None,
        })
    }

    /// Not if it was put there by other means, or if the file system has no shared memory.
    fn keeps_log(&self) -> bool {
        let mode = |row: &Row<'_>| Ok(row.get_ref(0)?.as_str()? == "wal");
        let kept = self
            .connection
            .pragma_query_value(None, "journal_mode", mode);
        kept.unwrap_or(false)
    }

    pub(super) fn set_patience(&mut self, patience: Patience) {
        self.patience.store(patience.in_micros(), Ordering::Relaxed);
    }

    /// Whether somebody put another file in its place, or removed it.
    pub(super) fn is_replaced(&self) -> bool {
        self.access == Access::ReadWrite && identity(&self.path) != self.identity
    }

    /// The log, to sync it when nothing is locked. SQLite keeps no locks on it that closing it could take away.
    /// None where there is no log, because the file system has no shared memory: then each commit is synced by SQLite.
    pub(super) fn log(&mut self) -> io::Result<Option<Arc<File>>> {
        if self.log.is_some() || !self.keeps_log() {
            return Ok(self.log.clone());
        }
        let mut path = self.path.clone().into_os_string();
        path.push("-wal");
        let log = Arc::new(File::open(path)?);
        self.log = Some(log);
        Ok(self.log.clone())
    }

    /// Empties a log that is not short, unless others are using it: whoever opens the store first after all have gone
    /// reads the whole of it.
    pub(super) fn empty_log(&mut self) {
        const SHORT: u64 = 64 << 10;
        let Ok(Some(log)) = self.log() else {
            return;
        };
        if self.access == Access::ReadOnly || is_within(&log, SHORT) {
            return;
        }
        self.patience.store(0, Ordering::Relaxed);
        // Nothing is lost if it cannot be: the next one who closes the store tries again. SQLite syncs the first
        // commit to an empty log; so there is one here, where nobody waits, and not the next launch.
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .and_then(|()| schema::touch(&self.connection));
    }

    /// Which file it is, for [`set_aside`].
    pub(super) fn identity(&self) -> Option<(u64, u64)> {
        self.identity
    }
}

/// Moves the log into the database if it has grown long. Not on the connection that launches use: it takes its time.
pub(super) fn shorten_log(folder: &Path, log: &File) -> Result<(), StoreError> {
    if is_within(log, LOG_LIMIT) {
        return Ok(());
    }
    let failed = |error| StoreError::sql("cannot move the log into the database", error);
    let connection =
        Connection::open_with_flags(file_in(folder), flags(Access::ReadWrite)).map_err(failed)?;
    connection
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .map_err(failed)
}

fn is_within(log: &File, limit: u64) -> bool {
    log.metadata().is_ok_and(|meta| meta.len() <= limit)
}

/// Renames a database that cannot be used, and what belongs to it. `damaged` says which file it was; if another one is
/// in its place by now, somebody else was faster.
pub(super) fn set_aside(
    folder: &Path,
    damaged: Option<(u64, u64)>,
    patience: Patience,
    warn: &dyn Fn(&str),
) -> Result<(), StoreError> {
    let action = "cannot set the damaged store aside";
    let failed = |error| StoreError::io(action, error);
    let guard = Guard::open(folder, patience).map_err(failed)?;
    guard.lock(action, File::try_lock)?;
    let path = file_in(folder);
    match damaged {
        Some(damaged) if identity(&path) != Some(damaged) => return Ok(()),
        // It was found when it was opened, and somebody else may have done this since.
        None if !is_damaged(folder) => return Ok(()),
        _ => {}
    }
    rename_all(folder, warn).map_err(failed)
}

/// Renames what there is of a database, and says so.
fn rename_all(folder: &Path, warn: &dyn Fn(&str)) -> io::Result<()> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let name = format!("store.db.damaged-{}", since.as_millis());
    let mut kept = Vec::new();
    for ending in ["", "-wal", "-shm"] {
        let to = folder.join(format!("{name}{ending}"));
        match fs::rename(folder.join(format!("store.db{ending}")), &to) {
            Ok(()) => kept.push(to),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(first) = kept.first() {
        warn(&format!(
            "the store was damaged: it is kept as {}, and a new one takes its place",
            first.display()
        ));
    }
    Ok(())
}

fn is_damaged(folder: &Path) -> bool {
    Database::connect(folder, Access::ReadWrite)
        .and_then(|database| schema::is_current(&database.connection))
        .is_err_and(|error| error.kind() == StoreErrorKind::Corrupt)
}

pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The file whose lock guards the making and the setting aside.
struct Guard {
    file: File,
    path: PathBuf,
    patience: Patience,
}

impl Guard {
    fn open(folder: &Path, patience: Patience) -> io::Result<Self> {
        let path = folder.join("lock");
        let open = || {
            OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
        };
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(folder)?;
                open()
            }
            other => other,
        }?;
        Ok(Self {
            file,
            path,
            patience,
        })
    }

    /// Takes the lock by `try_lock`, and pauses for others as long as the patience lasts. It is free again when this is
    /// dropped.
    fn lock(
        &self,
        action: &str,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<(), StoreError> {
        let mut times = 0;
        loop {
            match try_lock(&self.file) {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(StoreError::io(action, error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if !wait_for_others(times, self.patience.in_micros()) {
                return Err(self.busy(action));
            }
            times += 1;
        }
    }

    fn busy(&self, action: &str) -> StoreError {
        let path = self.path.display();
        let action = format!(
            "{action}: another process keeps {path} locked; if it is stopped, let it go on or end it \
             (`fuser {path}` says which it is)"
        );
        StoreError::new(StoreErrorKind::Busy, action)
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

fn cannot_open(folder: &Path) -> String {
    format!("cannot open the store in {}", folder.display())
}

/// Whether this path still leads to this open file, and not to another one or to none: a folder may be removed or moved. What
/// cannot be looked at is taken to be there.
pub(super) fn leads_to(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(open)) => (there.dev(), there.ino()) == (open.dev(), open.ino()),
        (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
        (_, Err(_)) => true,
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

fn flags(access: Access) -> OpenFlags {
    // One lock of ours guards the connection; SQLite needs none of its own.
    let common = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    common
        | match access {
            Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        }
}

/// Where nothing can be written, the index of the log cannot be made. Then nobody writes, and what was moved into the
/// database can be read as it is.
fn open_unwritable(path: &Path) -> rusqlite::Result<Connection> {
    let readable = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    };
    let plain = Connection::open_with_flags(path, flags(Access::ReadOnly))?;
    if readable(&plain).is_ok() {
        return Ok(plain);
    }
    let escaped: String = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let uri = format!("file:{escaped}?immutable=1");
    let flags = flags(Access::ReadOnly) | OpenFlags::SQLITE_OPEN_URI;
    let fixed = Connection::open_with_flags(uri, flags)?;
    readable(&fixed)?;
    Ok(fixed)
}

/// Pauses, for the `times`-th time, and says so; does not once the pauses have come to `limit` microseconds. SQLite's own pauses begin at
/// a millisecond; a commit here takes a twentieth of that.
fn wait_for_others(times: i32, limit: u64) -> bool {
    const FIRST: u64 = 50;
    const LONGEST: u64 = 2_000;
    let times = u64::try_from(times).unwrap_or(0);
    // The sum of the pauses so far, near enough: they grow by FIRST each until they are LONGEST.
    let growing = times.min(LONGEST / FIRST);
    let waited = growing * growing / 2 * FIRST + (times - growing) * LONGEST;
    if waited > limit {
        return false;
    }
    thread::sleep(Duration::from_micros(((times + 1) * FIRST).min(LONGEST)));
    true
}
