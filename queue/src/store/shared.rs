//! What all clones of a store, and its threads, have in common.

use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{self, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use meanwhile_core::{Orphan, Tasks, WakeUp};
use notify::RecommendedWatcher;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::backlog::{Backlog, Settled};
use super::bell::{Bell, Heard};
use super::change::Change;
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
    database: Mutex<Database>,
    /// Whether anything was committed since the log was last synced.
    is_unsynced: AtomicBool,
    /// Held while somebody syncs: whoever comes second finds nothing to do only when that is done.
    syncing: Mutex<()>,
    pub(super) backlog: Backlog,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held while somebody drains: what is taken from memory is not seen to be taken before it is in the line.
    pub(super) draining: Mutex<()>,
    ownership: Mutex<Option<Arc<Ownership>>>,
    control: Mutex<Vec<Control>>,
    /// Notified when anything changed, here or elsewhere.
    pub(super) changed: WakeUp,
    bell: Bell,
    watch: OnceLock<Option<Watch>>,
}

/// Listening to other processes.
#[derive(Debug)]
struct Watch {
    _watcher: RecommendedWatcher,
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
        let database = Database::open(&folder, &warn)?;
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
        patience: Patience,
        action: &str,
        mut work: impl FnMut(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut database = self.lock_database(patience)?;
        if database.is_replaced() {
            self.replace(&mut database)?;
        }
        database.set_patience(patience);
        match work(&mut database.connection) {
            Err(error) if is_damage(&error) && database.access == database::Access::ReadWrite => {
                let warn = |problem: &str| self.warn(problem);
                database::set_aside(&self.folder, database.identity(), &warn)?;
                self.replace(&mut database)?;
                work(&mut database.connection)
            }
            other => other,
        }
        .map_err(|error| StoreError::sql(action, error))
    }

    /// Opens the database that is there now, and takes over what the one before can still say.
    fn replace(&self, database: &mut Database) -> Result<(), StoreError> {
        let new = Database::open(&self.folder, &|problem| self.warn(problem))?;
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

    /// Writes `changes` in one transaction.
    pub(super) fn write(
        &self,
        patience: Patience,
        changes: &[Arc<Change>],
    ) -> Result<(), StoreError> {
        let process = self.ownership()?;
        self.with(patience, "cannot write to the store", |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for change in changes {
                change.write(&transaction, process.name())?;
            }
            transaction.commit()
        })?;
        self.is_unsynced.store(true, Ordering::Release);
        self.announce();
        Ok(())
    }

    /// Puts `change` in the line of the writer, who is started for the first one.
    pub(super) fn submit(self: &Arc<Self>, change: Change) {
        self.backlog.submit(change);
        self.start_writer();
    }

    /// Starts the writer, unless it was.
    pub(super) fn start_writer(self: &Arc<Self>) {
        let mut writer = lock(&self.writer);
        if writer.is_some() {
            return;
        }
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("meanwhile-store".to_owned())
            .spawn(move || shared.write_all());
        match started {
            Ok(handle) => *writer = Some(handle),
            // Tried again when somebody looks; until then all waits in memory like on a full disk.
            Err(error) => {
                let problem = format!("cannot start the store's writer: {error}");
                if !self.backlog.is_held() {
                    self.warn(&problem);
                }
                self.backlog.mark_held(problem, Duration::ZERO);
            }
        }
    }

    /// Writes `change` now if that is possible at once, and else in its turn.
    pub(super) fn write_or_submit(self: &Arc<Self>, change: Change) {
        let change = Arc::new(change);
        if self.backlog.is_empty()
            && self
                .write(Patience::Short, std::slice::from_ref(&change))
                .is_ok()
        {
            return;
        }
        let change = Arc::into_inner(change).expect("a write keeps nothing");
        self.submit(change);
        self.backlog.settle();
    }

    /// Likewise, past whatever waits: nothing of it concerns the same task.
    pub(super) fn write_ahead_or_submit(self: &Arc<Self>, change: Change) {
        let change = Arc::new(change);
        if self.backlog.is_held()
            || self
                .write(Patience::Short, std::slice::from_ref(&change))
                .is_err()
        {
            self.submit(Arc::into_inner(change).expect("a write keeps nothing"));
        }
    }

    pub(super) fn settle(self: &Arc<Self>) -> Settled {
        if self.backlog.is_held() {
            self.start_writer();
        }
        self.backlog.settle()
    }

    /// The thread `meanwhile-store`: ends when the store is closed, with nothing left that can be written.
    fn write_all(&self) {
        const FIRST_PAUSE: Duration = Duration::from_millis(20);
        const LONGEST_PAUSE: Duration = Duration::from_secs(1);
        let (mut pause, mut said) = (FIRST_PAUSE, None);
        // How long to wait for more before what is written already, and could not be synced, is synced.
        let mut unsynced = None;
        while let Some(batch) = self.backlog.next_batch(unsynced) {
            // When it is closed it is tried once more: the last failure may be a second ago.
            let is_last = self.backlog.is_closed();
            let written = if batch.is_empty() {
                Ok(())
            } else {
                self.write(Patience::Again, &batch)
            };
            match written {
                Ok(()) => {
                    self.backlog.mark_written();
                    let is_due =
                        unsynced.is_some() || batch.iter().any(|change| change.is_ending());
                    match if is_due { self.sync_log() } else { Ok(()) } {
                        Ok(()) => {
                            unsynced = None;
                            self.backlog.mark_durable();
                        }
                        Err(error) => {
                            if unsynced.replace(LONGEST_PAUSE).is_none() {
                                self.warn(&error.to_string());
                            }
                        }
                    }
                    if said.take().is_some() {
                        self.warn("the store takes writes again, and nothing was lost");
                    }
                    pause = FIRST_PAUSE;
                }
                Err(error) => {
                    let problem = error.to_string();
                    if said.as_ref() != Some(&problem) {
                        self.warn(&format!(
                            "{problem}; what ends now is kept in memory until the store takes writes again"
                        ));
                        said = Some(problem.clone());
                    }
                    if is_last {
                        return;
                    }
                    self.backlog.mark_held(problem, pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Makes what was committed safe from a power cut.
    pub(super) fn sync_log(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.syncing);
        if !self.is_unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let log = lock(&self.database).log();
        let log = log.and_then(|log| log.sync_data().map(|()| log));
        let log = log.map_err(|error| {
            self.is_unsynced.store(true, Ordering::Release);
            StoreError::io("cannot sync the store", error)
        })?;
        if let Err(error) = database::shorten_log(&self.folder, &log) {
            self.warn(&error.to_string());
        }
        Ok(())
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
            Some(removed) => removed.claim_again().map_err(cannot_claim)?,
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
        let control = Control::listen(own.socket(), tasks)
            .map_err(|error| StoreError::io("cannot take requests from other processes", error))?;
        lock(&self.control).push(control);
        // Somebody may be waiting for that.
        self.announce();
        Ok(())
    }

    /// Begins to listen to other processes, once.
    pub(super) fn watch(self: &Arc<Self>) {
        self.watch.get_or_init(|| {
            let watch = start_watch(self)
                .inspect_err(|error| {
                    self.warn(&format!(
                        "cannot hear of what other processes do, and looks every second: {error}"
                    ));
                })
                .ok();
            // Elsewhere nothing is heard of a file that is closed, and so of no death.
            if watch.is_none() || !cfg!(target_os = "linux") {
                self.look();
            }
            watch
        });
    }

    fn look(self: &Arc<Self>) {
        let shared = Arc::downgrade(self);
        let looking = thread::Builder::new()
            .name("meanwhile-look".to_owned())
            .spawn(move || look_every_second(&shared));
        if let Err(error) = looking {
            self.warn(&format!("cannot look for what other processes do: {error}"));
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
        lock(&self.control).clear();
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
        if let Some(own) = lock(&self.ownership).take()
            && self.is_nothing_left_of(own.name())
        {
            own.resign();
        }
    }

    fn is_nothing_left_of(&self, name: &str) -> bool {
        self.with(Patience::Long, "cannot read the tasks", |db| {
            rows::running_under(db, name)
        })
        .is_ok_and(|running| running.is_empty())
    }
}

fn cannot_claim(error: io::Error) -> StoreError {
    StoreError::io("cannot make a process known in the store", error)
}

fn start_watch(shared: &Arc<Shared>) -> io::Result<Watch> {
    let owners = ownership::folder_in(&shared.folder);
    // Made here, so that it can be watched before anybody is in it.
    if !shared.is_read_only() {
        database::make_folder(&owners)?;
    }
    let (deaths, died) = mpsc::channel();
    // One may have died since the store was opened.
    let _ = deaths.send(());
    let listener = Arc::downgrade(shared);
    let watcher = shared
        .bell
        .watch(&owners, move |heard| hear(heard, &listener, &deaths))
        .map_err(io::Error::other)?;
    let shared = Arc::downgrade(shared);
    thread::Builder::new()
        .name("meanwhile-recover".to_owned())
        .spawn(move || recover_after_deaths(&died, &shared))?;
    Ok(Watch { _watcher: watcher })
}

fn hear(heard: Heard, shared: &Weak<Shared>, deaths: &Sender<()>) {
    match heard {
        Heard::Change => {
            if let Some(shared) = shared.upgrade() {
                shared.changed.notify(usize::MAX);
            }
        }
        // The thread is gone only if the store is.
        Heard::Death => drop(deaths.send(())),
    }
}

/// The thread `meanwhile-recover`: ends with the watcher, when the store is dropped.
fn recover_after_deaths(died: &Receiver<()>, shared: &Weak<Shared>) {
    // The lock of a dead process is freed a moment after its file is seen to be closed.
    let pauses = || [1, 20, 200, 2_000].map(Duration::from_millis).into_iter();
    while died.recv().is_ok() {
        let mut looks = pauses();
        while let Some(pause) = looks.next() {
            match died.recv_timeout(pause) {
                // Another one, whose lock may not be free yet when the first one's is.
                Ok(()) => looks = pauses(),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let Some(shared) = shared.upgrade() else {
                        return;
                    };
                    // What cannot be done now is tried at the next look, and by whoever opens the store.
                    let _ = shared.recover();
                }
            }
        }
    }
}

/// The thread `meanwhile-look`, where not everything can be heard of: ends a second after the store is dropped.
fn look_every_second(shared: &Weak<Shared>) {
    loop {
        thread::sleep(Duration::from_secs(1));
        let Some(shared) = shared.upgrade() else {
            return;
        };
        // What cannot be done now is tried in a second.
        let _ = shared.recover();
        shared.changed.notify(usize::MAX);
    }
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
