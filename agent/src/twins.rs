//! What an agent has running, by command: to notice that it launches the same thing twice.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use meanwhile_core::{Handle, Spec};

/// The last launch of each command in each folder.
#[derive(Debug, Default)]
pub(crate) struct Twins(Mutex<Launches>);

#[derive(Debug, Default)]
struct Launches {
    last: HashMap<Key, Handle>,
    /// At this size, what has ended is forgotten.
    sweep_at: usize,
}

type Key = (String, Option<PathBuf>);

impl Twins {
    /// A task that does right now what `spec` asks for.
    pub(crate) fn of(&self, spec: &Spec) -> Option<Handle> {
        let twin = self.lock().last.get(&key(spec)).cloned();
        twin.filter(|handle| handle.exit().is_none())
    }

    pub(crate) fn add(&self, handle: &Handle) {
        let mut launches = self.lock();
        if launches.last.len() >= launches.sweep_at {
            launches.last.retain(|_, handle| handle.exit().is_none());
            // Twice what is left: so a sweep costs each launch the same, however many tasks run.
            launches.sweep_at = 2 * launches.last.len() + 64;
        }
        launches.last.insert(key(handle.spec()), handle.clone());
    }

    fn lock(&self) -> MutexGuard<'_, Launches> {
        // A panic elsewhere leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(spec: &Spec) -> Key {
    (spec.command(), spec.get_cwd().map(ToOwned::to_owned))
}
