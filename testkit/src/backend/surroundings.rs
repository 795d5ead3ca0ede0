//! What a task finds around it.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::panic::resume_unwind;
use std::process::Command;
use std::thread;

use meanwhile_core::{ExitStatus, Lifecycle, Spec, Stdin, Stream};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd;

use crate::folder::{ANNOUNCE, HOLD};
use crate::trial::{Needs, Trial, Turn, not_demanded};

/// A task that reads its stdin sees the end of it at once, whatever the stdin of this process is.
pub fn stdin_is_at_its_end<L: Lifecycle>(make: impl FnOnce() -> L) {
    // Alone: the stdin of the whole process is another one meanwhile.
    let Some(trial) = Trial::alone(make, Needs::Commands) else {
        return;
    };
    let _silent = SilentStdin::set();
    assert_eq!(
        trial.run_for_output(Spec::shell("cat; echo the end")),
        "the end\n"
    );
}

/// A stdin of this process that neither ends nor says anything, like a terminal with nobody at it.
struct SilentStdin {
    before: OwnedFd,
    _never_written: PipeWriter,
}

impl SilentStdin {
    fn set() -> Self {
        let before = unistd::dup(io::stdin()).expect("stdin can be kept");
        let (silent, never_written) = io::pipe().expect("a pipe can be made");
        unistd::dup2_stdin(silent).expect("stdin can be replaced");
        Self {
            before,
            _never_written: never_written,
        }
    }
}

impl Drop for SilentStdin {
    fn drop(&mut self) {
        // Nothing in a test reads it; if it cannot be put back, nobody misses it.
        let _ = unistd::dup2_stdin(&self.before);
    }
}

/// A task that was given something to read reads all of it, and then the end.
pub fn stdin_bytes_are_read<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let input: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let handle = trial.launch(Spec::shell("cat").stdin(Stdin::Bytes(input.as_slice().into())));
    assert_eq!(trial.end(&handle).code(), Some(0));
    let read = trial.bytes(&handle, Stream::Stdout);
    assert!(
        read == input,
        "{} bytes were given, {} others read",
        input.len(),
        read.len()
    );
}

/// A task need not read what it was given.
pub fn stdin_bytes_may_stay_unread<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let input = Stdin::Bytes(vec![b'x'; 1 << 20].into());
    let exit = trial.run(Spec::shell("exit 3").stdin(input));
    assert_eq!(exit.status, ExitStatus::Code(3));
}

/// The task has its three descriptors and no other, though this process has one that is inheritable.
pub fn no_descriptor_is_inherited<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let file = File::open(trial.folder.path()).expect("our folder can be opened");
    let _inheritable = unistd::dup(&file).expect("a descriptor can be duplicated");
    // The listing itself opens one, which is gone when its entry is looked at.
    let line = r#"for fd in /dev/fd/*; do [ -e "$fd" ] && echo "${fd##*/}"; done"#;
    let listed = trial.run_for_output(Spec::shell(line));
    assert_eq!(
        listed.split_whitespace().collect::<Vec<_>>(),
        ["0", "1", "2"],
        "descriptors"
    );
}

/// The thread that makes the backend and launches blocks signals; its tasks do not.
pub fn signals_are_default_and_unblocked<L: Lifecycle>(make: impl FnOnce() -> L + Send) {
    let blocking = || {
        let blocked: SigSet = SIGNALS.into_iter().collect();
        blocked.thread_block().expect("a thread can block signals");
        assert_signals_end_a_task(make);
    };
    // A thread of its own: the mask goes with it.
    let done = thread::scope(|scope| scope.spawn(blocking).join());
    done.unwrap_or_else(|panic| resume_unwind(panic));
}

/// What this process ignores, as under `nohup`, its tasks do not.
///
/// A process cannot begin to ignore a signal without unsafe code, so this test is run once more under a
/// shell that does. Not demanded where it cannot be: if the calling thread is not named as its test.
pub fn ignored_signals_are_default_again<L: Lifecycle>(make: impl FnOnce() -> L) {
    const INNER: &str = "MEANWHILE_TESTKIT_SIGNALS_ARE_IGNORED";
    if env::var_os(INNER).is_some() {
        return assert_signals_end_a_task(make);
    }
    // To run a program takes descriptors, which another check may have taken away.
    let _turn = Turn::shared();
    let this = thread::current();
    let program = env::current_exe().expect("a test knows its own program");
    let mut again = Command::new("/bin/sh");
    again.args(["-c", "trap '' HUP INT PIPE TERM USR1; exec \"$@\"", "sh"]);
    again
        .arg(program)
        .args(["--exact", this.name().unwrap_or_default(), "--nocapture"]);
    let output = again
        .env(INNER, "1")
        .output()
        .expect("a test can be run again");
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains("running 1 test") {
        return not_demanded("this test could not be run again by its name");
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "under a parent that ignores signals: {said}{errors}"
    );
}

const SIGNALS: [Signal; 5] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGPIPE,
    Signal::SIGTERM,
    Signal::SIGUSR1,
];

/// Each task sends itself one: blocked or ignored, it would live to say 0.
#[track_caller]
fn assert_signals_end_a_task<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    for signal in SIGNALS {
        let number = signal as i32;
        let exit = trial.run(Spec::shell(format!("kill -{number} $$; exit 0")));
        assert_eq!(
            exit.status,
            ExitStatus::Signal(number),
            "{signal} is blocked or ignored"
        );
    }
}

/// The leader leads a process group of its own, so a signal for this one does not reach it.
pub fn own_process_group<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}")));
    let leader = trial.folder.processes(1).remove(0);
    assert!(
        leader.leads_its_group(),
        "the leader does not lead a group of its own"
    );
}

/// The environment is this process's, with the changes that were asked for in their order.
pub fn environment_is_what_was_asked_for<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let inherited = env::var("PATH").expect("a test has a PATH");
    let handle = trial.launch(
        Spec::program("/usr/bin/env")
            .env("ADDED", "with = and\ttab")
            .env("LATER", "first")
            .env("LATER", "second")
            .env("GONE", "set")
            .env_remove("GONE")
            .env("RAW", OsString::from_vec(vec![b'a', 0xff])),
    );
    trial.end(&handle);
    let bytes = trial.bytes(&handle, Stream::Stdout);
    let has = |line: &[u8]| bytes.split(|byte| *byte == b'\n').any(|have| have == line);
    assert!(
        has(format!("PATH={inherited}").as_bytes()),
        "what was inherited is not there"
    );
    assert!(has(b"ADDED=with = and\ttab"), "what was added is not there");
    assert!(
        has(b"LATER=second") && !has(b"LATER=first"),
        "the later change does not hold"
    );
    assert!(!has(b"GONE=set"), "what was removed is there");
    assert!(has(b"RAW=a\xff"), "what is no UTF-8 did not pass");
    let without = trial.run_for_output(Spec::program("/usr/bin/env").env_remove("PATH"));
    assert!(
        !without.contains(&format!("PATH={inherited}\n")),
        "what was inherited was not removed"
    );
}

/// The task runs in the folder that was asked for.
pub fn cwd_is_what_was_asked_for<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let folder = trial
        .folder
        .path()
        .canonicalize()
        .expect("our folder is there");
    let said = trial.run_for_output(trial.here("pwd -P"));
    assert_eq!(
        said.trim_end(),
        folder.to_string_lossy(),
        "the task runs elsewhere"
    );
}

/// A bare name is looked up in the task's own `PATH`, not in this process's.
pub fn a_program_is_looked_up_in_its_own_path<L: Lifecycle>(make: impl FnOnce() -> L) {
    // Alone: a fork of another check would for a moment hold the program open for writing, and a program that
    // is being written cannot be run.
    let Some(trial) = Trial::alone(make, Needs::LocalProcesses) else {
        return;
    };
    let program = trial.folder.write("only-here", "#!/bin/sh\necho found\n");
    fs::set_permissions(program, Permissions::from_mode(0o755)).expect("our file is ours");
    let spec = Spec::program("only-here").env("PATH", trial.folder.path());
    assert_eq!(
        trial.run_for_output(spec),
        "found\n",
        "the program was not found"
    );
}
