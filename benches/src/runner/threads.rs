use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::{Program, Runner};

/// A thread for each child, in `Command::output`: what tutorials do. Nobody can stop such a child.
#[derive(Debug)]
pub(super) struct Threads {
    ended: (Sender<Output>, Receiver<Output>),
}

impl Threads {
    /// With no threads.
    pub(super) fn new() -> Self {
        Self { ended: channel() }
    }
}

impl Runner for Threads {
    fn launch(&mut self, program: Program) {
        let ended = self.ended.0.clone();
        thread::spawn(move || {
            let output = Command::new(program.path())
                .args(program.args())
                .stdin(Stdio::null())
                .output()
                .expect("the program is on every system");
            // The receiver lives as long as the runner; without it nobody asks.
            let _ = ended.send(output);
        });
    }

    fn ended(&mut self) -> usize {
        let output = self.ended.1.recv().expect("this holds a sender");
        assert!(output.status.success(), "it must end by itself");
        1
    }

    fn room(&self) -> usize {
        0
    }

    fn stop_all(&mut self) {
        unreachable!("`Command::output` keeps the child to itself");
    }
}
