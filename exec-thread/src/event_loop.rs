//! The one thread that waits for all tasks.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use meanwhile_core::Event;
use meanwhile_process::{LOOK_AGAIN, Leader, LeaderExit, Poller, Ready, Running};

use crate::jobs::JobThread;
use crate::lock;

/// The loop, as its backends see it. Clones are the same loop; with the last one, and the last task, the
/// thread ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventLoop(Arc<LastHandle>);

#[derive(Debug, Default)]
struct LastHandle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    next_key: AtomicU64,
    jobs: JobThread,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<(u64, Message)>,
    /// The loop is about to take the messages: it was woken for one of them.
    woken: bool,
    /// There while the thread is.
    poller: Option<Arc<Poller>>,
    ownerless: bool,
}

#[derive(Debug)]
enum Message {
    Supervise(Box<Running>, LeaderExit, Arc<Mailbox>),
    /// There is no descriptor to watch the leader by, or no room in the poller: the clock must do it.
    WatchByClock,
    Event(Event),
}

/// The way to the loop for one task.
#[derive(Debug)]
pub(crate) struct Mailbox {
    key: u64,
    shared: Arc<Shared>,
    /// What was posted before the loop knew the task; `None` from then on.
    early: Mutex<Option<Vec<Event>>>,
}

impl EventLoop {
    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        let shared = Arc::clone(&self.0.0);
        let key = shared.next_key.fetch_add(1, Ordering::Relaxed);
        Arc::new(Mailbox {
            key,
            shared,
            early: Mutex::new(Some(Vec::new())),
        })
    }
}

impl Drop for LastHandle {
    fn drop(&mut self) {
        let poller = {
            let mut state = self.0.lock();
            state.ownerless = true;
            state.poller.clone()
        };
        if let Some(poller) = poller {
            poller.wake();
        }
    }
}

impl Mailbox {
    pub(crate) fn post(&self, event: Event) {
        {
            let mut early = lock(&self.early);
            if let Some(early) = &mut *early {
                early.push(event);
                return;
            }
        }
        self.shared.send([(self.key, Message::Event(event))]).wake();
    }

    /// Hands a task that was started to the loop. If no thread is to be had for the loop, the task is
    /// dropped, and by that killed and told.
    pub(crate) fn supervise(self: &Arc<Self>, task: Running, exit: LeaderExit) {
        if self.shared.ensure_thread().is_err() {
            return;
        }
        let leader = match &exit {
            LeaderExit::Process(leader) => Some(Arc::clone(leader)),
            _ => None,
        };
        // A task that only waits for its leader does not wake the loop: the leader's end will.
        let is_due = leader.is_none() || task.timer().is_some();
        let supervise = Message::Supervise(Box::new(task), exit, Arc::clone(self));
        // Held until the loop has the task, so that nothing overtakes what was early.
        let mut early = lock(&self.early);
        let events = early.take().unwrap_or_default();
        let is_due = is_due || !events.is_empty();
        let messages = std::iter::once(supervise).chain(events.into_iter().map(Message::Event));
        let sent = self
            .shared
            .send(messages.map(|message| (self.key, message)));
        drop(early);
        if is_due {
            sent.wake();
        }
        // After it was sent: whoever the poller tells of, the loop has heard of.
        if let Some(leader) = leader
            && !self.shared.watch(self.key, &leader)
        {
            self.shared.send([(self.key, Message::WatchByClock)]).wake();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn send(&self, messages: impl IntoIterator<Item = (u64, Message)>) -> Sent<'_> {
        self.lock().messages.extend(messages);
        Sent(self)
    }

    /// Has the end of `leader` told to the loop. Says whether it could be arranged.
    fn watch(&self, key: u64, leader: &Leader) -> bool {
        let poller = self.lock().poller.clone();
        match (poller, leader.exit_descriptor()) {
            (Some(poller), Some(descriptor)) => poller.add(descriptor, key).is_ok(),
            _ => false,
        }
    }

    fn ensure_thread(self: &Arc<Self>) -> io::Result<()> {
        let mut state = self.lock();
        if state.poller.is_none() {
            let poller = Arc::new(Poller::new()?);
            let (shared, its_poller) = (Arc::clone(self), Arc::clone(&poller));
            // The loop is made on its thread: where no thread is to be had, it would be dropped with the state locked.
            let run = move || {
                Loop {
                    shared,
                    poller: its_poller,
                    tasks: HashMap::new(),
                    timers: BinaryHeap::new(),
                }
                .run();
            };
            thread::Builder::new()
                .name("meanwhile-wait".to_owned())
                .spawn(run)?;
            // A loop that was ended by a panic may have been woken, and not have seen why.
            state.woken = !state.messages.is_empty();
            if state.woken {
                poller.wake();
            }
            state.poller = Some(poller);
        }
        Ok(())
    }
}

/// Messages that the loop takes when it is next awake.
#[must_use = "unless something else will wake the loop"]
struct Sent<'a>(&'a Shared);

impl Sent<'_> {
    fn wake(self) {
        let poller = {
            let mut state = self.0.lock();
            // One wake-up serves all messages until the loop takes them.
            let was_woken = std::mem::replace(&mut state.woken, true);
            state.poller.clone().filter(|_| !was_woken)
        };
        if let Some(poller) = poller {
            poller.wake();
        }
    }
}

/// What the thread has.
struct Loop {
    shared: Arc<Shared>,
    poller: Arc<Poller>,
    tasks: HashMap<u64, Supervised>,
    /// May hold times that were overtaken; a tick too many changes nothing.
    timers: BinaryHeap<Reverse<(Instant, u64)>>,
}

impl Drop for Loop {
    fn drop(&mut self) {
        // However the thread ended: the next task starts another. One that was over gave its poller up before, and may
        // have a successor by now, whose own is left alone.
        let poller = &mut self.shared.lock().poller;
        poller.take_if(|poller| Arc::ptr_eq(poller, &self.poller));
    }
}

struct Supervised {
    task: Box<Running>,
    /// There while it is waited for.
    leader: Option<(Arc<Leader>, Wait)>,
    armed: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Poller,
    /// No descriptor, or no room in the poller: the clock does it.
    Clock,
}

impl Loop {
    fn run(mut self) {
        let mut ready = Vec::new();
        while !self.is_over() {
            let deadline = self.timers.peek().map(|Reverse((at, _))| *at);
            self.poller
                .wait(deadline, &mut ready)
                .expect("waiting on descriptors that the loop itself keeps open does not fail");
            // After the wait: whoever is ready was sent before.
            for (key, message) in self.messages() {
                self.take_in(key, message);
            }
            for ready in ready.drain(..) {
                if let Ready::Key(key) = ready {
                    self.look_at(key);
                }
            }
            self.tick();
        }
    }

    /// Whether nobody needs the loop any more.
    fn is_over(&self) -> bool {
        let mut state = self.shared.lock();
        let is_over = state.messages.is_empty() && self.tasks.is_empty() && state.ownerless;
        if is_over {
            // Within the lock: a task that comes now finds no thread, and starts one.
            state.poller = None;
        }
        is_over
    }

    /// What was sent since.
    fn messages(&self) -> Vec<(u64, Message)> {
        let mut state = self.shared.lock();
        state.woken = false;
        std::mem::take(&mut state.messages)
    }

    fn take_in(&mut self, key: u64, message: Message) {
        match message {
            Message::Supervise(task, exit, mailbox) => {
                let leader = match exit {
                    LeaderExit::Process(leader) => Some((leader, Wait::Poller)),
                    LeaderExit::Job(job) => {
                        self.shared
                            .jobs
                            .run(job, move |status| mailbox.post(Event::Exited(status)));
                        None
                    }
                    // There is no other kind. Dropped, and by that killed and told.
                    _ => return,
                };
                self.tasks.insert(
                    key,
                    Supervised {
                        task,
                        leader,
                        armed: None,
                    },
                );
                self.arm(key);
            }
            Message::WatchByClock => {
                if let Some(supervised) = self.tasks.get_mut(&key)
                    && let Some((_, wait)) = &mut supervised.leader
                {
                    *wait = Wait::Clock;
                    self.arm(key);
                }
            }
            Message::Event(event) => self.pass_on(key, event),
        }
    }

    fn pass_on(&mut self, key: u64, event: Event) {
        // An event for a task that is over comes too late and means nothing.
        let Some(supervised) = self.tasks.get_mut(&key) else {
            return;
        };
        let task = &mut supervised.task;
        if catch_unwind(AssertUnwindSafe(|| task.on(event))).is_ok() {
            self.arm(key);
        } else {
            // A panic costs the task that it met, which is killed and told by its drop, and no other.
            self.tasks.remove(&key);
        }
    }

    fn look_at(&mut self, key: u64) {
        let Some(supervised) = self.tasks.get_mut(&key) else {
            return;
        };
        let status = supervised
            .leader
            .as_ref()
            .and_then(|(leader, _)| leader.status());
        if let Some(status) = status {
            supervised.leader = None;
            self.pass_on(key, Event::Exited(status));
        } else if let Some((_, wait @ Wait::Poller)) = &mut supervised.leader {
            // Too early: kqueue may tell before there is a status, and the poller tells once.
            *wait = Wait::Clock;
            self.arm(key);
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, key))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            let Some(supervised) = self.tasks.get_mut(&key) else {
                continue;
            };
            supervised.armed = None;
            if matches!(supervised.leader, Some((_, Wait::Clock))) {
                self.look_at(key);
            }
            self.pass_on(key, Event::Tick);
        }
    }

    /// Sets the timer that the task wants now, and forgets the task if it is over.
    fn arm(&mut self, key: u64) {
        let Some(supervised) = self.tasks.get_mut(&key) else {
            return;
        };
        if supervised.task.is_over() {
            self.tasks.remove(&key);
            return;
        }
        let wanted = match (supervised.task.timer(), &supervised.leader) {
            (timer, Some((_, Wait::Clock))) => {
                let look = Instant::now() + LOOK_AGAIN;
                Some(timer.map_or(look, |timer| timer.min(look)))
            }
            (timer, _) => timer,
        };
        if let Some(at) = wanted
            && supervised.armed.is_none_or(|armed| at < armed)
        {
            supervised.armed = Some(at);
            self.timers.push(Reverse((at, key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loop that is known, with no tasks.
    fn known(shared: &Arc<Shared>) -> Loop {
        let poller = Arc::new(Poller::new().unwrap());
        shared.lock().poller = Some(Arc::clone(&poller));
        Loop {
            shared: Arc::clone(shared),
            poller,
            tasks: HashMap::new(),
            timers: BinaryHeap::new(),
        }
    }

    #[test]
    fn a_loop_that_is_over_leaves_its_successor_alone() {
        let shared = Arc::default();
        let over = known(&shared);
        shared.lock().ownerless = true;
        assert!(over.is_over());
        assert!(
            shared.lock().poller.is_none(),
            "the next task starts a thread"
        );
        let successor = known(&shared);
        drop(over);
        let left = shared.lock().poller.clone();
        assert!(left.is_some_and(|left| Arc::ptr_eq(&left, &successor.poller)));
    }

    #[test]
    fn a_loop_that_did_not_end_by_itself_is_known_to_be_gone() {
        let shared = Arc::default();
        drop(known(&shared));
        assert!(shared.lock().poller.is_none());
    }
}
