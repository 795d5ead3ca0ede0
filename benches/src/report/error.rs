//! What can go wrong with a report.

use std::error::Error as StdError;
use std::fmt;

/// What was to be done, and why it could not be.
#[derive(Debug)]
pub(crate) struct Error {
    action: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            source: None,
        }
    }

    pub(crate) fn because(
        action: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            action: action.into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.action),
            None => write!(f, "{}", self.action),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
