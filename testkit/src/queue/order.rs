//! What is pushed can be drained, by whom, and in which order.

use std::sync::Arc;

use meanwhile_core::{NotificationQueue, Owner, Tasks};

use super::endings::{EndsAtOnce, drain, endings, ids, launch};

/// When `push` returns, a drain finds what was pushed.
pub fn push_makes_it_drainable_before_it_returns<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let queue = make();
    let owner = Owner::default();
    for ending in endings(&owner, 3) {
        let id = ending.event_id;
        queue.push(ending);
        assert_eq!(queue.pending(&owner), 1, "what was pushed is not pending");
        assert_eq!(
            drain(&queue, &owner, usize::MAX),
            [id],
            "what was pushed is not drained"
        );
        assert_eq!(
            queue.pending(&owner),
            0,
            "what was drained is still pending"
        );
    }
}

/// Whoever sees the exit of a task finds its notification.
pub fn whoever_sees_the_exit_finds_the_notification<Q: NotificationQueue>(
    make: impl FnOnce() -> Q,
) {
    let tasks = Tasks::new(EndsAtOnce, make());
    let owner = Owner::default();
    let handle = launch(&tasks, &owner);
    assert!(handle.exit().is_some(), "this backend ends a task at once");
    let drained = tasks.inbox(owner).drain();
    let told: Vec<_> = drained.iter().map(|item| item.task_id).collect();
    assert_eq!(
        told,
        [handle.id()],
        "the exit was there before its notification"
    );
}

/// Each owner's items come in the order in which they were pushed, whatever comes between.
pub fn fifo_per_owner<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let queue = make();
    let (one, other) = (Owner::new("one"), Owner::new("other"));
    let (of_one, of_other) = (endings(&one, 100), endings(&other, 100));
    for (a, b) in of_one.iter().zip(&of_other) {
        queue.push(a.clone());
        queue.push(b.clone());
    }
    assert_eq!(
        drain(&queue, &one, usize::MAX),
        ids(&of_one),
        "not in the order of the pushes"
    );
    assert_eq!(
        drain(&queue, &other, usize::MAX),
        ids(&of_other),
        "not in the order of the pushes"
    );
}

/// An owner gets its own items, whole and unchanged, and cannot touch another's.
pub fn owners_are_apart<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let queue = make();
    let (one, other) = (Owner::new("one"), Owner::new("other"));
    let of_one = endings(&one, 3);
    for ending in &of_one {
        queue.push(ending.clone());
    }
    assert_eq!(queue.pending(&other), 0, "another's items are pending");
    assert_eq!(
        drain(&queue, &other, usize::MAX),
        [],
        "another's items were drained"
    );
    queue.acknowledge(&other, &ids(&of_one));
    queue.consume(&other, of_one[0].task_id);
    assert_eq!(queue.pending(&one), 3, "another owner's word counts");
    let drained = queue.drain(&one, usize::MAX, super::endings::LEASE);
    assert_eq!(*drained, of_one, "not what was pushed");
    queue.release(&other, &ids(&of_one));
    assert_eq!(queue.pending(&one), 0, "another owner's word counts");
}

/// A drain takes all that is pending, or the first n of it, and leaves the others.
pub fn drain_takes_all_or_the_first_n<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let queue = Arc::new(make());
    let owner = Owner::default();
    assert_eq!(drain(&queue, &owner, usize::MAX), [], "nothing was pushed");
    let pushed = endings(&owner, 5);
    let expected = ids(&pushed);
    for ending in pushed {
        queue.push(ending);
    }
    assert_eq!(drain(&queue, &owner, 0), [], "none was asked for");
    assert_eq!(drain(&queue, &owner, 2), expected[..2], "not the first two");
    assert_eq!(queue.pending(&owner), 3, "two of five are drained");
    assert_eq!(
        drain(&queue, &owner, usize::MAX),
        expected[2..],
        "not all of the others"
    );
}
