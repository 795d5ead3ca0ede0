//! The processes that are known to lead a task.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use crate::leader::Leader;
use crate::lock;
use crate::table::IdCounter;

/// What tells whose a process is without a look at all of them.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// The process groups of all live tasks of a backend, by the ids of their leaders. Whoever is in the group of
    /// one task did not escape from another, so that nobody needs to look at its environment.
    groups: Mutex<HashSet<i32>>,
    /// For each process that is being started a place for its id, 0 until the kernel has put it there.
    starting: Mutex<Vec<Arc<AtomicI32>>>,
    ids: IdCounter,
}

impl Registry {
    pub(crate) fn starting(&self) -> Starting<'_> {
        let id = Arc::new(AtomicI32::new(0));
        lock(&self.starting).push(Arc::clone(&id));
        Starting { registry: self, id }
    }

    pub(crate) fn insert(&self, leader: &Leader) {
        lock(&self.groups).insert(leader.id());
    }

    pub(crate) fn remove(&self, leader: &Leader) {
        lock(&self.groups).remove(&leader.id());
    }

    /// Whether this is the group of a live task, or of one that is being started. None of them is the group 0, which is
    /// that of the kernel's own threads.
    pub(crate) fn contains(&self, group: i32) -> bool {
        // In this order: who is not being started any more is a leader by then.
        let is_it = |id: &Arc<AtomicI32>| id.load(Ordering::Acquire) == group;
        let is_starting = || lock(&self.starting).iter().any(is_it);
        group != 0 && (is_starting() || lock(&self.groups).contains(&group))
    }

    /// The leaders of all live tasks.
    pub(crate) fn leaders(&self) -> HashSet<i32> {
        lock(&self.groups).clone()
    }

    /// The id that the kernel gave out last; `None` where it does not tell.
    pub(crate) fn last_id(&self) -> Option<i32> {
        self.ids.last()
    }
}

/// A process that is being started. From the moment when it leads a group until it is known as the leader of a task, this
/// tells that it is one: the start of a program takes longer than many programs do.
#[derive(Debug)]
pub(crate) struct Starting<'a> {
    registry: &'a Registry,
    id: Arc<AtomicI32>,
}

impl Starting<'_> {
    /// Where its id is to be put, before it runs.
    pub(crate) fn id(&self) -> &AtomicI32 {
        &self.id
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        lock(&self.registry.starting).retain(|id| !Arc::ptr_eq(id, &self.id));
    }
}
