//! Waiting on tokio's reactor for the end of a leader.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use meanwhile_core::ExitStatus;
use meanwhile_process::{LOOK_AGAIN, Leader};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Tells the end of a leader.
pub(crate) struct ExitWatch {
    leader: Arc<Leader>,
    /// `None` if there is no descriptor, or no room in the reactor.
    registered: Option<AsyncFd<Arc<OwnedFd>>>,
}

impl ExitWatch {
    /// Registers the leader with the runtime in whose context this is called.
    pub(crate) fn of(leader: Arc<Leader>) -> Self {
        let registered = leader.exit_descriptor().and_then(register);
        Self { leader, registered }
    }

    /// Whether the reactor will tell.
    pub(crate) fn is_registered(&self) -> bool {
        self.registered.is_some()
    }

    /// Resolves with the status of the leader when it has ended.
    pub(crate) async fn status(mut self) -> ExitStatus {
        loop {
            // Asked first: the leader may have ended before the reactor knew of it.
            if let Some(status) = self.leader.status() {
                return status;
            }
            match self.registered.take() {
                // Once: kqueue may tell before there is a status, and a reactor does not tell again.
                Some(descriptor) => {
                    let _ = descriptor.readable().await;
                }
                // It was told too early, or never will be. The clock does it, if later.
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }
}

#[expect(
    unsafe_code,
    reason = "tokio registers descriptors by an unsafe function alone since 1.54"
)]
fn register(descriptor: Arc<OwnedFd>) -> Option<AsyncFd<Arc<OwnedFd>>> {
    // SAFETY: the descriptor must stay open, and the same, for as long as it is registered. It is owned by the
    // Arc, which the AsyncFd keeps, and an Arc gives nobody the means to close or replace it.
    unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }.ok()
}
