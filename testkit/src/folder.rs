//! The folder of one check, and what the processes of its tasks find there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use crate::process::Process;
use crate::wait;

/// Announces the leader of a task in the folder.
pub(crate) const ANNOUNCE: &str = "echo $$ >> pids";
/// Holds a process until the check opens the gate, or is over.
pub(crate) const HOLD: &str = ": < gate";
/// Starts another process of the tree, which announces itself and is held; goes on when it is there. Each
/// has a pipe of its own for saying so: in a shared one a reader sees the end that another writer left.
pub(crate) const MEMBER: &str = "n=$((n+1)); mkfifo up$n; sh member up$n & read up < up$n";
/// Likewise, one that ignores the polite signal.
pub(crate) const STUBBORN_MEMBER: &str =
    "n=$((n+1)); mkfifo up$n; (trap '' TERM; exec sh member up$n) & read up < up$n";
/// Likewise, one that left group and session, and that no shell knows as its child.
pub(crate) const ESCAPED_MEMBER: &str =
    "n=$((n+1)); mkfifo up$n; (setsid sh member up$n &) ; read up < up$n";

/// Its argument is the pipe in which it says that it is there. Whoever is released says that, too.
const SCRIPT_OF_A_MEMBER: &str = "echo $$ >> pids
echo > $1
: < gate
echo $$ >> released
";

/// A folder with a named pipe for a gate. A process that opens the gate for reading is held until the check
/// opens it for writing, so nothing here waits for a time to pass.
///
/// Dropping it opens all gates and kills every process that announced itself: whatever the backend under
/// test does not clean up, and however the check ends.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: TempDir,
    gates: Mutex<Vec<PathBuf>>,
    opened: Mutex<Vec<File>>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder for temporary files can be made");
        let folder = Self {
            dir,
            gates: Mutex::default(),
            opened: Mutex::default(),
        };
        folder.make_gate("gate");
        folder.write("member", SCRIPT_OF_A_MEMBER);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).expect("a file can be written in the folder of this check");
        path
    }

    /// The lines of a file, which may not be there yet.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path().join(name)).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }

    pub(crate) fn make_gate(&self, name: &str) {
        let path = self.path().join(name);
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a named pipe can be made");
        self.gates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(path);
    }

    /// Lets go whoever is held at this gate, and whoever comes later.
    pub(crate) fn open(&self, gate: &str) {
        let file = open(&self.path().join(gate)).expect("a gate can be opened");
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(file);
    }

    /// Waits until so many processes have announced themselves.
    #[track_caller]
    pub(crate) fn processes(&self, count: usize) -> Vec<Process> {
        wait::until("every process of the task is there", || {
            self.lines("pids").len() >= count
        });
        self.announced()
    }

    /// Opens the gate and waits until so many members have gone through: nobody had ended them.
    #[track_caller]
    pub(crate) fn release(&self, members: usize) {
        self.open("gate");
        let what = "every survivor lives on to be released";
        wait::until(what, || self.lines("released").len() >= members);
    }

    /// Opens the gate when patience is at its end, unless it is called off before.
    pub(crate) fn watch(&self) -> Watchdog {
        let gate = self.path().join("gate");
        let (call_off, called_off) = mpsc::channel();
        let thread = thread::spawn(move || match called_off.recv_timeout(wait::patience()) {
            Err(RecvTimeoutError::Timeout) => open(&gate).ok(),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => None,
        });
        Watchdog { call_off, thread }
    }

    fn announced(&self) -> Vec<Process> {
        let pids = self
            .lines("pids")
            .into_iter()
            .filter_map(|line| line.parse().ok());
        pids.filter_map(Process::find).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let gates = self.gates.get_mut().unwrap_or_else(PoisonError::into_inner);
        // This may be the end of a check that failed for want of descriptors: a panic here would abort it.
        let _open: Vec<File> = gates.iter().filter_map(|gate| open(gate).ok()).collect();
        for process in self.announced() {
            process.kill();
        }
    }
}

/// For reading too, or the call would wait for a reader.
fn open(gate: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(gate)
}

/// Catches whoever blocks the check itself, which would otherwise hang.
#[derive(Debug)]
pub(crate) struct Watchdog {
    call_off: Sender<()>,
    thread: JoinHandle<Option<File>>,
}

impl Watchdog {
    /// Says whether it had to open the gate.
    pub(crate) fn call_off(self) -> bool {
        // It may have fired and ended: then nobody listens.
        let _ = self.call_off.send(());
        self.thread
            .join()
            .expect("the watchdog does not panic")
            .is_some()
    }
}
