//! `meanwhile inbox`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use meanwhile_core::{Ending, Exit, ExitStatus, Notification, NotificationQueue, Owner, TaskId};
use meanwhile_queue::StoreOptions;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{PATIENCE, eventually, exit_status};
use crate::tasks::{AGENT, Tasks};
use crate::terminal::on_terminal;

fn follow(tasks: &Tasks, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut program = tasks.command(&[&["inbox", "--follow"], args].concat());
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

fn line(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line
}

/// Waits until what was told is acknowledged, too.
fn is_taken(tasks: &Tasks) {
    let is_taken = || tasks.pending(AGENT).is_empty().then_some(());
    eventually(is_taken).expect("what was told is taken");
}

#[test]
fn what_ended_is_told_once_and_to_its_session_alone() {
    let tasks = Tasks::new();
    let mine = tasks.ended(&["--", "echo said; exit 3"]);
    let other = tasks.launch_of("other", &["--", "true"]);
    tasks.run_of("nobody", &["wait", &other]);

    let said = tasks.run(&["inbox"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    for words in ["Background task", &*mine, "exit code 3", "| said"] {
        assert!(said.stdout.contains(words), "{words}: {said:?}");
    }
    assert!(!said.stdout.contains(&*other), "{said:?}");
    let said = tasks.run(&["inbox"]);
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (0, "", "")
    );
    assert_eq!(tasks.run(&["inbox", "--json"]).json(), json!([]));
    let items = tasks.run(&["inbox", "--json", "--session", "other"]).json();
    assert_eq!(items[0]["task_id"], *other);
    assert_eq!(tasks.pending("other"), [""; 0]);
}

#[test]
fn peeking_takes_nothing() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", "exit 3"]);
    let peeked = tasks.run(&["inbox", "--peek"]);
    assert!(peeked.stdout.contains(&*id), "{peeked:?}");
    assert_eq!(tasks.pending(AGENT), [&*id]);
    assert_eq!(
        tasks.run(&["inbox"]).stdout,
        peeked.stdout,
        "the same as is told then"
    );
    assert_eq!(tasks.run(&["inbox", "--peek"]).stdout, "");
}

#[test]
fn what_could_not_be_written_stays() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", "true"]);
    for args in [&["inbox"][..], &["inbox", "--json"], &["inbox", "--follow"]] {
        let said = tasks.run_into_full_disk(args);
        assert_eq!(said.code, 125, "{said:?}");
        assert!(said.stderr.contains("stdout"), "{said:?}");
        assert_eq!(tasks.pending(AGENT), [&*id], "{args:?}");
    }
    assert!(
        tasks.run(&["inbox"]).stdout.contains(&*id),
        "and is free for the next"
    );
}

/// Has so many endings told to the agent, without running anything.
fn push(tasks: &Tasks, count: usize) -> Vec<TaskId> {
    let store = StoreOptions::new(tasks.folders.state(), |orphans| vec![0; orphans.len()]);
    let store = store.open().unwrap();
    let ids: Vec<_> = (0..count).map(|_| TaskId::random()).collect();
    for id in &ids {
        let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
        store.push(Notification::ended(*id, Owner::new(AGENT), "true", exit));
    }
    store.sync(PATIENCE).unwrap();
    ids
}

#[test]
fn however_many_ended_all_are_told() {
    let tasks = Tasks::new();
    let ids = push(&tasks, 4_000);
    let peeked = tasks.run(&["inbox", "--peek"]);
    let taken = tasks.run(&["inbox"]);
    for said in [peeked, taken] {
        let is_told = |id: &TaskId| said.stdout.contains(id.as_str());
        assert!(ids.iter().all(is_told), "{}", said.stdout.len());
    }
    assert_eq!(tasks.run(&["inbox"]).stdout, "");
}

#[test]
fn a_reader_who_is_stuck_keeps_nothing_from_the_next() {
    let tasks = Tasks::new();
    // More than fits into a pipe.
    let ids = push(&tasks, 1_000);
    let mut program = tasks.command(&["inbox", "--json"]);
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(exit_status(&mut child).code(), Some(143));
    let items = tasks.run(&["inbox", "--json"]).json();
    assert_eq!(items.as_array().unwrap().len(), ids.len());
}

#[test]
fn following_tells_of_each_when_it_ends() {
    let tasks = Tasks::new();
    let before = tasks.ended(&["--", "exit 3"]);
    let (mut follower, mut lines) = follow(&tasks, &[]);
    let said = line(&mut lines);
    assert!(
        said.starts_with(&*before) && said.ends_with("exit 3\n"),
        "{said}"
    );
    for code in ["4", "5"] {
        let id = tasks.launch(&["--", &format!("exit {code}")]);
        let said = line(&mut lines);
        assert!(
            said.starts_with(&*id) && said.contains(&format!("exit code {code}")),
            "{said}"
        );
    }
    is_taken(&tasks);
    kill_process(Pid::from_child(&follower), Signal::TERM).unwrap();
    assert_eq!(exit_status(&mut follower).code(), Some(143));
}

#[test]
fn following_ends_with_its_reader_and_takes_nothing_more() {
    let tasks = Tasks::new();
    let first = tasks.ended(&["--", "true"]);
    let (mut follower, mut lines) = follow(&tasks, &["--json"]);
    let item: Value = serde_json::from_str(&line(&mut lines)).unwrap();
    assert_eq!(
        (&item["task_id"], &item["status"]),
        (&json!(first), &json!("completed"))
    );
    is_taken(&tasks);
    drop(lines);
    assert_eq!(exit_status(&mut follower).code(), Some(0));
    let second = tasks.ended(&["--", "true"]);
    assert_eq!(tasks.pending(AGENT), [second]);
}

#[test]
fn on_a_terminal_it_says_that_there_is_nothing() {
    let tasks = Tasks::new();
    let Some((code, shown)) = on_terminal(&tasks.folders, "inbox", &[]) else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Nothing has ended"), "{shown}");
    assert!(!shown.contains("meanwhile ls"), "{shown}");

    tasks.ended(&["--", "true"]);
    let (_, shown) = on_terminal(&tasks.folders, "inbox --session other", &[]).unwrap();
    assert!(
        shown.contains("Nothing has ended") && shown.contains("meanwhile ls"),
        "{shown}"
    );
}
