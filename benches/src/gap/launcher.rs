use std::collections::VecDeque;
use std::io;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use smol::Executor;
use smol::future;
use tokio::task::JoinSet;

use crate::runner::{Ours, Program, Runner, spawn};

/// Somebody who launches `/bin/true` on the runtime that calls him.
///
/// A [`Runner`] is called from outside of it, and blocks until there is an end. This one is called by a
/// task that must not.
pub(super) trait Launcher {
    /// Launches one.
    fn launch(&mut self);

    /// How many more are now known to have ended. Does not wait.
    ///
    /// # Panics
    ///
    /// If one failed.
    fn ended(&mut self) -> usize;
}

impl Launcher for Ours {
    fn launch(&mut self) {
        Runner::launch(self, Program::True);
    }

    fn ended(&mut self) -> usize {
        self.drain()
    }
}

/// `tokio::process`, and a task for each child that waits for it.
#[derive(Default)]
pub(super) struct OnTokio {
    children: JoinSet<io::Result<ExitStatus>>,
}

impl Launcher for OnTokio {
    fn launch(&mut self) {
        let mut child = tokio::process::Command::new(Program::True.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is on every system");
        self.children.spawn(async move { child.wait().await });
    }

    fn ended(&mut self) -> usize {
        let mut count = 0;
        while let Some(ended) = self.children.try_join_next() {
            let status = ended.expect("it does not panic");
            demand_success(status);
            count += 1;
        }
        count
    }
}

/// `async-process`, and a task for each child that waits for it. Looks at the oldest first.
pub(super) struct OnSmol {
    executor: Arc<Executor<'static>>,
    children: VecDeque<smol::Task<io::Result<ExitStatus>>>,
}

impl OnSmol {
    pub(super) fn on(executor: &Arc<Executor<'static>>) -> Self {
        Self {
            executor: Arc::clone(executor),
            children: VecDeque::new(),
        }
    }
}

impl Launcher for OnSmol {
    fn launch(&mut self) {
        let mut child = async_process::Command::new(Program::True.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is on every system");
        let wait = async move { child.status().await };
        self.children.push_back(self.executor.spawn(wait));
    }

    fn ended(&mut self) -> usize {
        let mut count = 0;
        while let Some(status) = self.children.front_mut().and_then(now) {
            demand_success(status);
            self.children.pop_front();
            count += 1;
        }
        count
    }
}

/// Bare std, on the thread of the ticker.
#[derive(Default)]
pub(super) struct OnThread {
    children: Children,
}

impl Launcher for OnThread {
    fn launch(&mut self) {
        self.children.0.push_back(spawn(Program::True));
    }

    fn ended(&mut self) -> usize {
        self.children.ended()
    }
}

/// Bare std, on a thread that does nothing else and ends with this.
pub(super) struct OnOther {
    orders: Sender<()>,
    started: Receiver<Child>,
    children: Children,
}

impl OnOther {
    pub(super) fn new() -> Self {
        let (orders, taken) = channel();
        let (hand_back, started) = channel();
        let spawn_all = move || {
            for () in taken {
                // Without the receiver nobody waits for an end.
                let _ = hand_back.send(spawn(Program::True));
            }
        };
        thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(spawn_all)
            .expect("there is room for a thread");
        Self {
            orders,
            started,
            children: Children::default(),
        }
    }
}

impl Launcher for OnOther {
    fn launch(&mut self) {
        self.orders.send(()).expect("the thread waits for orders");
    }

    fn ended(&mut self) -> usize {
        self.children.0.extend(self.started.try_iter());
        self.children.ended()
    }
}

/// Who is not known to have ended.
#[derive(Default)]
struct Children(VecDeque<Child>);

impl Children {
    /// How many more have. Looks at the oldest first.
    fn ended(&mut self) -> usize {
        let mut count = 0;
        let now = |child: &mut Child| child.try_wait().transpose();
        while let Some(status) = self.0.front_mut().and_then(now) {
            demand_success(status);
            self.0.pop_front();
            count += 1;
        }
        count
    }
}

fn demand_success(status: io::Result<ExitStatus>) {
    let status = status.expect("nobody else waits for this child");
    assert!(status.success(), "it must end by itself");
}

/// What `task` came to, if it is done.
fn now<T>(task: &mut smol::Task<T>) -> Option<T> {
    future::block_on(future::poll_once(task))
}
