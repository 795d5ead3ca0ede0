//! What a program does for the store while it owns tasks in it.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use meanwhile_core::{Lifecycle, Tasks};
use meanwhile_queue::Store;

use crate::error::Error;
use crate::state::KEPT;
use crate::stdio::complain;

/// How long the disk may take at the end.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Tasks that are recorded in `store`, and that other programs can stop through it.
pub(crate) fn tasks(lifecycle: impl Lifecycle, store: &Store) -> Result<Tasks, Error> {
    let tasks = Tasks::new(lifecycle, store.clone());
    store.serve(&tasks)?;
    Ok(tasks)
}

/// Ends the tasks of dead programs and forgets what is old, on a thread that ends with this work or with the process.
///
/// It is begun when nobody waits any more. What fails or is cut short is left to whoever opens the store next.
pub(crate) fn recover(store: &Store) -> Recovery {
    let store = store.clone();
    let recover = move || {
        let _ = store.recover();
        let _ = store.forget(KEPT);
    };
    Recovery(
        thread::Builder::new()
            .name("recovery".to_owned())
            .spawn(recover)
            .ok(),
    )
}

/// Has what ended and what was told written down, or else it is told again.
pub(crate) fn settle(store: &Store) {
    if let Err(error) = store.sync(LAST_WRITES) {
        complain(error);
    }
}

/// The thread that recovers.
#[derive(Debug)]
pub(crate) struct Recovery(Option<JoinHandle<()>>);

impl Recovery {
    /// Waits for it.
    pub(crate) fn finish(self) {
        if let Some(thread) = self.0 {
            // A panic of its own was said on stderr and concerns no task.
            let _ = thread.join();
        }
    }
}
