//! Waiting for what other programs do to the store.

use std::time::Duration;

use meanwhile_core::Inbox;
use meanwhile_queue::Store;
use smol::future;

use crate::error::Error;
use crate::pause::pause;

/// When to look again where nothing changes: a lease that another program let run out, because it died or hangs, is told
/// by nobody. Its beginning was a change, so it is over a lease after the last one; a moment more is for the clocks.
pub(crate) const AFTER_A_LEASE: Duration =
    Inbox::DEFAULT_LEASE.saturating_add(Duration::from_secs(1));

/// Calls `look` now, whenever something changed in the store, and when a lease may have run out, until it has found
/// something.
pub(crate) async fn until<T>(
    store: &Store,
    mut look: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    // Once before anything is set up to listen: mostly it is there already.
    if let Some(found) = look()? {
        return Ok(found);
    }
    let mut changed = store.listen_to_all();
    // Nobody heard of a program that died after the store was opened and before it was listened to. What cannot be
    // done about it now, in a folder that cannot be written, whoever comes next does.
    let _ = store.recover();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        future::or(changed, pause(AFTER_A_LEASE)).await;
        changed = store.listen_to_all();
    }
}
