//! Wake-ups.

use event_listener::Listener;
use meanwhile_core::{NotificationQueue, Owner};

use super::endings::{drain, endings};
use crate::wait;

/// A push has woken every listener when it returns: async code, and threads that block.
pub fn push_wakes_async_and_blocking_waiters<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let queue = make();
    let owner = Owner::default();
    for ending in endings(&owner, 3) {
        let listeners = [queue.listen(&owner), queue.listen(&owner)];
        let blocking = queue.listen(&owner);
        queue.push(ending);
        for listener in listeners {
            wait::block_on("a push wakes whoever waits in async code", listener);
        }
        let woken = blocking.wait_timeout(wait::patience()).is_some();
        assert!(woken, "a push does not wake a thread that blocks");
        drain(&queue, &owner, usize::MAX);
    }
}

/// What is given back wakes whoever waits: it is pending again.
pub fn release_wakes_waiters<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let queue = make();
    let owner = Owner::default();
    for ending in endings(&owner, 1) {
        queue.push(ending);
    }
    let drained = drain(&queue, &owner, usize::MAX);
    let listener = queue.listen(&owner);
    queue.release(&owner, &drained);
    wait::block_on("what is given back wakes whoever waits", listener);
}
