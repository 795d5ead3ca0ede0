//! `meanwhile show`, and what the commands for one task have in common.

use crate::tasks::{AGENT, Tasks};

#[test]
fn everything_is_shown_but_the_values_of_variables() {
    let tasks = Tasks::new();
    let id = tasks.ended(&[
        "--description",
        "Try \x1b[31mit",
        "--cwd",
        "/",
        "--env",
        "TOKEN=hunter2",
        "--timeout",
        "5m",
        "--",
        "printf 'one\\n\\033[31mtwo\\n'; exit 3",
    ]);
    let said = tasks.run_of("person", &["show", &id]);
    assert_eq!(said.code, 0, "{said:?}");
    for words in [
        &*id,
        "failed with exit code 3",
        "Try",
        "TOKEN",
        "5 m",
        AGENT,
        "pending",
        "itself",
        "| one\n| two\n",
    ] {
        assert!(said.stdout.contains(words), "{words}: {said:?}");
    }
    let json = tasks.run_of("person", &["show", &id, "--json"]);
    let task = json.json();
    assert_eq!(task["task_id"], *id);
    assert_eq!(task["session"], AGENT);
    assert_eq!(task["cwd"], "/");
    assert_eq!(task["env"][0], "TOKEN");
    assert_eq!(task["timeout_ms"], 300_000);
    assert_eq!(task["notification"], "pending");
    assert_eq!(task["output"], "one\ntwo\n");
    for said in [said, json] {
        assert!(
            !said.stdout.contains("hunter2") && !said.stdout.contains('\x1b'),
            "{said:?}"
        );
    }
}

#[test]
fn a_task_that_runs_is_shown_as_it_is() {
    let tasks = Tasks::new();
    let id = tasks.behind_gate("");
    let said = tasks.run(&["show", &id]);
    assert!(said.stdout.contains("running for"), "{said:?}");
    let task = tasks.run(&["show", &id, "--json"]).json();
    assert_eq!(
        (task["status"].as_str(), task["notification"].as_str()),
        (Some("running"), Some("none"))
    );
    assert!(task["pid"].as_i64().unwrap() > 1, "{task}");
}

#[test]
fn a_person_who_looks_takes_nothing_away_from_the_agent() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", "true"]);
    tasks.run_of("person", &["show", &id]);
    tasks.run_of("person", &["wait", &id]);
    assert_eq!(tasks.pending(AGENT), [&*id]);
    // What was not handed over was not told.
    assert_eq!(tasks.run_into_full_disk(&["show", &id]).code, 125);
    assert_eq!(tasks.pending(AGENT), [&*id]);
    tasks.run(&["show", &id]);
    assert_eq!(tasks.pending(AGENT), [""; 0]);
    assert_eq!(
        tasks.run(&["show", &id, "--json"]).json()["notification"],
        "told"
    );
}

#[test]
fn an_id_that_is_not_known_is_named_with_what_to_try() {
    let tasks = Tasks::new();
    let id = tasks.behind_gate("");
    let mistyped = format!("{}{}", &id[..9], if id.ends_with('b') { 'c' } else { 'b' });
    for command in ["show", "logs", "wait", "stop"] {
        for (text, advice) in [
            ("zzzzzzzzzz", "meanwhile ls --all"),
            ("1234", "meanwhile ls --all"),
            ("../../x", "meanwhile ls --all"),
            (&mistyped, &format!("did you mean {id}?")),
            (&id[..5], &format!("did you mean {id}?")),
        ] {
            let said = tasks.run(&[command, text]);
            assert_eq!(
                (said.code, said.stdout.as_str()),
                (125, ""),
                "{command} {text}: {said:?}"
            );
            assert!(said.stderr.contains(text), "{command} {text}: {said:?}");
            assert!(said.stderr.contains(advice), "{command} {text}: {said:?}");
        }
    }
    assert_eq!(
        tasks.run(&["ls", "--json"]).json()[0]["status"],
        "running",
        "it was not touched"
    );
}
