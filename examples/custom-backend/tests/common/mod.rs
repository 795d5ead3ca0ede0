//! What the tests share.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Once;

use custom_backend::{SandboxError, Sandboxed};
use meanwhile_thread::ThreadBackend;

/// A sandbox around the backend on threads. Where there is none to be had, says so and gives nothing, unless
/// the environment demands one.
pub(crate) fn sandboxed(folder: &Path) -> Option<Sandboxed<ThreadBackend>> {
    static SAID: Once = Once::new();
    match Sandboxed::new(ThreadBackend::new(), folder) {
        Ok(sandboxed) => Some(sandboxed),
        Err(error @ SandboxError::Folder { .. }) => panic!("{error}"),
        Err(error) if std::env::var_os("CUSTOM_BACKEND_DEMANDS_BWRAP").is_some() => {
            panic!("{error}")
        }
        Err(error) => {
            // Not by eprintln!, whose text is thrown away when a test passes.
            SAID.call_once(|| {
                let _ = writeln!(
                    io::stderr(),
                    "SKIPPED, every test that needs a sandbox: {error}"
                );
            });
            None
        }
    }
}
