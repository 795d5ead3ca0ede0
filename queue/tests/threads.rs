//! Many threads at once.

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, ending};
use meanwhile_core::{EventId, Inbox, Notification, NotificationQueue, Owner};
use meanwhile_queue::MemoryQueue;

const PRODUCERS: usize = 4;
const DRAINERS: u64 = 2;
const EACH: usize = 5000;

#[test]
fn every_ending_is_acknowledged_once_and_each_batch_is_in_order() {
    let queue = Arc::new(MemoryQueue::new());
    let inbox = Inbox::new(queue.clone(), Owner::default()).with_lease(LONG);
    let acknowledged = Mutex::new(HashSet::new());
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (queue, owner) = (&queue, inbox.owner());
            scope.spawn(move || {
                for number in 0..EACH {
                    queue.push(ending(owner, &format!("{producer} {number}")));
                }
            });
        }
        for seed in 1..=DRAINERS {
            let (inbox, acknowledged) = (&inbox, &acknowledged);
            scope.spawn(move || drain_until_all_are_acknowledged(inbox, acknowledged, seed));
        }
    });
    assert_eq!(inbox.pending(), 0);
}

fn drain_until_all_are_acknowledged(
    inbox: &Inbox,
    acknowledged: &Mutex<HashSet<EventId>>,
    seed: u64,
) {
    let mut random = Random(seed);
    let give_up_at = Instant::now() + Duration::from_secs(120);
    while locked(acknowledged).len() < PRODUCERS * EACH {
        assert!(Instant::now() < give_up_at, "some endings never came");
        let drained = match random.below(3) {
            0 => inbox.drain_up_to(random.below(50)),
            _ => inbox.drain(),
        };
        assert_in_order(&drained);
        let handed_over = match random.below(4) {
            0 => 0,
            1 => random.below(drained.len() + 1),
            _ => drained.len(),
        };
        // Before the acknowledgement: nobody else may have them while they are on lease.
        for item in &drained[..handed_over] {
            let is_first = locked(acknowledged).insert(item.event_id);
            assert!(is_first, "told twice: {item:?}");
        }
        drained.acknowledge_first(handed_over);
        thread::yield_now();
    }
}

fn assert_in_order(batch: &[Notification]) {
    let mut last = HashMap::new();
    for item in batch {
        let (producer, number) = item.command.split_once(' ').expect("two words");
        let number: usize = number.parse().expect("a number");
        if let Some(before) = last.insert(producer.to_owned(), number) {
            assert!(before < number, "{number} after {before} of {producer}");
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no other thread failed")
}

/// Enough chance for a test: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
