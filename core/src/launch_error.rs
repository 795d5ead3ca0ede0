//! Why a launch did not happen.

use std::fmt;

use crate::SpecError;

/// A launch that did not happen. There is no id and there will be no notification.
#[derive(Debug)]
pub struct LaunchError {
    kind: LaunchErrorKind,
    source: Option<SpecError>,
}

/// Why a launch did not happen.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchErrorKind {
    /// The spec is invalid; the source names the field.
    Invalid,
    /// The backend cannot do such work: `jobs` or `commands`.
    Unsupported(&'static str),
    /// A shutdown has begun.
    ShuttingDown,
    /// There is a task of this id.
    Taken,
}

impl LaunchError {
    pub(crate) fn invalid(source: SpecError) -> Self {
        Self {
            kind: LaunchErrorKind::Invalid,
            source: Some(source),
        }
    }

    pub(crate) fn unsupported(what: &'static str) -> Self {
        Self {
            kind: LaunchErrorKind::Unsupported(what),
            source: None,
        }
    }

    pub(crate) fn closed() -> Self {
        Self {
            kind: LaunchErrorKind::ShuttingDown,
            source: None,
        }
    }

    pub(crate) fn taken() -> Self {
        Self {
            kind: LaunchErrorKind::Taken,
            source: None,
        }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> LaunchErrorKind {
        self.kind
    }

    /// The field that is wrong, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.source.as_ref().map(SpecError::field)
    }
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.source) {
            (LaunchErrorKind::Unsupported(what), _) => {
                write!(f, "nothing launched: this backend does not run {what}")
            }
            (LaunchErrorKind::ShuttingDown, _) => {
                f.write_str("nothing launched: a shutdown has begun")
            }
            (LaunchErrorKind::Taken, _) => {
                f.write_str("nothing launched: there is a task of this id")
            }
            (LaunchErrorKind::Invalid, Some(source)) => write!(f, "nothing launched: {source}"),
            (LaunchErrorKind::Invalid, None) => {
                f.write_str("nothing launched: the spec is invalid")
            }
        }
    }
}

impl std::error::Error for LaunchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
