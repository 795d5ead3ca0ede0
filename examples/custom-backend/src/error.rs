//! Why there is no sandbox.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// No sandbox can be made; nothing was launched.
#[non_exhaustive]
#[derive(Debug)]
pub enum SandboxError {
    /// The folder that was to be writable cannot be.
    Folder {
        /// As it was given.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is no bubblewrap, or it cannot be executed.
    NoBwrap {
        /// What was to be executed.
        program: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Bubblewrap is there and cannot make a sandbox.
    Refused {
        /// What it wrote on its stderr.
        said: String,
    },
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { folder, source } => write!(
                f,
                "no sandbox: cannot make {} its writable folder: {source}",
                folder.display()
            ),
            Self::NoBwrap { program, source } => write!(
                f,
                "no sandbox: cannot execute {}: {source}. Install the package `bubblewrap` of your system",
                program.display()
            ),
            Self::Refused { said } => write!(
                f,
                "no sandbox: bwrap is not able to make one here and says \"{said}\". It needs user namespaces: \
                 see `sysctl user.max_user_namespaces`, and the AppArmor, SELinux or container profile that \
                 this program runs under"
            ),
        }
    }
}

impl Error for SandboxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::NoBwrap { source, .. } => Some(source),
            Self::Refused { .. } => None,
        }
    }
}
