//! What all clones of a store, and its threads, have in common.

use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{self, Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use meanwhile_core::{Orphan, Tasks, WakeUp};
use notify::RecommendedWatcher;
use rusqlite::{Connection, ErrorCode};

use super::backlog::Backlog;
use super::bell::Bell;
use super::control::Control;
use super::database::{self, Database, Patience};
use super::error::{StoreError, StoreErrorKind};
use super::ownership::{self, Ownership};
use super::promise::Inheritance;
use super::rescue;
use super::rows;

pub(super) type StopOrphans = Box<dyn Fn(&[Orphan]) -> Vec<u32> + Send + Sync>;
pub(super) type Warn = Box<dyn Fn(&str) + Send + Sync>;

pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) stop_orphans: StopOrphans,
    warn: Warn,
    pub(super) database: Mutex<Database>,
    /// Whether anything was committed since the log was last synced.
    pub(super) is_unsynced: AtomicBool,
    /// Held while somebody syncs: whoever comes second finds nothing to do only when that is done.
    pub(super) syncing: Mutex<()>,
    pub(super) backlog: Backlog,
    pub(super) writer: Mutex<Option<JoinHandle<()>>>,
    /// Held while somebody drains: what is taken from memory is not seen to be taken before it is in the line.
    pub(super) draining: Mutex<()>,
    ownership: Mutex<Option<Arc<Ownership>>>,
    control: Mutex<Option<Control>>,
    /// Notified when anything changed, here or elsewhere.
    pub(super) changed: WakeUp,
    pub(super) bell: Bell,
    pub(super) watch: OnceLock<Option<RecommendedWatcher>>,
}

impl Shared {
    pub(super) fn open(
        folder: PathBuf,
        stop_orphans: StopOrphans,
        warn: Warn,
    ) -> Result<Self, StoreError> {
        // The process may change its folder, and events of the system name whole paths.
        let folder = path::absolute(&folder).map_err(|error| {
            StoreError::io(
                format!("cannot find the store in {}", folder.display()),
                error,
            )
        })?;
        let database = Database::open(&folder, Patience::Opening, &warn)?;
        Ok(Self {
            stop_orphans,
            warn,
            database: Mutex::new(database),
            is_unsynced: AtomicBool::new(false),
            syncing: Mutex::default(),
            backlog: Backlog::default(),
            writer: Mutex::default(),
            draining: Mutex::default(),
            ownership: Mutex::default(),
            control: Mutex::default(),
            changed: WakeUp::new(),
            bell: Bell::in_folder(&folder),
            watch: OnceLock::new(),
            folder,
        })
    }

    pub(super) fn is_read_only(&self) -> bool {
        lock(&self.database).access == database::Access::ReadOnly
    }

    /// Does `work` with the database, and with another one if that turns out to be damaged or gone.
    pub(super) fn with<T>(
        &self,
        action: &str,
        work: impl FnMut(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.with_patience(Patience::Long, action, work)
    }

    pub(super) fn with_patience<T>(
        &self,
        patience: Patience,
        action: &str,
        mut work: impl FnMut(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut database = self.lock_database(patience)?;
        if database.is_replaced() {
            self.replace(&mut database, patience)?;
        }
        database.set_patience(patience);
        match work(&mut database.connection) {
            Err(error) if is_damage(&error) && database.access == database::Access::ReadWrite => {
                let warn = |problem: &str| self.warn(problem);
                database::set_aside(&self.folder, database.identity(), patience, &warn)?;
                self.replace(&mut database, patience)?;
                work(&mut database.connection)
            }
            other => other,
        }
        .map_err(|error| StoreError::sql(action, error))
    }

    /// Opens the database that is there now, and takes over what the one before can still say. Where that cannot be, as
    /// while another process makes it, this is tried again by the next who needs it: until then endings stay in memory.
    fn replace(&self, database: &mut Database, patience: Patience) -> Result<(), StoreError> {
        let new = Database::open(&self.folder, patience, &|problem| self.warn(problem))?;
        let old = mem::replace(database, new);
        let owners = ownership::folder_in(&self.folder);
        let taken = rescue::take_over(&old.connection, &mut database.connection, &owners);
        if let Err(error) = taken {
            let action = "cannot take over the tasks of the store that was there before";
            self.warn(&StoreError::sql(action, error).to_string());
        }
        Ok(())
    }

    fn lock_database(&self, patience: Patience) -> Result<MutexGuard<'_, Database>, StoreError> {
        if !matches!(patience, Patience::Short) {
            return Ok(lock(&self.database));
        }
        let deadline = Instant::now() + patience.limit();
        loop {
            match self.database.try_lock() {
                Ok(database) => return Ok(database),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(StoreError::new(StoreErrorKind::Busy, "the store is busy"));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_micros(20)),
            }
        }
    }

    pub(super) fn announce(&self) {
        self.changed.notify(usize::MAX);
        self.bell.ring();
    }

    /// This process's name among those that share the store, claimed when it is first needed.
    pub(super) fn ownership(&self) -> Result<Arc<Ownership>, StoreError> {
        let mut own = lock(&self.ownership);
        let claimed = match &*own {
            Some(own) if own.is_there() => return Ok(Arc::clone(own)),
            Some(removed) => {
                let again = removed.claim_again().map_err(cannot_claim)?;
                self.serve_again(&again);
                again
            }
            None => self.claim()?,
        };
        Ok(Arc::clone(own.insert(Arc::new(claimed))))
    }

    /// A new name, for this process or for another.
    pub(super) fn claim(&self) -> Result<Ownership, StoreError> {
        Ownership::claim(ownership::folder_in(&self.folder)).map_err(cannot_claim)
    }

    pub(super) fn inherit(&self, Inheritance { name, lock }: Inheritance) {
        let own = Ownership::inherit(ownership::folder_in(&self.folder), name, lock);
        *self::lock(&self.ownership) = Some(Arc::new(own));
    }

    /// The name, if there is one already.
    pub(super) fn own_name(&self) -> Option<String> {
        lock(&self.ownership)
            .as_ref()
            .map(|own| own.name().to_owned())
    }

    pub(super) fn serve(&self, tasks: &Tasks) -> Result<(), StoreError> {
        let own = self.ownership()?;
        let mut control = lock(&self.control);
        let control = match &mut *control {
            Some(control) => control,
            none => none.insert(Control::listen(&own.socket()).map_err(cannot_serve)?),
        };
        control.add(tasks);
        // Somebody may be waiting for that.
        self.announce();
        Ok(())
    }

    /// The socket went with the file of the name, most likely.
    fn serve_again(&self, own: &Ownership) {
        let mut control = lock(&self.control);
        let Some(before) = &*control else {
            return;
        };
        match before.listen_again(&own.socket()) {
            Ok(again) => *control = Some(again),
            // It is there, and only the file is gone.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => self.warn(&cannot_serve(error).to_string()),
        }
    }

    pub(super) fn warn(&self, problem: &str) {
        // Its panic is its own, such as that of `eprintln!` when nobody reads stderr: what ended is written all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.warn)(problem)));
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes what can be written, and lets go of the name.
    pub(super) fn close(&self) {
        lock(&self.control).take();
        self.backlog.close();
        let writer = lock(&self.writer).take();
        if let Some(writer) = writer {
            // It does not panic; if it did, it has said so.
            let _ = writer.join();
            // Whoever wrote nothing but a line at once is in a hurry, and others will come.
            lock(&self.database).empty_log();
        } else {
            // For want of a thread: what there is, if there is anything.
            self.write_all();
        }
        let own = lock(&self.ownership).take();
        match own {
            Some(own) if self.is_nothing_left_of(own.name()) => own.resign(),
            Some(own) => own.let_go(),
            None => {}
        }
    }

    fn is_nothing_left_of(&self, name: &str) -> bool {
        self.with("cannot read the tasks", |db| rows::running_under(db, name))
            .is_ok_and(|running| running.is_empty())
    }
}

fn cannot_claim(error: io::Error) -> StoreError {
    StoreError::io("cannot make a process known in the store", error)
}

fn cannot_serve(error: io::Error) -> StoreError {
    StoreError::io("cannot take requests from other processes", error)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Locks, whatever a panic elsewhere did: every critical section here leaves its data whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
