//! The queue does what a plain list would do, whatever the history.

mod common;

use std::time::Duration;

use common::{LONG, ending};
use meanwhile_core::{EventId, NotificationQueue, Owner};
use meanwhile_queue::MemoryQueue;
use proptest::prelude::*;

/// One step. Endings are named by their number in the order of the pushes, so that those that are over
/// already are named too.
#[derive(Debug, Clone)]
enum Step {
    Push,
    Drain { max: usize, lease: Duration },
    Acknowledge(Vec<usize>),
    Release(Vec<usize>),
    Consume(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let max = prop_oneof![2 => 0..5usize, 1 => Just(usize::MAX)];
    // A lease of zero has run out at once: no test has to wait for it.
    let lease = prop_oneof![3 => Just(LONG), 1 => Just(Duration::ZERO)];
    prop_oneof![
        5 => Just(Step::Push),
        4 => (max, lease).prop_map(|(max, lease)| Step::Drain { max, lease }),
        2 => named().prop_map(Step::Acknowledge),
        2 => named().prop_map(Step::Release),
        1 => any_number().prop_map(Step::Consume),
    ]
}

/// Endings that stand together, as a holder names them, or any, in any order.
fn named() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        (any_number(), 1..8usize).prop_map(|(first, count)| (first..first + count).collect()),
        prop::collection::vec(any_number(), 0..6),
    ]
}

fn any_number() -> std::ops::Range<usize> {
    0..30
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Fresh,
    Leased,
    Back,
}

/// The list: endings that are not over, in the order of the pushes.
#[derive(Debug, Default)]
struct Model(Vec<(EventId, Place)>);

impl Model {
    fn pending(&self) -> usize {
        self.0
            .iter()
            .filter(|(_, place)| *place != Place::Leased)
            .count()
    }

    fn drain(&mut self, max: usize, lease: Duration) -> Vec<EventId> {
        let pending = self.0.iter_mut().filter(|(_, p)| *p != Place::Leased);
        let take = |(event, place): &mut (EventId, Place)| {
            *place = if lease.is_zero() {
                Place::Back
            } else {
                Place::Leased
            };
            *event
        };
        pending.take(max).map(take).collect()
    }

    fn acknowledge(&mut self, events: &[EventId]) {
        self.0
            .retain(|(event, place)| *place == Place::Fresh || !events.contains(event));
    }

    fn release(&mut self, events: &[EventId]) {
        for (event, place) in &mut self.0 {
            if *place == Place::Leased && events.contains(event) {
                *place = Place::Back;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_is_a_list(steps in prop::collection::vec(step(), 1..80)) {
        let (queue, owner) = (MemoryQueue::new(), Owner::default());
        let (mut model, mut pushed) = (Model::default(), Vec::new());
        for step in steps {
            let events = |numbers: &[usize]| -> Vec<EventId> {
                numbers.iter().filter_map(|number| pushed.get(*number).copied()).collect()
            };
            match step {
                Step::Push => {
                    let ending = ending(&owner, "true");
                    model.0.push((ending.event_id, Place::Fresh));
                    pushed.push(ending.event_id);
                    queue.push(ending);
                }
                Step::Drain { max, lease } => {
                    let batch = queue.drain(&owner, max, lease);
                    let drained: Vec<EventId> = batch.iter().map(|item| item.event_id).collect();
                    prop_assert_eq!(drained, model.drain(max, lease));
                }
                Step::Acknowledge(numbers) => {
                    queue.acknowledge(&owner, &events(&numbers));
                    model.acknowledge(&events(&numbers));
                }
                Step::Release(numbers) => {
                    queue.release(&owner, &events(&numbers));
                    model.release(&events(&numbers));
                }
                Step::Consume(number) => {
                    for event in events(&[number]) {
                        queue.consume(&owner, event.task());
                        model.0.retain(|(other, _)| *other != event);
                    }
                }
            }
            prop_assert_eq!(queue.pending(&owner), model.pending());
        }
    }
}
