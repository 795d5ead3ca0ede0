//! Calls that are not answered yet.

use std::cell::Cell;
use std::rc::Rc;

use meanwhile_core::WakeUp;

/// Counts calls, and wakes whoever waits for the last answer.
#[derive(Debug, Default)]
pub(super) struct Outstanding(Rc<Count>);

#[derive(Debug, Default)]
struct Count {
    calls: Cell<usize>,
    none_left: WakeUp,
}

/// One call; dropped when it is answered.
#[derive(Debug)]
pub(super) struct Call(Rc<Count>);

impl Outstanding {
    pub(super) fn add(&self) -> Call {
        self.0.calls.set(self.0.calls.get() + 1);
        Call(Rc::clone(&self.0))
    }

    pub(super) async fn all_answered(&self) {
        while self.0.calls.get() > 0 {
            // Nothing else runs on this thread between the look and the listening.
            self.0.none_left.listen().await;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.calls.set(self.0.calls.get() - 1);
        if self.0.calls.get() == 0 {
            self.0.none_left.notify(usize::MAX);
        }
    }
}
