//! A full queue takes every ending, and only so much of each.

mod common;

use common::{LONG, ending};
use meanwhile_core::{Ending, Exit, Notification, NotificationQueue, Owner, TaskId};
use meanwhile_queue::MemoryQueue;

const CAPACITY: usize = 3;

fn wordy(owner: &Owner) -> Notification {
    ending(owner, &"ö".repeat(1000)).described(Some("what it is for"))
}

fn is_whole(ending: &Notification) -> bool {
    ending.command.chars().count() == 1000 && ending.description.is_some()
}

#[test]
fn a_full_queue_shortens_what_comes_and_drops_nothing() {
    let (queue, owner) = (MemoryQueue::with_capacity(CAPACITY), Owner::default());
    let pushed: Vec<Notification> = (0..10).map(|_| wordy(&owner)).collect();
    for ending in &pushed {
        queue.push(ending.clone());
    }
    let batch = queue.drain(&owner, usize::MAX, LONG);
    assert_eq!(batch[..CAPACITY], pushed[..CAPACITY]);
    for (kept, pushed) in batch.iter().zip(&pushed).skip(CAPACITY) {
        assert_eq!(kept.event_id, pushed.event_id);
        assert_eq!(kept.exit, pushed.exit);
        assert_eq!(*kept.command, *format!("{}…", "ö".repeat(80)));
        assert_eq!(kept.description, None);
    }
    assert_eq!(batch.len(), pushed.len());
}

#[test]
fn a_full_queue_shortens_the_reason_of_a_failed_start() {
    let (queue, owner) = (MemoryQueue::with_capacity(0), Owner::default());
    let reason = "no such program: ".to_owned() + &"n".repeat(1000);
    let exit = Exit::new(Ending::failed_to_start(reason, Some(2)));
    queue.push(Notification::ended(
        TaskId::random(),
        owner.clone(),
        "nmp",
        exit,
    ));
    let kept = &queue.drain(&owner, usize::MAX, LONG)[0];
    let status = format!("{:?}", kept.exit.status);
    assert!(status.contains("no such program: nnn") && status.contains("Some(2)"));
    assert!(status.len() < 200, "{status}");
}

#[test]
fn what_is_on_lease_takes_room_until_it_is_acknowledged() {
    let (queue, owner) = (MemoryQueue::with_capacity(1), Owner::default());
    let push_and_drain = || {
        queue.push(wordy(&owner));
        queue.drain(&owner, usize::MAX, LONG)
    };
    let first = push_and_drain();
    assert!(is_whole(&first[0]));
    let second = push_and_drain();
    assert!(!is_whole(&second[0]));
    queue.acknowledge(&owner, &[first[0].event_id, second[0].event_id]);
    assert!(is_whole(&push_and_drain()[0]));
}

#[test]
fn one_owner_does_not_take_the_room_of_another() {
    let queue = MemoryQueue::with_capacity(1);
    for owner in ["one", "the other"].map(Owner::new) {
        queue.push(wordy(&owner));
        assert!(is_whole(&queue.drain(&owner, usize::MAX, LONG)[0]));
    }
}
