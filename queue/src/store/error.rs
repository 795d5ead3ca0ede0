//! What can go wrong with a store.

use std::error::Error;
use std::fmt;
use std::io;

/// Why the store could not do something.
///
/// An ending is never lost by one: what could not be written waits in memory.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    action: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of thing went wrong.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// A newer version of meanwhile wrote the store.
    Newer,
    /// The folder, or the disk under it, does not take writes.
    ReadOnly,
    /// No room is left on the disk.
    Full,
    /// Another process kept the store locked for too long.
    Busy,
    /// The database is damaged, or no database at all.
    Corrupt,
    /// There is no such task.
    UnknownTask,
    /// The program that supervises the task does not answer.
    Unreachable,
    /// Anything else.
    Other,
}

impl StoreError {
    pub(super) fn new(kind: StoreErrorKind, action: impl Into<String>) -> Self {
        Self {
            kind,
            action: action.into(),
            source: None,
        }
    }

    /// What was to be done, and what kept it from being done.
    pub(super) fn sql(action: impl Into<String>, source: rusqlite::Error) -> Self {
        Self {
            kind: kind_of(&source),
            action: action.into(),
            source: Some(Box::new(source)),
        }
    }

    pub(super) fn io(action: impl Into<String>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                StoreErrorKind::ReadOnly
            }
            _ => StoreErrorKind::Other,
        };
        Self {
            kind,
            action: action.into(),
            source: Some(Box::new(source)),
        }
    }

    pub(super) fn unreachable(action: impl Into<String>, source: io::Error) -> Self {
        Self {
            kind: StoreErrorKind::Unreachable,
            action: action.into(),
            source: Some(Box::new(source)),
        }
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
        Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreErrorKind::Busy,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreErrorKind::ReadOnly,
        _ => StoreErrorKind::Other,
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        self.source
            .as_ref()
            .map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
