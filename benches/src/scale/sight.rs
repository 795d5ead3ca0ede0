//! What the system sees of this process, as Linux tells in `/proc`.

use std::fs;
use std::path::Path;

/// What this process has of the system.
pub(super) struct Sight {
    /// Bytes of anonymous memory, in RAM or swapped out: heap, stacks, and what else was written to. Pages of files do
    /// not count, because the first use of some code brings them in, and not the number of tasks.
    pub(super) memory: u64,
    pub(super) threads: u64,
    pub(super) descriptors: u64,
}

impl Sight {
    pub(super) fn of_this_process() -> Self {
        let memory = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let kilobytes = ["Anonymous", "Swap"].map(|name| number(&memory, name).unwrap_or(0));
        Self {
            memory: kilobytes.iter().sum::<u64>() << 10,
            threads: entries("/proc/self/task"),
            descriptors: entries("/proc/self/fd"),
        }
    }
}

/// Whether there is all that is looked at here.
pub(super) fn is_clear() -> bool {
    let files = ["/proc/self/smaps_rollup", "/proc/thread-self/children"];
    files.iter().all(|file| Path::new(file).exists())
}

/// How many children of this process execute a program of their own.
pub(super) fn children() -> usize {
    let own = fs::read_link("/proc/self/exe").ok();
    let executes_another = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok() != own;
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let mut count = 0;
    for thread in threads.flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let mut children = children.split_ascii_whitespace();
        // A thread that spawns is held up until its child executes its program, so that this is in question for the
        // latest alone.
        let latest = children.next_back().is_some_and(executes_another);
        count += children.count() + usize::from(latest);
    }
    count
}

/// The number behind `name` in a file of lines such as `Anonymous:  120 kB`.
pub(super) fn number(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line?.split_ascii_whitespace().next()?.parse().ok()
}

fn entries(folder: &str) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_sees_itself() {
        let sight = Sight::of_this_process();
        assert!(sight.memory > 0 && sight.threads > 0 && sight.descriptors > 0);
    }
}
