//! Very many endings, and many threads.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{EventId, Inbox, NotificationQueue, Owner};

use super::endings::{LEASE, endings, ids};
use crate::wait;

/// More than any queue has room for.
const VERY_MANY: usize = 30_000;

/// Pushes come through though nobody drains, and every one of them is told.
pub fn a_full_queue_drops_no_ending_and_blocks_nobody<Q: NotificationQueue>(
    make: impl FnOnce() -> Q,
) {
    let queue = Arc::new(make());
    let owner = Owner::default();
    let pushed = endings(&owner, VERY_MANY);
    let expected = ids(&pushed);
    let (tell, done) = mpsc::channel();
    let pushing = Arc::clone(&queue);
    // Not scoped: a push that blocks for good would hold the check, too.
    thread::spawn(move || {
        for ending in pushed {
            pushing.push(ending);
        }
        // The check may have failed and gone.
        let _ = tell.send(());
    });
    assert_eq!(
        done.recv_timeout(wait::patience()),
        Ok(()),
        "a push blocks when the queue is full"
    );
    let mut told = Vec::new();
    loop {
        let drained = ids(&queue.drain(&owner, usize::MAX, LEASE));
        if drained.is_empty() {
            break;
        }
        queue.acknowledge(&owner, &drained);
        told.extend(drained);
    }
    assert!(
        told == expected,
        "{} of {VERY_MANY} endings were told",
        told.len()
    );
}

/// Many threads push, others drain, acknowledge and give back, and each event is told once.
pub fn concurrent_producers_and_drainers_lose_and_double_nothing<Q: NotificationQueue>(
    make: impl FnOnce() -> Q,
) {
    let queue = Arc::new(make());
    let owner = Owner::default();
    let batches: Vec<_> = (0..4).map(|_| endings(&owner, 500)).collect();
    let mut expected: Vec<_> = batches.iter().flat_map(|batch| ids(batch)).collect();
    let all = expected.len();
    let told = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for batch in batches {
            scope.spawn(|| batch.into_iter().for_each(|ending| queue.push(ending)));
        }
        for _ in 0..3 {
            let inbox = Inbox::new(queue.clone(), owner.clone()).with_lease(LEASE);
            scope.spawn(|| tell(inbox, &told, all));
        }
    });
    let mut told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    told.sort();
    expected.sort();
    assert!(
        told.windows(2).all(|pair| pair[0] != pair[1]),
        "an event was told twice"
    );
    assert!(
        told == expected,
        "{} of {all} endings were told",
        told.len()
    );
    assert_eq!(queue.pending(&owner), 0, "told, and still pending");
}

/// Drains until all is told, or patience is at its end. Every other drain fails on the way and goes back.
fn tell(inbox: Inbox, told: &Mutex<Vec<EventId>>, all: usize) {
    let deadline = Instant::now() + wait::patience();
    let told = || told.lock().unwrap_or_else(PoisonError::into_inner);
    let mut fails = false;
    while told().len() < all && Instant::now() < deadline {
        // Bounded, because another thread may have told the last one.
        if inbox.wait_timeout(Duration::from_millis(10)) {
            let drained = inbox.drain_up_to(7);
            if !fails {
                told().extend(ids(&drained));
                drained.acknowledge();
            }
            fails = !fails;
        }
    }
}
