//! `meanwhile session --store` and `run --wait`: tasks that other programs see, and that outlive their own.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use crate::support::{
    Folders, Session, assert_gone, eventually, exit_status, on_each_backend, output,
};

mod on {
    use super::on_each_backend;

    on_each_backend! {
        what_a_killed_session_ran_is_told_as_lost_to_the_next
    }
}

fn start(folders: Folders, backend: &str) -> Session {
    let mut program = folders.program();
    program.args([
        "session",
        "--store",
        "--session",
        "one",
        "--backend",
        backend,
    ]);
    Session::of(folders, program)
}

fn inbox(folders: &Folders, session: &str) -> Vec<Value> {
    let mut program = folders.program();
    program.args(["inbox", "--json", "--session", session]);
    let (code, stdout, stderr) = output(program);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_slice(&stdout).unwrap()
}

fn what_a_killed_session_ran_is_told_as_lost_to_the_next(backend: &str) {
    let mut session = start(Folders::new(), backend);
    let command = "trap '' TERM; setsid sleep 300 & echo $$ $! > pids; while :; do sleep 300; done";
    let input = json!({"command": command, "run_in_background": true, "grace": 100});
    session.call("deaf", "Bash", input);
    let id = session.result("deaf")["task"]["id"].clone();
    let pids = session.folders.pids("pids");
    session.signal(Signal::KILL);
    let folders = session.finish().folders;

    let mut session = start(folders, backend);
    let told = session.wait();
    assert_eq!(told["items"][0]["task_id"], id);
    assert_eq!(told["items"][0]["status"], "lost");
    assert_gone(&pids);
    let left = session.end();
    assert!(left.items().is_empty(), "once");
    assert!(inbox(&left.folders, "one").is_empty());
}

#[test]
fn a_session_is_told_of_what_was_left_behind_and_of_no_other_session() {
    let folders = Folders::new();
    for (session, code) in [("two", 6), ("one", 5)] {
        let mut program = folders.program();
        let line = format!("until [ -e gate ]; do sleep 0.02; done; exit {code}");
        program.args(["run", "--session", session, "--timeout", "2m", "--", &line]);
        assert_eq!(output(program).0, 0);
    }
    let mut session = start(folders, "thread");
    session.send(&json!({"type": "wait", "timeout": 1}));
    assert_eq!(session.notifications()["count"], 0);
    // It waits for what other programs run.
    session.send(&json!({"type": "wait"}));
    fs::write(session.folders.work("gate"), "").unwrap();
    let told = session.notifications();
    assert_eq!(told["items"][0]["exit_code"], 5);
    assert_eq!(session.wait()["count"], 0, "nothing of this session runs");
    let left = session.end();
    let other = eventually(|| inbox(&left.folders, "two").pop());
    assert_eq!(other.unwrap()["exit_code"], 6);
    assert!(inbox(&left.folders, "one").is_empty());
}

#[test]
fn a_task_of_a_session_is_stopped_from_elsewhere() {
    let mut session = start(Folders::new(), "thread");
    let answer = session.background("echo $$ > pid; sleep 300");
    let pids = session.folders.pids("pid");
    let mut program = session.folders.program();
    program.args(["stop", answer["task"]["id"].as_str().unwrap()]);
    let (code, _, stderr) = output(program);
    assert_eq!(code, 0, "{stderr}");
    let told = session.wait();
    assert_eq!(told["items"][0]["status"], "stopped");
    assert_gone(&pids);
    session.end();
}

#[test]
fn what_a_followed_run_has_shown_is_told_and_the_rest_is_not() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["run", "--session", "one", "--", "exit 5"]);
    assert_eq!(output(program).0, 0);
    let mut program = folders.program();
    program.args(["run", "--wait", "--session", "one", "--", "exit 6"]);
    let (code, _, stderr) = output(program);
    assert_eq!(code, 6);
    assert!(
        stderr.contains("exit code 6") && !stderr.contains("exit code 5"),
        "{stderr}"
    );
    let told = eventually(|| inbox(&folders, "one").pop()).unwrap();
    assert_eq!(told["exit_code"], 5);
    assert!(inbox(&folders, "one").is_empty());
}

#[test]
fn a_killed_run_is_told_as_lost() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args([
        "run",
        "--wait",
        "--session",
        "one",
        "--grace",
        "100ms",
        "--",
        "echo $$ > pid; sleep 300",
    ]);
    let mut child = program
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = folders.pids("pid");
    rustix::process::kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    exit_status(&mut child);
    let told = eventually(|| inbox(&folders, "one").pop()).unwrap();
    assert_eq!(told["status"], "lost");
    assert_gone(&pids);
}

#[test]
fn the_time_that_a_command_usually_takes_is_shown() {
    let has_script = Command::new("script").arg("--version").output();
    if !has_script.is_ok_and(|said| said.status.success()) {
        eprintln!("skipped: there is no `script` of util-linux");
        return;
    }
    let folders = Folders::new();
    let shown = || {
        let mut script = folders.prepare(Command::new("script"));
        let program = env!("CARGO_BIN_EXE_meanwhile");
        let line = format!("stty cols 100; '{program}' run --wait -- 'sleep 0.4'");
        script
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm");
        String::from_utf8_lossy(&output(script).1).into_owned()
    };
    let first = shown();
    assert!(!first.contains("usual"), "nothing is known yet: {first}");
    let second = shown();
    assert!(
        second.contains("usually 4") && second.contains("━"),
        "{second}"
    );
}
