//! At least once, and effectively once.

use std::time::Duration;

use meanwhile_core::{EventId, Notification, NotificationQueue, Owner, TaskId};

use super::endings::{LEASE, drain, endings, ids};
use crate::wait;

/// A queue with so many endings in it.
fn filled<Q: NotificationQueue>(
    make: impl FnOnce() -> Q,
    count: usize,
) -> (Q, Owner, Vec<Notification>) {
    let queue = make();
    let owner = Owner::default();
    let pushed = endings(&owner, count);
    for ending in &pushed {
        queue.push(ending.clone());
    }
    (queue, owner, pushed)
}

/// What somebody holds is not given to somebody else.
pub fn drained_is_not_drained_again_within_its_lease<Q: NotificationQueue>(
    make: impl FnOnce() -> Q,
) {
    let (queue, owner, pushed) = filled(make, 3);
    assert_eq!(drain(&queue, &owner, usize::MAX), ids(&pushed));
    assert_eq!(drain(&queue, &owner, usize::MAX), [], "drained twice");
}

/// What was given back is told again, as the same event.
pub fn unacknowledged_comes_back_with_the_same_event_id<Q: NotificationQueue>(
    make: impl FnOnce() -> Q,
) {
    let (queue, owner, pushed) = filled(make, 3);
    for _ in 0..3 {
        let drained = queue.drain(&owner, usize::MAX, LEASE);
        assert_eq!(
            *drained, pushed,
            "what was given back did not come back as it was"
        );
        queue.release(&owner, &ids(&drained));
        assert_eq!(
            queue.pending(&owner),
            3,
            "what was given back is not pending"
        );
    }
}

/// What comes back is not behind what came later.
pub fn unacknowledged_comes_back_at_its_old_place<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let (queue, owner, pushed) = filled(make, 6);
    let expected = ids(&pushed);
    drain(&queue, &owner, 4);
    queue.acknowledge(&owner, &expected[1..2]);
    // The second of those that are held, then the first and the last: in no order.
    queue.release(&owner, &[expected[2]]);
    queue.release(&owner, &[expected[3], expected[0]]);
    let left = [
        expected[0],
        expected[2],
        expected[3],
        expected[4],
        expected[5],
    ];
    assert_eq!(
        drain(&queue, &owner, usize::MAX),
        left,
        "not at its old place"
    );
}

/// What was acknowledged is over, though its lease may have run out by then.
pub fn acknowledged_never_comes_back<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let (queue, owner, pushed) = filled(make, 4);
    let expected = ids(&pushed);
    drain(&queue, &owner, 2);
    queue.acknowledge(&owner, &expected[..2]);
    queue.release(&owner, &expected[..2]);
    assert_eq!(queue.pending(&owner), 2, "what was acknowledged came back");
    let late = queue.drain(&owner, usize::MAX, Duration::ZERO);
    assert_eq!(ids(&late), expected[2..], "what was acknowledged came back");
    queue.acknowledge(&owner, &expected[2..]);
    assert_eq!(
        drain(&queue, &owner, usize::MAX),
        [],
        "what was acknowledged came back"
    );
}

/// A holder that is gone keeps nothing for good.
pub fn lease_runs_out<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let (queue, owner, pushed) = filled(make, 2);
    let expected = ids(&pushed);
    let at_once = queue.drain(&owner, usize::MAX, Duration::ZERO);
    assert_eq!(ids(&at_once), expected);
    assert_eq!(queue.pending(&owner), 2, "a lease of zero holds");
    let soon = queue.drain(&owner, 1, Duration::from_millis(1));
    assert_eq!(ids(&soon), expected[..1], "a lease of zero holds");
    wait::until("the lease runs out", || queue.pending(&owner) == 2);
    assert_eq!(
        drain(&queue, &owner, usize::MAX),
        expected,
        "not all at their old places"
    );
}

/// An event that the queue does not know disturbs nothing.
pub fn unknown_events_are_ignored<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let (queue, owner, pushed) = filled(make, 3);
    let unknown = [EventId::ended(TaskId::random())];
    let disturb = || {
        queue.acknowledge(&owner, &unknown);
        queue.release(&owner, &unknown);
        queue.consume(&owner, unknown[0].task());
    };
    disturb();
    assert_eq!(
        queue.pending(&owner),
        3,
        "an unknown event changed what is pending"
    );
    assert_eq!(drain(&queue, &owner, usize::MAX), ids(&pushed));
    disturb();
    assert_eq!(
        queue.pending(&owner),
        0,
        "an unknown event changed what is held"
    );
}

/// An ending that was read elsewhere is not told, whether it was pending or held.
pub fn consumed_is_not_told<Q: NotificationQueue>(make: impl FnOnce() -> Q) {
    let (queue, owner, pushed) = filled(make, 4);
    let expected = ids(&pushed);
    queue.consume(&owner, pushed[1].task_id);
    assert_eq!(
        queue.pending(&owner),
        3,
        "what was read elsewhere is still pending"
    );
    let held = [expected[0], expected[2]];
    assert_eq!(
        drain(&queue, &owner, 2),
        held,
        "what was read elsewhere was told"
    );
    queue.consume(&owner, pushed[2].task_id);
    queue.release(&owner, &held);
    let left = [expected[0], expected[3]];
    assert_eq!(
        drain(&queue, &owner, usize::MAX),
        left,
        "what was read elsewhere was told"
    );
}
