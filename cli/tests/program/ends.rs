//! How a session ends: the end of its input, signals, a client who is gone. And what is left: nothing.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{
    Folders, PROGRAM, Session, assert_gone, eventually, exit_status, is_alive, on_each_backend,
};

mod on {
    use super::on_each_backend;

    on_each_backend! {
        the_end_of_stdin_stops_the_whole_tree
        a_signal_stops_all_and_answers_all
        nobody_reading_stops_all
    }
}

/// A shell, its child, and a descendant that left the group, all deaf to SIGTERM.
const DEAF_TREE: &str = "trap '' TERM; sleep 300 & a=$!; setsid sleep 300 & \
    echo $$ $a $! > pids.new; mv pids.new pids; wait; wait";

fn deaf_tree(session: &mut Session) -> Vec<i32> {
    let input = json!({"command": DEAF_TREE, "run_in_background": true, "grace": 100});
    session.call("deaf", "Bash", input);
    session.result("deaf");
    session.folders.pids("pids")
}

fn the_end_of_stdin_stops_the_whole_tree(backend: &str) {
    let mut session = Session::start(backend, &[]);
    let pids = deaf_tree(&mut session);
    let left = session.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_gone(&pids);
    let items = left.items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["status"], "stopped");
    assert_eq!(items[0]["ended_by"], "shutdown");
}

fn a_signal_stops_all_and_answers_all(backend: &str) {
    let mut session = Session::start(backend, &[]);
    let pids = deaf_tree(&mut session);
    session.call(
        "foreground",
        "Bash",
        json!({"command": "echo $$ > foreground; sleep 300"}),
    );
    let foreground = session.folders.pids("foreground");
    session.send(&json!({"type": "wait"}));
    session.signal(Signal::TERM);
    let left = session.finish();
    assert_eq!(left.code, Some(128 + 15), "{}", left.stderr);
    assert_gone(&pids);
    assert_gone(&foreground);
    let answer = left.result("foreground");
    assert_eq!(answer["is_error"], true, "{answer}");
    assert_eq!(answer["task"]["status"], "stopped", "{answer}");
    assert_eq!(left.items().len(), 1);
}

fn nobody_reading_stops_all(backend: &str) {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["session", "--backend", backend]);
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.as_mut().unwrap();
    let input = json!({"command": DEAF_TREE, "run_in_background": true, "grace": 100});
    let line = json!({"type": "tool_use", "name": "Bash", "input": input});
    // Of the wait nothing is written that could fail: the missing reader must be seen by itself.
    std::io::Write::write_all(stdin, format!("{line}\n{{\"type\":\"wait\"}}\n").as_bytes())
        .unwrap();
    let pids = folders.pids("pids");
    drop(child.stdout.take());
    let status = exit_status(&mut child);
    assert_eq!(status.code(), Some(125));
    assert_gone(&pids);
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn the_exit_code_names_the_signal() {
    for (signal, code) in [(Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)] {
        let mut session = Session::start("thread", &[]);
        session.turn();
        session.signal(signal);
        assert_eq!(session.finish().code, Some(code));
    }
}

#[test]
fn a_second_signal_cuts_the_grace_short() {
    let mut session = Session::start("thread", &[]);
    let command =
        "trap 'echo asked > asked' TERM; echo $$ > pid; while :; do sleep 300 & wait; done";
    let input = json!({"command": command, "run_in_background": true, "grace": 3_600_000});
    session.call("deaf", "Bash", input);
    let pids = session.folders.pids("pid");
    session.signal(Signal::TERM);
    session.folders.written("asked");
    assert!(is_alive(pids[0]));
    session.signal(Signal::INT);
    let left = session.finish();
    assert_eq!(left.code, Some(128 + 15), "{}", left.stderr);
    assert_gone(&pids);
    assert_eq!(left.items().len(), 1);
}

#[test]
fn no_grace_keeps_a_session_that_is_over() {
    let mut session = Session::start("thread", &[]);
    let command = "trap '' TERM; echo $$ > pid; while :; do sleep 300 & wait; done";
    let input = json!({"command": command, "run_in_background": true, "grace": 600_000});
    session.call("deaf", "Bash", input);
    let pids = session.folders.pids("pid");
    let left = session.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_gone(&pids);
    let items = left.items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["status"], "stopped");
}

#[test]
fn a_signal_that_the_parent_blocked_is_seen_all_the_same() {
    let block = ["--block-signal=TERM"];
    let can_block = Command::new("env").args(block).arg("true").output();
    if !can_block.is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: there is no `env` that can block a signal");
        return;
    }
    let folders = Folders::new();
    let mut program = folders.prepare(Command::new("env"));
    program.args(block).args([PROGRAM, "session"]);
    let mut session = Session::of(folders, program);
    session.turn();
    session.signal(Signal::TERM);
    assert_eq!(session.finish().code, Some(128 + 15));
}

#[test]
fn under_nohup_a_hang_up_changes_nothing() {
    let folders = Folders::new();
    let mut shell = folders.prepare(Command::new("/bin/sh"));
    shell
        .arg("-c")
        .arg(format!("trap '' HUP; exec '{PROGRAM}' session"));
    let mut session = Session::of(folders, shell);
    session.turn();
    session.signal(Signal::HUP);
    assert_eq!(session.turn()["count"], 0);
    assert_eq!(session.end().code, Some(0));
}

#[test]
fn a_foreground_call_may_end_after_the_input() {
    let mut session = Session::start("thread", &[]);
    session.call("short", "Bash", json!({"command": "sleep 0.1; echo short"}));
    session.call(
        "long",
        "Bash",
        json!({"command": "echo $$ > long; sleep 300"}),
    );
    let pids = session.folders.pids("long");
    let left = session.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_eq!(left.result("short")["task"]["status"], "completed");
    assert_eq!(left.result("long")["task"]["status"], "stopped");
    assert_eq!(left.result("long")["is_error"], true);
    assert_gone(&pids);
    assert!(left.items().is_empty(), "what was answered is not told");
}

#[test]
fn at_end_wait_waits_for_all() {
    let mut session = Session::start("thread", &["--at-end", "wait"]);
    session.background("sleep 0.5; exit 5");
    let left = session.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let items = left.items();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["exit_code"], 5);
}

#[test]
fn a_wait_outlives_stdin() {
    let mut session = Session::start("thread", &[]);
    session.background("until [ -e gate ]; do sleep 0.02; done");
    session.send(&json!({"type": "wait"}));
    session.close_stdin();
    std::fs::write(session.folders.work("gate"), "").unwrap();
    let left = session.finish();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_eq!(left.items()[0]["status"], "completed");
}

#[test]
fn more_than_one_text_holds_is_told_to_the_last() {
    const TASKS: usize = 2_000;
    let mut session = Session::start("thread", &["--at-end", "wait"]);
    for _ in 0..TASKS {
        let input = json!({"command": "exit 1", "run_in_background": true});
        session.send(&json!({"type": "tool_use", "name": "Bash", "input": input}));
    }
    let left = session.end();
    assert_eq!(left.items().len(), TASKS);
    let texts = left
        .lines
        .iter()
        .filter(|line| line["type"] == "notifications");
    assert!(texts.count() > 1, "the test is too small");
}

#[test]
fn pipes_in_non_blocking_mode_are_waited_for() {
    const TURN: &[u8] = b"{\"type\":\"turn\"}\n";
    let folders = Folders::new();
    let (their_stdin, mut stdin) = std::io::pipe().unwrap();
    let (stdout, their_stdout) = std::io::pipe().unwrap();
    for end in [their_stdin.as_fd(), their_stdout.as_fd()] {
        let flags = rustix::fs::fcntl_getfl(end).unwrap();
        rustix::fs::fcntl_setfl(end, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    }
    let mut program = folders.program();
    program
        .arg("session")
        .stdin(their_stdin)
        .stdout(their_stdout);
    let mut child = program.spawn().unwrap();
    drop(program);
    let mut stdout = BufReader::new(stdout);
    // One at a time: stdin is empty before each.
    for _ in 0..20 {
        stdin.write_all(TURN).unwrap();
        stdout.read_line(&mut String::new()).unwrap();
    }
    // All at once, and more answers than a pipe holds: stdout is full before one is read.
    let turns = 3_000;
    for _ in 0..turns {
        stdin.write_all(TURN).unwrap();
    }
    drop(stdin);
    eventually(|| (rustix::io::ioctl_fionread(stdout.get_ref()).unwrap() > 60_000).then_some(()));
    assert_eq!(stdout.lines().count(), turns);
    assert!(exit_status(&mut child).success());
}

#[test]
fn the_folder_of_an_unused_session_is_removed() {
    let mut session = Session::start("thread", &["--session", "../x"]);
    let spool = session.folders.state().join("spool");
    session.turn();
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 1);
    let left = session.end();
    assert_eq!(left.code, Some(0));
    assert!(
        eventually(|| (std::fs::read_dir(&spool).unwrap().count() == 0).then_some(())).is_some()
    );
}
