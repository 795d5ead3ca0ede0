//! Whose processes are alive, by their marks in `/proc`.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Those that supervise tasks of the store in `state`.
pub(crate) fn supervisors(state: &Path) -> Vec<i32> {
    let state = format!("MEANWHILE_STATE_DIR={}", state.display());
    let supervises = |pid: &i32| {
        has_mark(*pid, "environ", |entry| entry == state.as_bytes())
            && has_mark(*pid, "cmdline", |argument| argument == b"supervise")
    };
    let found: Vec<i32> = all().filter(supervises).collect();
    // A child that has not become the task's program yet looks like its parent. It is the task, and not to be killed.
    let is_child = |pid: i32| parent(pid).is_some_and(|parent| found.contains(&parent));
    found
        .iter()
        .copied()
        .filter(|pid| !is_child(*pid))
        .collect()
}

/// Those that belong to the task, wherever they went.
pub(crate) fn of_task(id: &str) -> Vec<i32> {
    let is_mark = |entry: &[u8]| {
        let entry = String::from_utf8_lossy(entry);
        let ids = entry.strip_prefix("MEANWHILE_TASK=");
        ids.is_some_and(|ids| ids.contains(id))
    };
    all()
        .filter(|pid| has_mark(*pid, "environ", is_mark))
        .collect()
}

/// SIGKILL. It may be gone already.
pub(crate) fn kill(pid: i32) {
    let pid = Pid::from_raw(pid).unwrap();
    let _ = kill_process(pid, Signal::KILL);
}

fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in brackets, and may contain anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

fn has_mark(pid: i32, file: &str, is_mark: impl Fn(&[u8]) -> bool) -> bool {
    // Gone since it was listed, or dead and unread: then it has none.
    let content = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    content.split(|byte| *byte == 0).any(is_mark)
}
