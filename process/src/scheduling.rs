//! Not getting in the way of whoever launches.
//!
//! A thread that is woken may take the processor from the one that woke it: then a launch, which only wakes a
//! spawner, lasts as long as the spawn. Linux does not let threads of the batch class do so. They must not do their
//! work in it, though: a spawner would wait behind its own child for the processor, and the child would inherit it.

/// Waits by `wait` as one who does not preempt whoever ends the wait. A thread whose host chose another class for it
/// is left alone.
#[cfg(target_os = "linux")]
pub(crate) fn wait_humbly<T>(wait: impl FnOnce() -> T) -> T {
    use libc::{SCHED_BATCH, SCHED_OTHER};
    // SAFETY: it is about this thread, and changes nothing.
    let is_ordinary = unsafe { libc::sched_getscheduler(0) } == SCHED_OTHER;
    let gives_way = is_ordinary && change_class(SCHED_BATCH);
    let waited = wait();
    if gives_way {
        change_class(SCHED_OTHER);
    }
    waited
}

#[cfg(target_os = "linux")]
fn change_class(class: libc::c_int) -> bool {
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: it is about this thread, and the parameter is valid. musl refuses, and nothing is changed.
    unsafe { libc::sched_setscheduler(0, class, &raw const ordinary) == 0 }
}

/// Nothing can be done here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn wait_humbly<T>(wait: impl FnOnce() -> T) -> T {
    wait()
}
