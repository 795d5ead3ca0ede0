//! Not getting in the way of whoever launches.
//!
//! A thread that is woken may take the processor from the one that woke it: then a launch, which only wakes a
//! spawner, lasts as long as the spawn. Linux does not let threads of the batch class do so.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use batch::*;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) use none::*;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod batch {
    use std::cell::Cell;

    use libc::c_int;

    thread_local! {
        static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
    }

    /// From here on this thread does not preempt the one that wakes it. One whose host chose another class for it
    /// is left alone.
    pub(crate) fn give_way() {
        let ordinary = libc::sched_param { sched_priority: 0 };
        // SAFETY: both calls are about this thread, and the parameter is valid for the second.
        let done = unsafe {
            libc::sched_getscheduler(0) == libc::SCHED_OTHER
                && libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const ordinary) == 0
        };
        GIVES_WAY.set(done);
    }

    /// The class that a child of this thread must be put back into, if it would inherit ours.
    pub(crate) fn class_of_children() -> Option<c_int> {
        GIVES_WAY.get().then_some(libc::SCHED_OTHER)
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod none {
    /// Nothing can be done here, or nothing that would not be inherited by children.
    pub(crate) fn give_way() {}
}
