//! What can go wrong in the program itself. A task that fails is none of it: that is an exit code.

use std::error::Error as StdError;
use std::fmt;

use meanwhile_queue::StoreError;

/// Why the program itself failed.
#[derive(Debug)]
pub(crate) struct Error {
    kind: Kind,
    action: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Whose fault it is.
#[derive(Debug)]
enum Kind {
    /// The caller's: the command line asks for what cannot be.
    Usage,
    /// Ours, or the machine's.
    Own,
}

impl Error {
    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            action: problem.into(),
            source: None,
        }
    }

    /// The action that failed, as in `cannot open notes.jsonl`, and the reason, mostly the operating system's.
    pub(crate) fn own(
        action: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind: Kind::Own,
            action: action.into(),
            source: Some(source.into()),
        }
    }

    /// Likewise, where there is no more to it than the words.
    pub(crate) fn failed(problem: impl Into<String>) -> Self {
        Self {
            kind: Kind::Own,
            action: problem.into(),
            source: None,
        }
    }

    /// After GNU `timeout` and `env`.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Usage => 2,
            Kind::Own => 125,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        self.source
            .as_ref()
            .map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::failed(error.to_string())
    }
}
