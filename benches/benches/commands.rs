//! What the program costs from the outside, beside two that people use for the same.
//!
//! `pueue`, `pueued` and `tsp` (task-spooler) take part if they are on the PATH.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_benches::{Contest, Panel, Printer, Role, is_asked_for_tests, is_measured};
use meanwhile_core::{
    Ending, Exit, ExitStatus, Inbox, Notification, NotificationQueue, Owner, TaskId,
};
use meanwhile_process::stop_orphans;
use meanwhile_queue::{Store, StoreOptions};

fn main() {
    if is_asked_for_tests() {
        return;
    }
    let Some(program) = program() else {
        eprintln!("skipped: build the program first, in the same profile: cargo build --release");
        return;
    };
    let home = tempfile::tempdir().expect("a temporary folder");
    run(&program, home.path());
    many_ended(&program, home.path());
    many_runs(&program, home.path());
}

/// A launch from a shell until the prompt is back.
fn run(program: &Path, home: &Path) {
    let state = home.join("run");
    let pueue = Pueue::start(&home.join("pueue"));
    let tsp = Tsp::on_path(home);
    let mut contest = Contest::new(
        "launch `true` from the outside, until the command returns",
        "",
    )
    .contender(Role::Ours, "meanwhile run", || {
        time(meanwhile(program, &state).args(["run", "--", "true"]))
    })
    .contender(Role::Floor, "true itself", || {
        time(&mut Command::new("true"))
    });
    if let Some(pueue) = &pueue {
        contest = contest.contender(Role::Peer, "pueue add", || {
            time(pueue.client().args(["add", "true"]))
        });
    }
    if let Some(tsp) = &tsp {
        contest = contest.contender(Role::Peer, "tsp", || time(tsp.client().arg("true")));
    }
    Printer.ask(contest.rounds(200));
}

/// What a store with a history costs those who look.
fn many_ended(program: &Path, home: &Path) {
    let count = if is_measured() { 100_000 } else { 100 };
    let (small, large) = (home.join("few"), home.join("many"));
    let of_few = fill(&small, 10);
    let of_many = fill(&large, count);
    let asked = |state: &Path, task: TaskId, command: &'static str| {
        let mut asked = meanwhile(program, state);
        asked.arg(command);
        if command == "wait" {
            asked.arg(task.as_str());
        }
        time(&mut asked)
    };
    for (question, command) in [
        ("ls, with 10 ended tasks and with 100,000", "ls"),
        ("inbox, likewise", "inbox"),
        ("wait for one that ended, likewise", "wait"),
    ] {
        Printer.ask(
            Contest::new(question, "")
                .contender(Role::Ours, "10", || asked(&small, of_few, command))
                .contender(Role::Ours, "100,000", || asked(&large, of_many, command))
                .rounds(50),
        );
    }
}

/// Whether a launch costs more the more there were.
fn many_runs(program: &Path, home: &Path) {
    const PART: usize = 500;
    let parts = if is_measured() { 10 } else { 1 };
    let part = if is_measured() { PART } else { 1 };
    let state = home.join("flat");
    println!("{PART} runs, again and again: each in the middle");
    for number in 1..=parts {
        let mut times: Vec<_> = (0..part)
            .map(|_| time(meanwhile(program, &state).args(["run", "--", "true"])))
            .collect();
        times.sort();
        println!("  {number:>2}. {:>10.1?}", times[times.len() / 2]);
    }
}

/// A store with so many tasks that ended and were told; one of them.
fn fill(folder: &Path, count: usize) -> TaskId {
    let store: Store = StoreOptions::new(folder, stop_orphans)
        .open()
        .expect("a new store");
    let owner = Owner::new("bench");
    let ending = || {
        let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
        Notification::ended(TaskId::random(), owner.clone(), "cargo test", exit)
    };
    let last = ending();
    let task = last.task_id;
    (1..count).for_each(|_| store.push(ending()));
    store.push(last);
    Inbox::new(Arc::new(store.clone()), owner)
        .drain()
        .acknowledge();
    store
        .sync(Duration::from_secs(60))
        .expect("a disk that takes writes");
    task
}

fn meanwhile(program: &Path, state: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("MEANWHILE_STATE_DIR", state)
        .env("MEANWHILE_SESSION", "bench");
    command
}

fn time(command: &mut Command) -> Duration {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let before = Instant::now();
    let status = command.status().expect("it was started before");
    let time = before.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    time
}

/// The program of the profile that this was built with: two folders up from this one.
fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let program = own.parent()?.parent()?.join("meanwhile");
    program.exists().then_some(program)
}

/// A daemon of its own, which ends with this.
struct Pueue {
    config: PathBuf,
    daemon: Child,
}

impl Pueue {
    fn start(home: &Path) -> Option<Self> {
        fs::create_dir_all(home).ok()?;
        let config = home.join("pueue.yml");
        let text = format!(
            "shared:\n  pueue_directory: {0}\n  runtime_directory: {0}\n  use_unix_socket: true\n\
             client: {{}}\ndaemon: {{}}\nprofiles: {{}}\n",
            home.display()
        );
        fs::write(&config, text).ok()?;
        let daemon = Command::new("pueued")
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let pueue = Self { config, daemon };
        let answers = |_| {
            let mut status = pueue.client();
            let status = status
                .arg("status")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            thread::sleep(Duration::from_millis(100));
            status.status().is_ok_and(|status| status.success())
        };
        (0..50).any(answers).then_some(pueue)
    }

    fn client(&self) -> Command {
        let mut client = Command::new("pueue");
        client.arg("-c").arg(&self.config);
        client
    }
}

impl Drop for Pueue {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A server of its own, which its first command starts, and which ends with this.
struct Tsp {
    socket: PathBuf,
}

impl Tsp {
    fn on_path(home: &Path) -> Option<Self> {
        let tsp = Self {
            socket: home.join("tsp.sock"),
        };
        tsp.client().arg("true").output().ok().map(|_| tsp)
    }

    fn client(&self) -> Command {
        let mut client = Command::new("tsp");
        client.env("TS_SOCKET", &self.socket);
        client
    }
}

impl Drop for Tsp {
    fn drop(&mut self) {
        let _ = self.client().arg("-K").output();
    }
}
