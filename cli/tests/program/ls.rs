//! `meanwhile ls`.

use serde_json::{Value, json};

use crate::support::Said;
use crate::tasks::Tasks;
use crate::terminal::on_terminal;

/// The ids in the first column.
fn ids(said: &Said) -> Vec<&str> {
    let lines = said.stdout.lines().skip(1);
    lines
        .map(|line| line.split_whitespace().next().unwrap())
        .collect()
}

#[test]
fn where_there_is_nothing_a_word_goes_to_stderr() {
    let tasks = Tasks::new();
    for args in [&["ls"][..], &["ls", "--all"], &["ls", "--session", "other"]] {
        let said = tasks.run(args);
        assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{said:?}");
        assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
    }
    let said = tasks.run(&["ls", "--json"]);
    assert_eq!((said.json(), said.stderr.as_str()), (json!([]), ""));
}

#[test]
fn what_runs_and_what_is_unread_is_listed_and_with_all_the_rest_too() {
    let tasks = Tasks::new();
    let told = tasks.ended(&["--", "exit 3"]);
    tasks.run(&["inbox"]);
    let running = tasks.behind_gate("");
    let unread = tasks.ended(&["--", "kill -SEGV $$"]);

    let said = tasks.run(&["ls"]);
    assert_eq!(
        ids(&said),
        [&*running, &*unread],
        "in the order of the launches: {said:?}"
    );
    assert!(said.stdout.contains(" running "), "{said:?}");
    assert!(said.stdout.contains(" failed (SIGSEGV) "), "{said:?}");
    let said = tasks.run(&["ls", "--all"]);
    assert_eq!(ids(&said), [&*told, &*running, &*unread], "{said:?}");
    assert!(said.stdout.contains(" failed (3) "), "{said:?}");
    assert!(!said.stdout.contains("SESSION"), "{said:?}");
}

#[test]
fn sessions_are_told_apart_where_there_are_several() {
    let tasks = Tasks::new();
    let mine = tasks.ended(&["--", "true"]);
    let other = tasks.launch_of("other", &["--", "true"]);
    let said = tasks.run(&["ls", "--all"]);
    assert_eq!(ids(&said), [&*mine, &*other], "{said:?}");
    assert!(
        said.stdout.contains("SESSION") && said.stdout.contains(" other "),
        "{said:?}"
    );
    let said = tasks.run(&["ls", "--all", "--session", "other"]);
    assert_eq!(ids(&said), [&*other], "{said:?}");
}

#[test]
fn json_has_the_fields_of_an_item_whether_the_task_has_ended_or_not() {
    const FIELDS: [&str; 18] = [
        "command",
        "description",
        "dropped_bytes",
        "duration_ms",
        "ended_at",
        "ended_by",
        "event_id",
        "exit_code",
        "launched_at",
        "output",
        "output_bytes",
        "output_path",
        "session",
        "signal",
        "started_at",
        "status",
        "survivors",
        "task_id",
    ];
    let fields = |task: &Value| {
        let mut names: Vec<_> = task.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let tasks = Tasks::new();
    let running = tasks.behind_gate("");
    let ended = tasks.ended(&["--description", "Try it", "--", "echo tried; exit 3"]);
    let listed = tasks.run(&["ls", "--json"]).json();

    assert_eq!(fields(&listed[0]), FIELDS);
    assert_eq!(listed[0]["task_id"], *running);
    assert_eq!(listed[0]["status"], "running");
    assert_eq!(
        (&listed[0]["output"], &listed[0]["output_bytes"]),
        (&json!("begun\n"), &json!(6))
    );
    for field in ["event_id", "exit_code", "signal", "ended_by", "ended_at"] {
        assert_eq!(listed[0][field], Value::Null, "{field}");
    }
    assert_eq!(fields(&listed[1]), FIELDS);
    let item = &tasks.run(&["inbox", "--peek", "--json"]).json()[0];
    for (field, value) in item.as_object().unwrap() {
        assert_eq!(listed[1][field], *value, "{field}");
    }
    assert_eq!(listed[1]["task_id"], *ended);
    assert_eq!(
        (&listed[1]["status"], &listed[1]["exit_code"]),
        (&json!("failed"), &json!(3))
    );
    assert_eq!(listed[1]["description"], "Try it");
}

#[test]
fn a_pipe_gets_whole_lines_without_colour_and_a_terminal_what_fits_in_colour() {
    let tasks = Tasks::new();
    let long = format!("echo '\x1b[31mred'; # {}", "word ".repeat(40));
    let command = format!("true\n{long}");
    tasks.ended(&["--", &command]);
    let said = tasks.run(&["ls"]);
    assert_eq!(said.stdout.lines().count(), 2, "{said:?}");
    assert!(said.stdout.trim_end().ends_with("word word"), "{said:?}");
    assert!(!said.stdout.contains('\x1b'), "{said:?}");

    let Some((_, shown)) = on_terminal(&tasks.folders, "ls", &[]) else {
        return;
    };
    assert!(
        shown.contains("\x1b[") && !shown.contains("\x1b[31mred"),
        "{shown:?}"
    );
    let plain = on_terminal(&tasks.folders, "ls", &[("NO_COLOR", "1")])
        .unwrap()
        .1;
    assert!(!plain.contains('\x1b'), "{plain:?}");
    for line in plain.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(plain.trim_end().ends_with('…'), "{plain:?}");
}

#[test]
fn a_command_that_is_a_whole_script_does_not_drown_the_others() {
    let tasks = Tasks::new();
    let script = format!("true '{}'", "x".repeat(100_000));
    tasks.ended(&["--", &script]);
    let listed = tasks.run(&["ls"]).stdout;
    assert!(listed.len() < 1_000, "{} bytes", listed.len());
    assert!(listed.contains("true 'xxx"), "{listed}");
    assert!(tasks.run(&["ls", "--json"]).stdout.contains(&script));
}

#[test]
fn a_reader_who_had_enough_is_no_error() {
    let tasks = Tasks::new();
    tasks.ended(&["--", "true"]);
    let said = tasks.run(&["ls"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = tasks.run_into_full_disk(&["ls"]);
    assert_eq!(said.code, 125, "{said:?}");
    assert!(said.stderr.contains("stdout"), "{said:?}");
}
