//! `meanwhile wait`.

use std::fs;
use std::process::Stdio;

use crate::support::{exit_status, kill};
use crate::tasks::{AGENT, Tasks};
use crate::terminal::on_terminal;

#[test]
fn the_exit_code_is_that_of_the_task() {
    let tasks = Tasks::new();
    for (args, code) in [
        (&["--", "true"][..], 0),
        (&["--", "exit 7"], 7),
        (&["--", "kill -KILL $$"], 128 + 9),
        (&["--timeout", "100ms", "--", "sleep 300"], 124),
        (&["--", "./no-such-program", "argument"], 126),
    ] {
        let id = tasks.launch(args);
        // While it runs, perhaps, and certainly after.
        for _ in 0..2 {
            let said = tasks.run(&["wait", &id]);
            assert_eq!(said.code, code, "{args:?}: {said:?}");
            assert!(
                said.stdout.contains("Background task") && said.stdout.contains(&*id),
                "{said:?}"
            );
        }
    }
}

#[test]
fn of_several_the_first_that_failed_decides() {
    let tasks = Tasks::new();
    let good = tasks.launch(&["--", "true"]);
    let bad = tasks.launch(&["--", "exit 3"]);
    let worse = tasks.launch(&["--", "exit 4"]);
    let ids = [&*good, &*bad, &*worse, &*good];
    let said = tasks.run(&[&["wait", "--json"], &ids[..]].concat());
    assert_eq!(said.code, 3, "{said:?}");
    let items = said.json();
    let told: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["task_id"].as_str().unwrap())
        .collect();
    assert_eq!(told, ids[..3], "in the order given, each once");
    assert_eq!(tasks.run(&["wait", &good]).code, 0);
}

#[test]
fn any_is_over_with_the_first_and_tells_of_no_other() {
    let tasks = Tasks::new();
    let slow = tasks.behind_gate("");
    let first = tasks.launch(&["--", "exit 5"]);
    let said = tasks.run(&["wait", "--any", "--json", &slow, &first]);
    assert_eq!(
        (said.code, &said.json()[0]["task_id"]),
        (5, &first.as_str().into()),
        "{said:?}"
    );
    tasks.open_gate();
    tasks.run_of("nobody", &["wait", &slow]);
    let said = tasks.run(&["wait", "--any", "--json", &slow, &first]);
    assert_eq!(
        (said.code, said.json().as_array().unwrap().len()),
        (5, 1),
        "it ended first: {said:?}"
    );
    assert_eq!(tasks.pending(AGENT), [slow], "nobody was told of this one");
}

#[test]
fn a_wait_that_takes_too_long_says_who_is_not_over() {
    let tasks = Tasks::new();
    let slow = tasks.behind_gate("");
    let ended = tasks.ended(&["--", "exit 3"]);
    let said = tasks.run(&["wait", "--timeout", "50ms", &ended, &slow]);
    assert_eq!(said.code, 124, "{said:?}");
    assert!(
        said.stdout.contains(&*ended) && !said.stdout.contains(&*slow),
        "{said:?}"
    );
    assert!(said.stderr.contains(&*slow), "{said:?}");
    assert_eq!(
        tasks.run(&["ls", "--json"]).json()[0]["status"],
        "running",
        "the task runs on"
    );
}

#[test]
fn what_was_told_is_not_told_again() {
    let tasks = Tasks::new();
    let id = tasks.launch(&["--", "true"]);
    assert_eq!(tasks.run_of("person", &["wait", &id]).code, 0);
    assert_eq!(tasks.run_into_full_disk(&["wait", &id]).code, 125);
    assert_eq!(tasks.pending(AGENT), [&*id]);
    tasks.run(&["wait", &id]);
    assert_eq!(tasks.pending(AGENT), [""; 0]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_death_of_the_program_that_runs_a_task_ends_the_wait() {
    let tasks = Tasks::new();
    let id = tasks.behind_gate("");
    let pid = &tasks.run(&["show", "--json", &id]).json()["pid"];
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let supervisor = fields.split(' ').nth(1).unwrap().parse().unwrap();
    let mut program = tasks.command(&["wait", &id]);
    let mut waiting = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    kill(supervisor);
    assert_eq!(exit_status(&mut waiting).code(), Some(125));
    let said = tasks.run(&["show", "--json", &id]).json();
    assert_eq!(said["status"], "lost", "{said}");
}

#[test]
fn a_terminal_shows_what_is_waited_for_until_it_is_over() {
    let tasks = Tasks::new();
    let id = tasks.launch(&["--description", "Try it", "--", "echo working; sleep 2"]);
    let Some((code, shown)) = on_terminal(&tasks.folders, &format!("wait {id}"), &[]) else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    let (before, after) = shown.split_once("Background task").unwrap();
    assert!(
        before.contains("Try it") && before.contains("working"),
        "{shown}"
    );
    assert!(after.contains("completed"), "{shown}");
}
