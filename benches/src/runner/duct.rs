use std::collections::VecDeque;

use duct::Handle;

use super::{Program, Runner};

/// `duct`. It waits for the oldest child first.
#[derive(Debug, Default)]
pub(super) struct Duct {
    children: VecDeque<Handle>,
    sleepers: Vec<Handle>,
}

impl Runner for Duct {
    fn launch(&mut self, program: Program) {
        let child = duct::cmd(program.path(), program.args())
            .stdin_null()
            .stdout_null()
            .stderr_null()
            .unchecked()
            .start()
            .expect("the program is on every system");
        match program {
            Program::True => self.children.push_back(child),
            Program::Sleep => self.sleepers.push(child),
        }
    }

    fn ended(&mut self) -> usize {
        if let Some(child) = self.children.pop_front() {
            let output = child.wait().expect("it can be waited for");
            assert!(output.status.success(), "it must end by itself");
            return 1;
        }
        0
    }

    fn stop_all(&mut self) {
        for child in &self.sleepers {
            child.kill().expect("a child of ours may be killed");
        }
        for child in self.sleepers.drain(..) {
            child.wait().expect("nobody else waits for this child");
        }
    }
}
