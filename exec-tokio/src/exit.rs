//! Waiting on tokio's reactor for the end of a leader.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use meanwhile_core::ExitStatus;
use meanwhile_process::{LOOK_AGAIN, Leader};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Resolves with the status of the leader when it has ended; never without one.
pub(crate) async fn status(leader: Option<Arc<Leader>>) -> ExitStatus {
    let Some(leader) = leader else {
        return std::future::pending().await;
    };
    let mut registered = leader.exit_descriptor().and_then(register);
    loop {
        // Asked first: the leader may have ended before the reactor knew of it.
        if let Some(status) = leader.status() {
            return status;
        }
        match registered.take() {
            // Once: kqueue may tell before there is a status, and a reactor does not tell again.
            Some(descriptor) => {
                let _ = descriptor.readable().await;
            }
            // No descriptor, no room in the reactor, or it was told too early. The clock does it, if later.
            None => tokio::time::sleep(LOOK_AGAIN).await,
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
