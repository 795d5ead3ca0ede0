//! Spawners give way to whoever launches; what they spawn does not have to.

#![cfg(target_os = "linux")]

use std::time::Duration;

use meanwhile_core::{Spec, Stream, Tasks};
use meanwhile_queue::MemoryQueue;
use meanwhile_thread::ThreadBackend;

#[test]
fn a_task_is_in_the_ordinary_scheduling_class() {
    let tasks = Tasks::new(ThreadBackend::new(), MemoryQueue::new());
    // Field 41 is the class; the name before it has no space here.
    let spec = Spec::program("cut").args(["-d", " ", "-f", "41", "/proc/self/stat"]);
    let handle = tasks.launch(spec).expect("a valid spec");
    let exit = handle
        .wait_timeout(Duration::from_secs(30))
        .expect("an end");
    assert_eq!(exit.code(), Some(0));
    let output = handle
        .output(Stream::Stdout, 0, 100)
        .expect("readable output");
    assert_eq!(String::from_utf8_lossy(&output.bytes), "0\n");
}
