//! Waiting on a plain thread.

use std::time::{Duration, Instant};

use event_listener::{EventListener, Listener};

/// The end of a bounded wait. A bound beyond the end of the clock is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(bound: Duration) -> Self {
        Self(Instant::now().checked_add(bound))
    }

    /// Blocks until the listener is notified, or gives up at the deadline and says `false`.
    pub(crate) fn wait(self, listener: EventListener) -> bool {
        match self.0 {
            Some(deadline) => listener.wait_deadline(deadline).is_some(),
            None => {
                listener.wait();
                true
            }
        }
    }
}
