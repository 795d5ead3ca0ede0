//! Processes of tests: what they find, how they are seen from outside, and their end.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::ProcessId;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Announces a process in the folder, by a name.
pub(crate) const ANNOUNCE: &str = "announce() { echo \"$1 $$\" >> processes; }";

/// The folder of one test, in which processes announce themselves. Dropping it kills those that are still there.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("room in the folder");
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Waits until this process has announced itself.
    #[track_caller]
    pub(crate) fn process(&self, name: &str) -> ProcessId {
        let mut found = None;
        until(name, || {
            found = self
                .announced()
                .into_iter()
                .find(|(known, _)| known == name);
            found.is_some()
        });
        let (_, pid) = found.expect("it was found");
        id_of(pid).expect("a process that waits to be stopped")
    }

    fn announced(&self) -> Vec<(String, i32)> {
        let text = self.text("processes");
        // The last line may be half written.
        let whole = text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'));
        let announced = whole.filter_map(|line| {
            let (name, pid) = line.split_once(' ')?;
            Some((name.to_owned(), pid.parse().ok()?))
        });
        announced.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for (_, pid) in self.announced() {
            if is_alive(pid) {
                let _ = kill_process(Pid::from_raw(pid).expect("an id"), Signal::KILL);
            }
        }
    }
}

/// A field of `/proc/PID/stat` behind the name, the state being 0.
pub(crate) fn stat(pid: i32, field: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(field).map(ToOwned::to_owned)
}

pub(crate) fn id_of(pid: i32) -> Option<ProcessId> {
    let start = stat(pid, 19)?.parse().ok()?;
    Some(ProcessId { pid, start })
}

/// Whether it runs or could: nothing is left of a zombie but its status.
pub(crate) fn is_alive(pid: i32) -> bool {
    stat(pid, 0).is_some_and(|state| state != "Z" && state != "X")
}

/// Looks again and again until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
