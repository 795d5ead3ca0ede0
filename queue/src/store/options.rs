//! How a store is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use meanwhile_core::Orphan;

use super::error::StoreError;
use super::promise::Inheritance;
use super::shared::{Shared, StopOrphans, Warn};
use super::{CloseOnDrop, Store};

/// How a store is opened.
///
/// ```
/// use meanwhile_queue::StoreOptions;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("state");
/// let store = StoreOptions::new(&folder, |orphans| {
///     // `meanwhile_process::stop_orphans` is what belongs here.
///     orphans.iter().map(|_| 0).collect()
/// })
/// .warn(|problem| eprintln!("{problem}"))
/// .open()?;
/// assert_eq!(store.folder(), folder);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StoreOptions {
    folder: PathBuf,
    stop_orphans: StopOrphans,
    warn: Warn,
    recovery: Recovery,
    inheritance: Option<Inheritance>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recovery {
    AtOnce,
    Later,
}

impl StoreOptions {
    /// A store in `folder`, which is made (0700) if it is not there.
    ///
    /// `stop_orphans` stops what is left of tasks whose program died, and says how many processes of each are alive
    /// after that; it may block for some seconds. `meanwhile_process::stop_orphans` does it for local backends.
    pub fn new(
        folder: impl Into<PathBuf>,
        stop_orphans: impl Fn(&[Orphan]) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        Self {
            folder: folder.into(),
            stop_orphans: Box::new(stop_orphans),
            warn: Box::new(|_| {}),
            recovery: Recovery::AtOnce,
            inheritance: None,
        }
    }

    /// Is told, in a line for a person, of what goes wrong and ends nothing: a full disk, a database that was set
    /// aside. From any thread.
    #[must_use]
    pub fn warn(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.warn = Box::new(warn);
        self
    }

    /// Leaves the tasks of programs that died to the first [`Store::recover`], for a program that has to be quick
    /// first.
    #[must_use]
    pub fn recover_later(mut self) -> Self {
        self.recovery = Recovery::Later;
        self
    }

    /// Goes on under the name of a [`Promise`](super::Promise) that another process made.
    #[must_use]
    pub fn heir(mut self, inheritance: Inheritance) -> Self {
        self.inheritance = Some(inheritance);
        self
    }

    /// Opens the store, and ends the tasks of programs that died. A folder that cannot be written is opened for reading.
    ///
    /// # Errors
    ///
    /// If a newer version wrote it, the folder can be neither made nor read, or another process keeps it locked for ten
    /// seconds ([`Busy`](super::StoreErrorKind::Busy)).
    pub fn open(self) -> Result<Store, StoreError> {
        let shared = Arc::new(Shared::open(self.folder, self.stop_orphans, self.warn)?);
        if let Some(inheritance) = self.inheritance {
            shared.inherit(inheritance);
        }
        let store = Store {
            _last: Arc::new(CloseOnDrop(Arc::clone(&shared))),
            shared,
        };
        if self.recovery == Recovery::AtOnce
            && let Err(error) = store.recover()
        {
            // The next one who opens it will try; what can be done with it can be done all the same.
            store.shared.warn(&error.to_string());
        }
        Ok(store)
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("folder", &self.folder)
            .field("recovery", &self.recovery)
            .finish_non_exhaustive()
    }
}
