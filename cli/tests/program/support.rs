//! The program under test, at the other end of its pipes.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_meanwhile");

/// Long enough for a loaded machine, short enough for a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a test of each function for each backend: a module with `thread`, `tokio` and `smol` in it.
macro_rules! on_each_backend {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn thread() { super::super::$name("thread") }
            #[test]
            fn tokio() { super::super::$name("tokio") }
            #[test]
            fn smol() { super::super::$name("smol") }
        }
    )*};
}
pub(crate) use on_each_backend;

/// A folder for one test: `work` to run in, `state` for the program.
pub(crate) struct Folders {
    root: TempDir,
}

impl Folders {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["work", "state"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root }
    }

    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.root.path().join("work").join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    pub(crate) fn program(&self) -> Command {
        self.prepare(Command::new(PROGRAM))
    }

    /// Runs the program with its stdin closed.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let mut program = self.program();
        program.args(args);
        said(program)
    }

    /// Takes what a session is told.
    pub(crate) fn inbox(&self, session: &str) -> Vec<Value> {
        let told = self.run(&["inbox", "--json", "--session", session]);
        told.json().as_array().unwrap().clone()
    }

    /// Gives any command the folders and the environment of a test.
    pub(crate) fn prepare(&self, mut command: Command) -> Command {
        command
            .current_dir(self.work(""))
            .env("MEANWHILE_STATE_DIR", self.state())
            .env_remove("MEANWHILE_SESSION")
            .env_remove("NO_COLOR");
        command
    }

    /// Waits until a task has written `name` whole: its content, which ends with a line break.
    pub(crate) fn written(&self, name: &str) -> String {
        let path = self.work(name);
        let is_whole = |text: &String| text.ends_with('\n');
        let text = eventually(|| fs::read_to_string(&path).ok().filter(is_whole));
        text.unwrap_or_else(|| panic!("no task wrote {name}"))
    }

    /// Waits for the file in which a task wrote its process ids.
    pub(crate) fn pids(&self, name: &str) -> Vec<i32> {
        let text = self.written(name);
        text.split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }
}

/// One session of the program, spoken to as a client does.
pub(crate) struct Session {
    pub(crate) folders: Folders,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Read, and not asked for yet.
    early: VecDeque<Value>,
    stderr: JoinHandle<String>,
}

impl Session {
    pub(crate) fn start(backend: &str, args: &[&str]) -> Self {
        let folders = Folders::new();
        let mut program = folders.program();
        program.args(["session", "--backend", backend]).args(args);
        Self::of(folders, program)
    }

    pub(crate) fn of(folders: Folders, mut program: Command) -> Self {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines() {
                let line = line.unwrap();
                let value =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let stderr = read_all(child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        Self {
            folders,
            child,
            stdin,
            lines,
            early: VecDeque::new(),
            stderr,
        }
    }

    pub(crate) fn send(&mut self, line: &Value) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn call(&mut self, id: &str, name: &str, input: Value) {
        self.send(&json!({"type": "tool_use", "id": id, "name": name, "input": input}));
    }

    /// Launches in the background and returns the answer.
    pub(crate) fn background(&mut self, command: &str) -> Value {
        let id = format!("background: {command}");
        self.call(
            &id,
            "Bash",
            json!({"command": command, "run_in_background": true}),
        );
        self.result(&id)
    }

    /// The next line, whatever it is.
    pub(crate) fn next(&mut self) -> Value {
        self.early.pop_front().unwrap_or_else(|| self.read())
    }

    /// The answer to this call. Other lines that come before it are kept for later.
    pub(crate) fn result(&mut self, id: &str) -> Value {
        self.find(|line| line["type"] == "tool_result" && line["tool_use_id"] == id)
    }

    /// The next line of notifications.
    pub(crate) fn notifications(&mut self) -> Value {
        self.find(|line| line["type"] == "notifications")
    }

    pub(crate) fn turn(&mut self) -> Value {
        self.send(&json!({"type": "turn"}));
        self.notifications()
    }

    /// Waits until something is pending.
    pub(crate) fn wait(&mut self) -> Value {
        self.send(&json!({"type": "wait"}));
        self.notifications()
    }

    fn find(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.early.iter().position(&is_wanted) {
            return self.early.remove(place).unwrap();
        }
        loop {
            let line = self.read();
            if is_wanted(&line) {
                return line;
            }
            self.early.push_back(line);
        }
    }

    fn read(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).expect("one more line")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for the program's end: its exit code, the lines that were not asked for, and stderr.
    pub(crate) fn finish(mut self) -> Finished {
        let status = exit_status(&mut self.child);
        let mut lines: Vec<Value> = self.early.into();
        lines.extend(self.lines.iter());
        let stderr = self.stderr.join().unwrap();
        Finished {
            code: status.code(),
            lines,
            stderr,
            folders: self.folders,
        }
    }

    /// Closes stdin and waits for the program's end.
    pub(crate) fn end(mut self) -> Finished {
        self.close_stdin();
        self.finish()
    }
}

/// What a session left.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
    pub(crate) folders: Folders,
}

impl Finished {
    pub(crate) fn result(&self, id: &str) -> &Value {
        let mut answers = self.lines.iter().filter(|line| line["tool_use_id"] == id);
        let answer = answers
            .next()
            .unwrap_or_else(|| panic!("{id} is answered: {:#?}", self.lines));
        assert!(answers.next().is_none(), "{id} is answered once");
        answer
    }

    /// All that was told in these lines.
    pub(crate) fn items(&self) -> Vec<&Value> {
        let told = self
            .lines
            .iter()
            .filter_map(|line| line["items"].as_array());
        told.flatten().collect()
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command that prints text and needs no answers, with its stdin closed.
pub(crate) fn said(command: Command) -> Said {
    let (code, stdout, stderr) = output(command);
    let stdout = String::from_utf8(stdout).unwrap();
    Said {
        code,
        stdout,
        stderr,
    }
}

/// Runs a command that needs no answers, with its stdin closed.
pub(crate) fn output(mut command: Command) -> (i32, Vec<u8>, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let stdout = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let stderr = read_all(child.stderr.take().unwrap());
    let code = exit_status(&mut child)
        .code()
        .expect("it exits, by no signal");
    (code, stdout.join().unwrap(), stderr.join().unwrap())
}

pub(crate) fn lines_of(stdout: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    })
}

pub(crate) fn exit_status(child: &mut Child) -> ExitStatus {
    let status = eventually(|| child.try_wait().unwrap());
    status.unwrap_or_else(|| {
        child.kill().unwrap();
        panic!("the program does not end");
    })
}

/// Asks again and again until there is an answer, or patience is over.
pub(crate) fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() > deadline {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Asserts that none of these processes runs. One that nobody has reaped is dead all the same.
pub(crate) fn assert_gone(pids: &[i32]) {
    assert!(!pids.is_empty());
    for pid in pids {
        assert!(!is_alive(*pid), "process {pid} is alive");
    }
}

pub(crate) fn is_alive(pid: i32) -> bool {
    let state = if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().unwrap_or_default().to_owned()
    } else {
        let ps = Command::new("ps")
            .args(["-o", "stat=", "-p", &pid.to_string()])
            .output();
        String::from_utf8_lossy(&ps.unwrap().stdout).into_owned()
    };
    let state = state.trim();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

pub(crate) fn kill(pid: i32) {
    let _ = rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
}

/// All files under `folder`, with their content.
pub(crate) fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

pub(crate) fn copy_tree(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .args([OsStr::new("-R"), from.as_ref(), to.as_ref()])
        .status();
    assert!(status.unwrap().success());
}
