//! Whoever waits is woken, and finds what it was woken for.

mod common;

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{LONG, drain_all, ending};
use meanwhile_core::{EventListener, Inbox, NotificationQueue, Owner};
use meanwhile_queue::MemoryQueue;

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// More owners than are kept when they are idle.
fn let_many_others_come_and_go(queue: &MemoryQueue) {
    for n in 0..1000 {
        let owner = Owner::new(format!("session {n}"));
        queue.push(ending(&owner, "true"));
        let batch = queue.drain(&owner, usize::MAX, LONG);
        queue.acknowledge(&owner, &[batch[0].event_id]);
    }
}

#[test]
fn a_push_wakes_everybody_who_waits() {
    let queue = Arc::new(MemoryQueue::new());
    let inbox = Inbox::new(queue.clone(), Owner::default());
    thread::scope(|scope| {
        let wait = || scope.spawn(|| inbox.wait_timeout(PATIENCE));
        let waiters: Vec<_> = (0..8).map(|_| wait()).collect();
        queue.push(ending(inbox.owner(), "true"));
        for waiter in waiters {
            assert!(waiter.join().unwrap(), "somebody was not woken");
        }
    });
}

#[test]
fn a_listener_hears_of_the_push_that_follows() {
    let (queue, owner) = (MemoryQueue::new(), Owner::default());
    let listeners: Vec<_> = (0..3).map(|_| queue.listen(&owner)).collect();
    queue.push(ending(&owner, "true"));
    for listener in listeners {
        assert!(is_notified(pin!(listener), Waker::noop()));
    }
}

#[test]
fn a_push_does_not_return_while_another_one_still_wakes() {
    let (queue, owner) = (MemoryQueue::new(), Owner::default());
    let (slow, begun, go_on) = Slow::new();
    let woken = Arc::new(Woken::default());
    let mut first = pin!(queue.listen(&owner));
    let mut second = pin!(queue.listen(&owner));
    assert!(!is_notified(first.as_mut(), &Waker::from(slow)));
    assert!(!is_notified(second.as_mut(), &Waker::from(woken.clone())));
    thread::scope(|scope| {
        scope.spawn(|| queue.push(ending(&owner, "a")));
        begun.recv_timeout(PATIENCE).expect("nobody is woken");
        queue.push(ending(&owner, "b"));
        let is_woken = woken.0.load(Ordering::Acquire);
        // If it is, the slow one has gone on by itself.
        let _ = go_on.send(());
        assert!(is_woken, "the second listener sleeps on");
    });
}

#[test]
fn nobody_sleeps_through_the_pushes_of_many() {
    let queue = Arc::new(MemoryQueue::new());
    let inbox = Inbox::new(queue.clone(), Owner::default());
    let (pushers, each) = (4, 5000);
    thread::scope(|scope| {
        for _ in 0..pushers {
            scope.spawn(|| (0..each).for_each(|_| queue.push(ending(inbox.owner(), "true"))));
        }
        let mut told = 0;
        while told < pushers * each {
            assert!(inbox.wait_timeout(PATIENCE), "a push woke nobody");
            let drained = inbox.drain();
            told += drained.len();
            drained.acknowledge();
        }
    });
    assert_eq!(inbox.pending(), 0);
}

#[test]
fn what_is_given_back_wakes() {
    let (queue, owner) = (MemoryQueue::new(), Owner::default());
    queue.push(ending(&owner, "true"));
    let batch = queue.drain(&owner, usize::MAX, LONG);
    let listener = queue.listen(&owner);
    queue.release(&owner, &[batch[0].event_id]);
    assert!(is_notified(pin!(listener), Waker::noop()));
}

#[test]
fn two_threads_hand_a_ball_to_each_other_without_missing_it() {
    let queue = Arc::new(MemoryQueue::new());
    let [ping, pong] = ["ping", "pong"].map(|name| Inbox::new(queue.clone(), Owner::new(name)));
    let play = |mine: &Inbox, theirs: &Inbox| {
        for _ in 0..2000 {
            assert!(mine.wait_timeout(PATIENCE), "the ball got lost");
            mine.drain().acknowledge();
            queue.push(ending(theirs.owner(), "ball"));
        }
    };
    queue.push(ending(ping.owner(), "ball"));
    thread::scope(|scope| {
        scope.spawn(|| play(&ping, &pong));
        scope.spawn(|| play(&pong, &ping));
    });
    assert_eq!((ping.pending(), pong.pending()), (1, 0));
}

#[test]
fn a_listener_is_not_forgotten_while_others_come_and_go() {
    let (queue, owner) = (MemoryQueue::new(), Owner::default());
    let listener = queue.listen(&owner);
    let_many_others_come_and_go(&queue);
    queue.push(ending(&owner, "true"));
    assert!(is_notified(pin!(listener), Waker::noop()));
}

#[test]
fn an_ending_is_not_forgotten_while_others_come_and_go() {
    let queue = MemoryQueue::new();
    let [waiting, leased] = ["waiting", "on lease"].map(Owner::new);
    queue.push(ending(&waiting, "a"));
    queue.push(ending(&leased, "b"));
    let batch = queue.drain(&leased, usize::MAX, LONG);
    let_many_others_come_and_go(&queue);
    queue.release(&leased, &[batch[0].event_id]);
    assert_eq!(drain_all(&queue, &waiting), ["a"]);
    assert_eq!(drain_all(&queue, &leased), ["b"]);
}

fn is_notified(listener: Pin<&mut EventListener>, waker: &Waker) -> bool {
    listener.poll(&mut Context::from_waker(waker)).is_ready()
}

/// A waker that keeps in mind that it was called.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// A waker that says when it begins, and then waits until it may go on, for a moment.
struct Slow {
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Slow {
    fn new() -> (Arc<Self>, Receiver<()>, Sender<()>) {
        let (begun, has_begun) = channel();
        let (may_go_on, go_on) = channel();
        let go_on = Mutex::new(go_on);
        (Arc::new(Self { begun, go_on }), has_begun, may_go_on)
    }
}

impl Wake for Slow {
    fn wake(self: Arc<Self>) {
        let _ = self.begun.send(());
        let go_on = self.go_on.lock().expect("nobody else locks it");
        let _ = go_on.recv_timeout(Duration::from_millis(100));
    }
}
