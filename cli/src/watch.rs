//! Waiting for what other programs do to the store.

use meanwhile_queue::Store;

use crate::error::Error;

/// Calls `look` now and whenever something changed in the store, until it has found something.
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
        changed.await;
        changed = store.listen_to_all();
    }
}
