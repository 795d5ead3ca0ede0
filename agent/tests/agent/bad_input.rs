//! Bad input is an answer that names the field, and launches nothing.

use crate::world::World;
use serde_json::{Value, json};

#[track_caller]
fn refused(name: &str, input: Value, words: &[&str]) {
    let world = World::new();
    let answer = world.call(name, input.clone());
    assert!(answer.is_error, "{name} {input}: {}", answer.content);
    for word in words {
        assert!(
            answer.content.contains(word),
            "{name} {input}: {}",
            answer.content
        );
    }
    assert_eq!(answer.task, None);
    assert_eq!(world.tasks.list().len(), 0, "{name} {input}");
}

#[test]
fn the_field_and_what_would_be_right_are_named() {
    let bash = |field: &str, value: Value| {
        let mut input = json!({"command": "true"});
        input[field] = value;
        input
    };
    let millis = "`timeout` must be a whole number of milliseconds above 0, not ";
    refused("Bash", json!({}), &["`command` is missing", "string"]);
    refused("Bash", json!(null), &["`command` is missing"]);
    refused("Bash", json!({"command": null}), &["`command` is missing"]);
    refused(
        "Bash",
        json!({"command": ["ls"]}),
        &["`command` must be a string", "[\"ls\"]"],
    );
    refused("Bash", json!({"command": ""}), &["`command` is empty"]);
    refused(
        "Bash",
        json!({"command": "a\0b"}),
        &["`command` has a NUL byte"],
    );
    refused(
        "Bash",
        json!("ls"),
        &["`input` must be an object", "\"ls\""],
    );
    refused(
        "Bash",
        bash("timeout", json!("soon")),
        &[millis, "\"soon\""],
    );
    refused("Bash", bash("timeout", json!(-1)), &[millis, "-1"]);
    refused("Bash", bash("timeout", json!(0)), &[millis, "not 0"]);
    refused("Bash", bash("timeout", json!(1.5)), &[millis, "1.5"]);
    refused("Bash", bash("timeout", json!(1e30)), &[millis, "1e+30"]);
    refused("Bash", bash("timeout", json!(true)), &[millis, "true"]);
    refused(
        "Bash",
        bash("grace", json!(-5)),
        &["`grace` must be", "0 or above", "-5"],
    );
    refused(
        "Bash",
        bash("description", json!(7)),
        &["`description` must be a string"],
    );
    refused(
        "Bash",
        bash("run_in_background", json!("yes")),
        &["`run_in_background`", "true or false"],
    );
    refused(
        "Bash",
        bash("on_timeout", json!("kill")),
        &["\"stop\" or \"background\"", "\"kill\""],
    );
    refused(
        "Bash",
        bash("notify", json!("never")),
        &["\"always\" or \"on_failure\""],
    );
    refused("Bash", bash("cwd", json!(1)), &["`cwd` must be a string"]);
    refused("Bash", bash("cwd", json!("")), &["`cwd` is empty"]);
    refused(
        "Bash",
        bash("env", json!(["A=b"])),
        &["`env` must be an object of strings"],
    );
    refused(
        "Bash",
        bash("env", json!({"PORT": 80})),
        &["`env.PORT` must be a string, not 80"],
    );
    refused("Bash", bash("env", json!({"A=B": "c"})), &["`env`", "'='"]);
    refused("TaskOutput", json!({}), &["`task_id` is missing"]);
    refused(
        "TaskOutput",
        json!({"task_id": 4711}),
        &["`task_id` must be a string, not 4711"],
    );
    refused(
        "TaskOutput",
        json!({"task_id": "t7k2m9xq4z"}),
        &["`task_id`", "t7k2m9xq4z", "TaskList"],
    );
    refused(
        "BashOutput",
        json!({"bash_id": "bash_1"}),
        &["`bash_id`", "bash_1", "TaskList"],
    );
    refused(
        "TaskStop",
        json!({"task_id": "../../x"}),
        &["`task_id`", "TaskList"],
    );
    refused("KillShell", json!({}), &["`shell_id` is missing"]);
    refused("Read", json!({}), &["`file_path` is missing"]);
    refused(
        "Read",
        json!({"file_path": "x", "limit": 0}),
        &["`limit` must be", "above 0"],
    );
    refused(
        "Launch",
        json!({}),
        &["unknown tool \"Launch\"", "Bash", "TaskOutput"],
    );
}

#[test]
fn a_long_value_is_shown_in_part() {
    let world = World::new();
    let answer = world.call(
        "Bash",
        json!({"command": "true", "timeout": "é".repeat(10_000)}),
    );
    assert!(answer.is_error);
    assert!(answer.content.len() < 300, "{}", answer.content);
}

#[test]
fn what_runs_is_not_disturbed() {
    let world = World::new();
    let id = world.launch("sleep 60");
    for _ in 0..3 {
        assert!(world.call("Bash", json!({"command": 1})).is_error);
        assert!(world.call("TaskStop", json!({"task_id": 1})).is_error);
    }
    let list = world.call("TaskList", json!({})).tasks.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].id.to_string(), list[0].status), (id, "running"));
    assert!(
        world
            .backend
            .task("sleep 60")
            .stops
            .lock()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn null_counts_as_absent_and_unknown_fields_are_ignored() {
    let world = World::new();
    let input = json!({"command": "true", "timeout": null, "env": null, "on_timeout": null, "cwd": null,
        "run_in_background": true, "dangerouslyDisableSandbox": {"why": []}});
    let answer = world.call("Bash", input);
    assert!(!answer.is_error, "{}", answer.content);
    assert_eq!(world.backend.task("true").spec.get_timeout(), None);
}

#[test]
fn the_longest_time_there_is_does_not_overflow() {
    let world = World::new();
    let longest = u64::MAX;
    for input in [
        json!({"command": "a", "timeout": longest, "run_in_background": true, "grace": longest}),
        json!({"command": "b", "timeout": longest}),
        json!({"command": "c", "timeout": longest, "on_timeout": "background"}),
    ] {
        let mut call = Box::pin(
            world
                .tools
                .call(meanwhile_agent::ToolUse::new("Bash", input)),
        );
        let _ = futures_lite::future::block_on(futures_lite::future::poll_once(&mut call));
    }
    let id = world.launch("d");
    let call = world.begin(
        "TaskOutput",
        json!({"task_id": id, "block": true, "timeout": longest}),
    );
    world.backend.task("d").exit(0);
    assert_eq!(
        futures_lite::future::block_on(call).task.unwrap().status,
        "completed"
    );
    let answer = world.call(
        "TaskOutput",
        json!({"task_id": id, "offset": longest, "limit": longest}),
    );
    assert_eq!(answer.next_offset, Some(longest));
    assert_eq!(world.backend.launches(), 4);
}

#[test]
fn a_call_without_an_id_gets_one() {
    let parse = |text: &str| serde_json::from_str::<meanwhile_agent::ToolUse>(text).unwrap();
    let named = parse(r#"{"type":"tool_use","id":"toolu_1","name":"TaskList","input":{}}"#);
    let (first, second) = (
        parse(r#"{"name":"TaskList"}"#),
        parse(r#"{"name":"TaskList","id":null}"#),
    );
    assert_eq!(named.id, "toolu_1");
    assert!(!first.id.is_empty());
    assert_ne!(first.id, second.id);
    let world = World::new();
    let answer = futures_lite::future::block_on(world.tools.call(first.clone()));
    assert_eq!((answer.tool_use_id, answer.is_error), (first.id, false));
}
