//! `meanwhile logs`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{exit_status, output};
use crate::tasks::Tasks;

fn follow(tasks: &Tasks, id: &str) -> Child {
    let mut program = tasks.command(&["logs", "-f", id]);
    program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn bytes_are_printed_as_they_are() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", r"printf 'a\0\377\033[31m\r\n\nlast'; printf err >&2"]);
    let (code, stdout, stderr) = output(tasks.command(&["logs", &id]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, b"a\0\xff\x1b[31m\r\n\nlasterr");
}

#[test]
fn the_end_can_be_had_by_lines_and_by_bytes() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", r"printf 'one\ntwo\nthree\n'"]);
    for (args, printed) in [
        (["--tail", "1"], "three\n"),
        (["--tail", "2"], "two\nthree\n"),
        (["--tail", "9"], "one\ntwo\nthree\n"),
        (["--tail", "0"], ""),
        (["--offset", "4"], "two\nthree\n"),
        (["--offset", "14"], ""),
        (["--offset", "99"], ""),
    ] {
        for follow in [&["logs"][..], &["logs", "--follow"]] {
            let said = tasks.run(&[follow, &args[..], &[&*id]].concat());
            assert_eq!(
                (said.code, said.stdout.as_str()),
                (0, printed),
                "{args:?}: {said:?}"
            );
        }
    }
    let said = tasks.run(&["logs", "--tail", "1", "--offset", "1", &id]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.stderr.contains("--tail") && said.stderr.contains("--offset"),
        "{said:?}"
    );
    let said = tasks.run(&["logs", "--stderr", &id]);
    assert_eq!(said.code, 125, "it has one file: {said:?}");
}

#[test]
fn following_goes_on_through_the_end() {
    let tasks = Tasks::new();
    let id = tasks.behind_gate("seq 100000; exit 3");
    let mut follower = follow(&tasks, &id);
    let mut lines = BufReader::new(follower.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n", "told while it runs");
    tasks.open_gate();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(
        rest.starts_with("1\n2\n") && rest.ends_with("99999\n100000\n"),
        "{} bytes",
        rest.len()
    );
    assert_eq!(exit_status(&mut follower).code(), Some(0));
}

#[test]
fn following_ends_quietly_when_nobody_reads() {
    let tasks = Tasks::new();
    let id = tasks.behind_gate("");
    let mut follower = follow(&tasks, &id);
    drop(follower.stdout.take());
    assert_eq!(exit_status(&mut follower).code(), Some(0));
    let mut follower = follow(&tasks, &id);
    let mut lines = BufReader::new(follower.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    kill_process(Pid::from_child(&follower), Signal::INT).unwrap();
    assert_eq!(exit_status(&mut follower).code(), Some(130));
    assert_eq!(
        tasks.run(&["ls", "--json"]).json()[0]["status"],
        "running",
        "the task was not touched"
    );
}

#[test]
fn dropped_bytes_are_told_where_they_are_missing() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--output-limit", "64K", "--", "seq 100000"]);
    let task = tasks.run(&["show", "--json", &id]).json();
    let dropped = task["dropped_bytes"].as_u64().unwrap();
    let said = tasks.run(&["logs", &id]);
    let printed = said.stdout.len() as u64;
    if dropped == 0 {
        // The file system knows no holes.
        assert_eq!((printed, said.stderr.as_str()), (588_895, ""));
        return;
    }
    assert_eq!(printed + dropped, 588_895, "{}", said.stderr);
    assert!(said.stdout.starts_with("1\n2\n") && said.stdout.ends_with("\n100000\n"));
    assert!(!said.stdout.contains('\0'));
    assert!(
        said.stderr.contains(&format!("{dropped} bytes")),
        "{}",
        said.stderr
    );
}

#[test]
fn output_that_was_removed_is_told() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", "echo said"]);
    let task = tasks.run(&["show", "--json", &id]).json();
    let path = task["output_path"].as_str().unwrap();
    fs::remove_file(path).unwrap();
    for args in [&["logs", &id][..], &["logs", "-f", &id]] {
        let said = tasks.run(args);
        assert_eq!((said.code, said.stdout.as_str()), (125, ""), "{said:?}");
        for words in [path, "removed"] {
            assert!(said.stderr.contains(words), "{said:?}");
        }
    }
    // An excerpt says how much is missing, and no more.
    let excerpt = &tasks.run(&["ls", "--all", "--json"]).json()[0]["output"];
    assert!(
        excerpt.as_str().unwrap().contains("5 of 5 bytes"),
        "{excerpt}"
    );
    assert_eq!(tasks.run(&["show", &id]).code, 0);
}

#[test]
fn a_task_that_was_never_started_wrote_nothing() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--cwd", "no-such-folder", "--", "true"]);
    for args in [&["logs", &id][..], &["logs", "-f", &id]] {
        let said = tasks.run(args);
        assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{said:?}");
    }
}
