//! In order, at least once, and not again once acknowledged.

mod common;

use std::time::{Duration, Instant};

use common::{LONG, commands, drain_all, ending, push_all};
use meanwhile_core::{EventId, NotificationQueue, Owner, TaskId};
use meanwhile_queue::MemoryQueue;

fn queue_of(names: &[&str]) -> (MemoryQueue, Owner, Vec<EventId>) {
    let (queue, owner) = (MemoryQueue::new(), Owner::default());
    let events = push_all(&queue, &owner, names);
    (queue, owner, events)
}

#[test]
fn a_drain_takes_all_that_is_pending_in_the_order_of_the_pushes() {
    let (queue, owner, events) = queue_of(&["a", "b", "c"]);
    let batch = queue.drain(&owner, usize::MAX, LONG);
    assert_eq!(commands(&batch), ["a", "b", "c"]);
    let drained: Vec<EventId> = batch.iter().map(|item| item.event_id).collect();
    assert_eq!(drained, events);
}

#[test]
fn a_drain_takes_the_first_n() {
    let (queue, owner, _) = queue_of(&["a", "b", "c", "d"]);
    assert_eq!(commands(&queue.drain(&owner, 2, LONG)), ["a", "b"]);
    assert!(queue.drain(&owner, 0, LONG).is_empty());
    assert_eq!(queue.pending(&owner), 2);
    assert_eq!(drain_all(&queue, &owner), ["c", "d"]);
}

#[test]
fn an_owner_drains_its_own_endings_alone() {
    let (queue, one, other) = (
        MemoryQueue::new(),
        Owner::new("one"),
        Owner::new("the other"),
    );
    push_all(&queue, &one, &["a"]);
    push_all(&queue, &other, &["b"]);
    push_all(&queue, &one, &["c"]);
    assert_eq!(drain_all(&queue, &one), ["a", "c"]);
    assert_eq!(drain_all(&queue, &other), ["b"]);
    assert!(drain_all(&queue, &Owner::new("a stranger")).is_empty());
}

#[test]
fn what_is_on_lease_is_not_drained_again() {
    let (queue, owner, _) = queue_of(&["a"]);
    assert_eq!(drain_all(&queue, &owner), ["a"]);
    push_all(&queue, &owner, &["b"]);
    assert_eq!(queue.pending(&owner), 1);
    assert_eq!(drain_all(&queue, &owner), ["b"]);
}

#[test]
fn what_was_given_back_comes_again_before_later_ones_under_its_old_id() {
    let (queue, owner, events) = queue_of(&["a", "b"]);
    drain_all(&queue, &owner);
    push_all(&queue, &owner, &["c"]);
    queue.release(&owner, &events);
    assert_eq!(queue.pending(&owner), 3);
    let batch = queue.drain(&owner, usize::MAX, LONG);
    assert_eq!(commands(&batch), ["a", "b", "c"]);
    assert_eq!(batch[0].event_id, events[0]);
}

#[test]
fn batches_given_back_out_of_order_are_drained_in_order() {
    let (queue, owner, events) = queue_of(&["a", "b", "c", "d", "e", "f"]);
    queue.drain(&owner, 2, LONG);
    queue.drain(&owner, 2, LONG);
    queue.drain(&owner, 2, LONG);
    queue.release(&owner, &events[0..1]);
    queue.release(&owner, &events[4..6]);
    // One batch made up of both ends; the middle is still away.
    assert_eq!(drain_all(&queue, &owner), ["a", "e", "f"]);
    queue.release(&owner, &[events[5], events[3], events[0], events[2]]);
    assert_eq!(drain_all(&queue, &owner), ["a", "c", "d", "f"]);
}

#[test]
fn what_was_given_back_can_be_drained_in_parts() {
    let (queue, owner, events) = queue_of(&["a", "b", "c"]);
    drain_all(&queue, &owner);
    queue.release(&owner, &events);
    push_all(&queue, &owner, &["d"]);
    assert_eq!(commands(&queue.drain(&owner, 2, LONG)), ["a", "b"]);
    assert_eq!(commands(&queue.drain(&owner, 2, LONG)), ["c", "d"]);
}

#[test]
fn a_lease_that_ran_out_gives_back() {
    let (queue, owner, events) = queue_of(&["a"]);
    queue.drain(&owner, usize::MAX, Duration::from_millis(1));
    push_all(&queue, &owner, &["b"]);
    let give_up_at = Instant::now() + Duration::from_secs(30);
    while queue.pending(&owner) < 2 {
        assert!(Instant::now() < give_up_at, "the lease never ran out");
        std::thread::yield_now();
    }
    let batch = queue.drain(&owner, usize::MAX, LONG);
    assert_eq!(commands(&batch), ["a", "b"]);
    assert_eq!(batch[0].event_id, events[0]);
}

#[test]
fn a_lease_beyond_the_end_of_the_clock_does_not_run_out() {
    let (queue, owner, _) = queue_of(&["a"]);
    queue.drain(&owner, usize::MAX, Duration::MAX);
    assert_eq!(queue.pending(&owner), 0);
}

#[test]
fn what_was_acknowledged_does_not_come_back() {
    let (queue, owner, events) = queue_of(&["a", "b"]);
    drain_all(&queue, &owner);
    queue.acknowledge(&owner, &events);
    queue.release(&owner, &events);
    assert_eq!(queue.pending(&owner), 0);
}

#[test]
fn a_part_of_a_batch_can_be_acknowledged_in_any_order() {
    let (queue, owner, events) = queue_of(&["a", "b", "c", "d", "e"]);
    drain_all(&queue, &owner);
    queue.acknowledge(&owner, &[events[3], events[1]]);
    queue.release(&owner, &events);
    assert_eq!(drain_all(&queue, &owner), ["a", "c", "e"]);
}

#[test]
fn acknowledged_after_its_lease_ran_out_it_is_not_told_again() {
    let (queue, owner, events) = queue_of(&["a"]);
    queue.drain(&owner, usize::MAX, Duration::ZERO);
    assert_eq!(queue.pending(&owner), 1);
    queue.acknowledge(&owner, &events);
    assert_eq!(queue.pending(&owner), 0);
}

#[test]
fn acknowledged_by_the_first_holder_it_is_over_for_the_second() {
    let (queue, owner, events) = queue_of(&["a"]);
    queue.drain(&owner, usize::MAX, Duration::ZERO);
    assert_eq!(drain_all(&queue, &owner), ["a"]);
    queue.acknowledge(&owner, &events);
    queue.release(&owner, &events);
    assert_eq!(queue.pending(&owner), 0);
}

#[test]
fn a_result_read_elsewhere_is_not_told() {
    let (queue, owner, events) = queue_of(&["a", "b", "c"]);
    queue.consume(&owner, events[1].task());
    assert_eq!(drain_all(&queue, &owner), ["a", "c"]);
}

#[test]
fn a_result_read_elsewhere_does_not_come_back_from_a_lease() {
    let (queue, owner, events) = queue_of(&["a", "b", "c"]);
    drain_all(&queue, &owner);
    queue.consume(&owner, events[1].task());
    queue.release(&owner, &events);
    queue.consume(&owner, events[2].task());
    assert_eq!(drain_all(&queue, &owner), ["a"]);
}

#[test]
fn what_the_queue_does_not_know_is_ignored() {
    let (queue, owner, _) = queue_of(&["a"]);
    let unknown = EventId::ended(TaskId::random());
    for owner in [&owner, &Owner::new("a stranger")] {
        queue.acknowledge(owner, &[unknown]);
        queue.release(owner, &[unknown]);
        queue.consume(owner, unknown.task());
    }
    assert_eq!(drain_all(&queue, &owner), ["a"]);
}

#[test]
fn what_was_never_drained_cannot_be_acknowledged() {
    let (queue, owner, events) = queue_of(&["a"]);
    queue.acknowledge(&owner, &events);
    assert_eq!(queue.pending(&owner), 1);
}

#[test]
fn a_drained_batch_stays_as_it_was_handed_out() {
    let (queue, owner, events) = queue_of(&["a", "b"]);
    let batch = queue.drain(&owner, usize::MAX, Duration::ZERO);
    queue.acknowledge(&owner, &events[..1]);
    queue.push(ending(&owner, "c"));
    assert_eq!(drain_all(&queue, &owner), ["b", "c"]);
    assert_eq!(commands(&batch), ["a", "b"]);
}
