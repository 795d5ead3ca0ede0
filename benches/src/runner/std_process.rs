use std::collections::VecDeque;
use std::process::{Child, Command, Stdio};

use super::{Program, Runner};

/// `std::process`, with nothing around it. It waits for the oldest child first.
#[derive(Debug, Default)]
pub(crate) struct StdProcess {
    children: VecDeque<Child>,
    sleepers: Vec<Child>,
}

impl Runner for StdProcess {
    fn launch(&mut self, program: Program) {
        match program {
            Program::True => self.children.push_back(spawn(program)),
            Program::Sleep => self.sleepers.push(spawn(program)),
        }
    }

    fn ended(&mut self) -> usize {
        if let Some(mut child) = self.children.pop_front() {
            let status = child.wait().expect("nobody else waits for this child");
            assert!(status.success(), "it must end by itself");
            return 1;
        }
        0
    }

    fn stop_all(&mut self) {
        for child in &mut self.sleepers {
            child.kill().expect("a child of ours may be killed");
        }
        for mut child in self.sleepers.drain(..) {
            child.wait().expect("nobody else waits for this child");
        }
    }
}

/// Starts `program` with no input and no output.
///
/// # Panics
///
/// If it cannot be started.
pub(crate) fn spawn(program: Program) -> Child {
    Command::new(program.path())
        .args(program.args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program is on every system")
}
