//! The tools over real processes.

use std::fs;
use std::time::Duration;

use futures_lite::future::block_on;
use meanwhile_agent::{Notifications, ToolResult, ToolUse, Toolbox};
use meanwhile_core::{Owner, Tasks};
use meanwhile_process::LocalOptions;
use meanwhile_queue::MemoryQueue;
use meanwhile_thread::ThreadBackend;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// Generous, for a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(30);

fn tools(spool: &TempDir) -> Toolbox {
    let backend = ThreadBackend::with_options(LocalOptions::default().spool_dir(spool.path()));
    Toolbox::new(Tasks::new(backend, MemoryQueue::new()), Owner::default())
}

fn call(tools: &Toolbox, name: &str, input: Value) -> ToolResult {
    block_on(tools.call(ToolUse::new(name, input)))
}

fn wait(tools: &Toolbox) -> Notifications {
    assert!(tools.inbox().wait_timeout(DEADLINE), "nothing was told");
    tools.notifications()
}

#[test]
fn a_foreground_command_in_its_folder_and_environment() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let spool = tempdir().unwrap();
    let tools = tools(&spool).with_base_dir(folder.path());
    let input = json!({"command": "basename \"$PWD\"; echo \"$GREETING\" >&2; exit 3", "cwd": "sub",
        "env": {"GREETING": "hello"}});
    let answer = call(&tools, "Bash", input);
    assert!(answer.is_error);
    assert!(
        answer.content.starts_with("sub\nhello\n"),
        "{}",
        answer.content
    );
    assert_eq!(answer.task.unwrap().exit_code, Some(3));
    assert_eq!(tools.notifications().count, 0);
}

#[test]
fn a_background_command_is_running_at_once_and_told_with_its_output() {
    let spool = tempdir().unwrap();
    let tools = tools(&spool);
    let gate = tempdir().unwrap();
    let command = "until [ -e go ]; do sleep 0.02; done; printf '\\033[31mdone\\033[0m\\n'; exit 1";
    let input = json!({"command": command, "cwd": gate.path(), "run_in_background": true});
    let task = call(&tools, "Bash", input).task.unwrap();
    assert_eq!(task.status, "running");
    assert!(task.output_path.is_some());
    fs::write(gate.path().join("go"), "").unwrap();
    let told = wait(&tools);
    assert_eq!(
        (told.items[0].task_id, told.items[0].exit_code),
        (task.id, Some(1))
    );
    assert_eq!(told.items[0].output, "done\n");
    assert!(told.text.ends_with("| done"), "{}", told.text);
}

#[test]
fn a_command_that_is_moved_goes_on_and_can_be_stopped() {
    let spool = tempdir().unwrap();
    let tools = tools(&spool);
    let input = json!({"command": "sleep 600", "timeout": 50, "on_timeout": "background"});
    let moved = call(&tools, "Bash", input);
    assert!(!moved.is_error, "{}", moved.content);
    let id = moved.task.unwrap().id;
    let stopped = call(&tools, "TaskStop", json!({"task_id": id}));
    assert!(!stopped.is_error, "{}", stopped.content);
    let told = wait(&tools);
    assert_eq!(
        (told.items[0].task_id, told.items[0].ended_by),
        (id, "agent")
    );
}

#[test]
fn a_command_that_times_out_is_stopped() {
    let spool = tempdir().unwrap();
    let answer = call(
        &tools(&spool),
        "Bash",
        json!({"command": "echo begun; sleep 600", "timeout": 300, "grace": 0}),
    );
    assert!(answer.is_error);
    assert!(answer.content.contains("timed out"), "{}", answer.content);
    assert_eq!(answer.task.unwrap().status, "timed_out");
}

#[test]
fn a_blocking_read_returns_the_output_and_consumes_the_notification() {
    let spool = tempdir().unwrap();
    let tools = tools(&spool);
    let input = json!({"command": "echo one; echo two", "run_in_background": true});
    let id = call(&tools, "Bash", input).task.unwrap().id;
    let input = json!({"task_id": id, "block": true, "timeout": 30_000});
    let answer = call(&tools, "TaskOutput", input);
    assert_eq!(
        (answer.content.as_str(), answer.next_offset),
        ("one\ntwo\n", Some(8))
    );
    assert_eq!(answer.task.unwrap().status, "completed");
    assert_eq!(tools.notifications().count, 0);
}

#[test]
fn a_folder_that_does_not_exist_is_an_ending_and_no_refusal() {
    let spool = tempdir().unwrap();
    let tools = tools(&spool);
    let input = json!({"command": "true", "cwd": "/no/such/folder", "run_in_background": true});
    let answer = call(&tools, "Bash", input);
    assert!(!answer.is_error, "{}", answer.content);
    assert_eq!(wait(&tools).items[0].status, "failed_to_start");
}
