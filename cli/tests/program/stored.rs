//! `meanwhile session --store` and `run --wait`: tasks that other programs see, and that outlive their own.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal};
use serde_json::json;

use crate::support::{Folders, Session, assert_gone, eventually, exit_status, on_each_backend};
use crate::terminal::on_terminal;

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
    assert!(left.folders.inbox("one").is_empty());
}

#[test]
fn a_session_is_told_of_what_was_left_behind_and_of_no_other_session() {
    let folders = Folders::new();
    for (session, code) in [("two", 6), ("one", 5)] {
        let line = format!("until [ -e gate ]; do sleep 0.02; done; exit {code}");
        let said = folders.run(&["run", "--session", session, "--timeout", "2m", "--", &line]);
        assert_eq!(said.code, 0, "{said:?}");
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
    let other = eventually(|| left.folders.inbox("two").pop());
    assert_eq!(other.unwrap()["exit_code"], 6);
    assert!(left.folders.inbox("one").is_empty());
}

#[test]
fn a_task_of_a_session_is_stopped_from_elsewhere() {
    let mut session = start(Folders::new(), "thread");
    let answer = session.background("echo $$ > pid; sleep 300");
    let pids = session.folders.pids("pid");
    let id = answer["task"]["id"].as_str().unwrap();
    let said = session.folders.run(&["stop", id]);
    assert_eq!(said.code, 0, "{said:?}");
    let told = session.wait();
    assert_eq!(told["items"][0]["status"], "stopped");
    assert_gone(&pids);
    session.end();
}

#[test]
fn what_a_followed_run_has_shown_is_told_and_the_rest_is_not() {
    let folders = Folders::new();
    let said = folders.run(&["run", "--session", "one", "--", "exit 5"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = folders.run(&["run", "--wait", "--session", "one", "--", "exit 6"]);
    assert_eq!(said.code, 6, "{said:?}");
    assert!(
        said.stderr.contains("exit code 6") && !said.stderr.contains("exit code 5"),
        "{said:?}"
    );
    let told = eventually(|| folders.inbox("one").pop()).unwrap();
    assert_eq!(told["exit_code"], 5);
    assert!(folders.inbox("one").is_empty());
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
    let told = eventually(|| folders.inbox("one").pop()).unwrap();
    assert_eq!(told["status"], "lost");
    assert_gone(&pids);
}

#[test]
fn the_time_that_a_command_usually_takes_is_shown() {
    let folders = Folders::new();
    // Long enough for the line to be drawn on a slow machine.
    let shown = || on_terminal(&folders, "run --wait -- 'sleep 2'", &[]);
    let (Some((_, first)), Some((_, second))) = (shown(), shown()) else {
        return;
    };
    assert!(!first.contains("usual"), "nothing is known yet: {first}");
    // How long it took is up to the machine.
    assert!(second.contains("usual") && second.contains("━"), "{second}");
}

#[test]
fn an_ending_that_could_not_be_shown_stays_pending() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["run", "--wait", "--session", "one", "--", "exit 3"]);
    let (reader, stderr) = std::io::pipe().unwrap();
    drop(reader);
    let code = program.stdout(Stdio::null()).stderr(stderr).status();
    assert_eq!(code.unwrap().code(), Some(3));
    let told = folders.inbox("one");
    assert_eq!(told.len(), 1, "nobody could read it");
    assert_eq!(told[0]["exit_code"], 3);
}
