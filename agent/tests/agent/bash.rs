//! `Bash`, in the foreground and in the background.

use std::time::Duration;

use futures_lite::future::block_on;
use meanwhile_agent::{ToolUse, Toolbox};
use meanwhile_core::{EndedBy, Ending, ExitStatus, Notify, Owner, Shutdown, Tasks};
use meanwhile_queue::MemoryQueue;
use serde_json::json;

use crate::world::{Scripted, World};

#[test]
fn a_background_call_is_answered_at_once_and_told_later() {
    let world = World::new();
    let input = json!({"command": "npm test", "description": "Run full test suite",
        "run_in_background": true, "timeout": 300_000});
    let answer = world.call("Bash", input);
    assert!(!answer.is_error);
    assert!(answer.content.starts_with("Background task started"));
    for words in [
        "You will be notified when it ends",
        "Do not poll",
        "Output: /spool/",
        "5 m 0 s",
    ] {
        assert!(answer.content.contains(words), "{}", answer.content);
    }
    let task = answer.task.unwrap();
    assert!(answer.content.contains(task.id.as_str()));
    assert_eq!(task.status, "running");
    assert_eq!(task.output_path, Some(format!("/spool/{}", task.id).into()));
    assert_eq!(world.tools.notifications().count, 0);

    world.backend.task("npm test").exit(1);
    let told = world.tools.notifications();
    assert_eq!(
        (told.count, told.items[0].task_id, told.items[0].status),
        (1, task.id, "failed")
    );
}

#[test]
fn the_spec_is_what_the_call_says() {
    let world = World::new();
    let tools = world
        .tools
        .clone()
        .with_shell("/bin/bash")
        .with_base_dir("/base");
    let input = json!({"command": "make", "description": "Build", "run_in_background": true, "timeout": 7,
        "cwd": "sub", "env": {"A": "1", "B": null}, "notify": "on_failure", "grace": 0});
    let answer = block_on(tools.call(ToolUse::new("Bash", input)));
    assert!(
        answer.content.contains("notified if it does not complete"),
        "{}",
        answer.content
    );
    let spec = &world.backend.task("make").spec;
    assert!(format!("{:?}", spec.get_work()).contains("/bin/bash"));
    assert_eq!(spec.get_description(), Some("Build"));
    assert_eq!(spec.get_timeout(), Some(Duration::from_millis(7)));
    assert_eq!(spec.get_grace(), Duration::ZERO);
    assert_eq!(spec.get_cwd(), Some("/base/sub".as_ref()));
    assert_eq!(spec.get_notify(), Notify::OnFailure);
    let env: Vec<_> = spec.get_env().collect();
    assert_eq!(
        env,
        [("A".as_ref(), Some("1".as_ref())), ("B".as_ref(), None)]
    );
}

#[test]
fn an_empty_folder_is_refused_and_not_taken_for_the_base_folder() {
    let tools = World::new().tools.with_base_dir("/base");
    let answer = block_on(tools.call(ToolUse::new("Bash", json!({"command": "make", "cwd": ""}))));
    assert!(answer.is_error);
    assert!(
        answer.content.contains("`cwd` is empty"),
        "{}",
        answer.content
    );
}

#[test]
fn a_blank_description_is_none() {
    let world = World::new();
    let input = json!({"command": "make", "description": " ", "run_in_background": true});
    assert_eq!(world.call("Bash", input).task.unwrap().description, None);
}

#[test]
fn a_background_call_has_no_deadline_of_its_own_and_a_foreground_call_has_two_minutes() {
    let world = World::new();
    world.launch("background");
    let _call = world.begin("Bash", json!({"command": "foreground"}));
    let timeout = |command: &str| world.backend.task(command).spec.get_timeout();
    assert_eq!(timeout("background"), None);
    assert_eq!(timeout("foreground"), Some(Duration::from_secs(120)));
}

#[test]
fn a_foreground_call_answers_with_the_output_and_nothing_is_told_twice() {
    let world = World::new();
    let call = world.begin("Bash", json!({"command": "greet"}));
    let task = world.backend.task("greet");
    task.write("hello\n");
    task.exit(0);
    let answer = block_on(call);
    assert_eq!(
        (answer.is_error, answer.content.as_str()),
        (false, "hello\n")
    );
    let view = answer.task.unwrap();
    assert_eq!(
        (view.status, view.exit_code, view.ended_by),
        ("completed", Some(0), Some("itself"))
    );
    assert_eq!(world.tools.notifications().count, 0);
}

#[test]
fn a_foreground_failure_is_an_error_and_says_how_it_failed() {
    let lost = Ending::lost();
    let endings = [
        (
            Ending::of(ExitStatus::Code(3)),
            "failed",
            "failed with exit code 3",
        ),
        (
            Ending::of(ExitStatus::Signal(11)),
            "failed",
            "signal 11 (SIGSEGV) ended it",
        ),
        (
            Ending::failed_to_start("no such folder: /x", None),
            "failed_to_start",
            "no such folder: /x",
        ),
        (
            Ending::of(ExitStatus::NeverStarted).ended_by(EndedBy::User),
            "stopped",
            "before it was started",
        ),
        (lost, "lost", "nobody can say how it ended"),
    ];
    for (ending, status, words) in endings {
        let world = World::new();
        let call = world.begin("Bash", json!({"command": "x"}));
        world.backend.task("x").end(ending);
        let answer = block_on(call);
        assert!(answer.is_error);
        assert_eq!(answer.task.unwrap().status, status);
        assert!(answer.content.contains(words), "{}", answer.content);
    }
}

#[test]
fn a_command_without_output_says_so() {
    let world = World::new();
    let call = world.begin("Bash", json!({"command": "true"}));
    world.backend.task("true").exit(0);
    assert_eq!(block_on(call).content, "(no output)");
}

#[test]
fn survivors_of_a_success_are_named() {
    let world = World::new();
    let call = world.begin("Bash", json!({"command": "serve &"}));
    let mut ending = Ending::of(ExitStatus::Code(0));
    ending.survivors = 2;
    world.backend.task("serve &").end(ending);
    let answer = block_on(call);
    assert!(!answer.is_error);
    assert!(
        answer
            .content
            .contains("2 of its processes are still alive"),
        "{}",
        answer.content
    );
}

#[test]
fn at_its_timeout_a_foreground_command_is_stopped_and_the_rule_is_named() {
    let world = World::new();
    let call = world.begin(
        "Bash",
        json!({"command": "slow", "timeout": 50, "on_timeout": "stop"}),
    );
    let task = world.backend.task("slow");
    assert_eq!(task.spec.get_timeout(), Some(Duration::from_millis(50)));
    task.write("so far");
    task.end_by(ExitStatus::Signal(15), EndedBy::Timeout);
    let answer = block_on(call);
    assert!(answer.is_error);
    for words in [
        "so far\n",
        "timed out",
        "signal 15 (SIGTERM)",
        "`on_timeout` is `stop`",
    ] {
        assert!(answer.content.contains(words), "{}", answer.content);
    }
    assert_eq!(answer.task.unwrap().status, "timed_out");
}

#[test]
fn at_its_timeout_a_foreground_command_may_go_on_in_the_background() {
    let world = World::new();
    let call = world.begin(
        "Bash",
        json!({"command": "slow", "timeout": 20, "on_timeout": "background"}),
    );
    let task = world.backend.task("slow");
    assert_eq!(
        task.spec.get_timeout(),
        None,
        "the command has no deadline, the call has"
    );
    task.write("first\n");
    let answer = block_on(call);
    assert!(!answer.is_error);
    let view = answer.task.unwrap();
    assert_eq!(view.status, "running");
    let words = [
        "in the background",
        "`on_timeout` is `background`",
        "will be notified",
        "first\n",
    ];
    for words in words.into_iter().chain([view.id.as_str()]) {
        assert!(answer.content.contains(words), "{}", answer.content);
    }
    task.exit(0);
    let told = world.tools.notifications();
    assert_eq!((told.count, told.items[0].task_id), (1, view.id));
}

#[test]
fn a_foreground_call_that_ends_in_time_is_not_moved() {
    let world = World::new();
    let call = world.begin(
        "Bash",
        json!({"command": "quick", "on_timeout": "background"}),
    );
    world.backend.task("quick").exit(0);
    let answer = block_on(call);
    assert_eq!(answer.task.unwrap().status, "completed");
    assert_eq!(world.tools.notifications().count, 0);
}

#[test]
fn dropping_a_foreground_call_moves_its_task_to_the_background() {
    let world = World::new();
    for is_over_before in [true, false] {
        let call = world.begin("Bash", json!({"command": "x"}));
        let task = world.backend.task("x");
        if is_over_before {
            task.exit(7);
            drop(call);
        } else {
            drop(call);
            task.exit(7);
        }
        let told = world.tools.notifications();
        assert_eq!((told.count, told.items[0].exit_code), (1, Some(7)));
        told.acknowledge();
    }
}

#[test]
fn a_long_output_is_shown_by_head_and_tail_and_the_rest_is_counted() {
    let world = World::new();
    let call = world.begin("Bash", json!({"command": "long"}));
    let task = world.backend.task("long");
    let lines: String = (0..100_000)
        .map(|number| format!("line {number}\n"))
        .collect();
    task.write(&lines);
    task.exit(0);
    let content = block_on(call).content;
    assert!(content.len() <= 30_200, "{}", content.len());
    assert!(content.starts_with("line 0\nline 1\n"));
    assert!(content.ends_with("\nline 99998\nline 99999\n"));
    let (head, rest) = content.split_once("[… ").unwrap();
    let (note, tail) = rest.split_once(" …]\n").unwrap();
    let left_out = lines.len() - head.len() - tail.len();
    assert!(
        lines.starts_with(head) && lines.ends_with(tail),
        "whole lines, and no others"
    );
    let expected = format!(
        "{left_out} of {} bytes are left out here; all of it is in /spool/",
        lines.len()
    );
    assert!(note.starts_with(&expected), "{note}");
}

#[test]
fn an_output_with_a_dropped_middle_is_shown_without_it() {
    let world = World::new();
    let call = world.begin("Bash", json!({"command": "huge"}));
    let task = world.backend.task("huge");
    task.write([b"head\n".as_slice(), &[0; 5_000], b"tail\n"].concat());
    task.drop_middle(5..5_005);
    task.exit(0);
    let content = block_on(call).content;
    let (head, rest) = content.split_once("[… ").unwrap();
    let (note, tail) = rest.split_once(" …]\n").unwrap();
    assert_eq!(head, "head\n");
    assert!(
        note.starts_with("5000 of 5010 bytes are left out here"),
        "{note}"
    );
    assert!(tail.starts_with("tail\n"), "{tail}");
    assert!(
        tail.contains("5000 bytes of the middle of its output were dropped"),
        "{tail}"
    );
}

#[test]
fn output_that_is_no_utf_8_is_shown_with_replacement_characters() {
    let world = World::new();
    let call = world.begin("Bash", json!({"command": "binary"}));
    let task = world.backend.task("binary");
    task.write(b"a\xff\xfeb\n");
    task.exit(0);
    assert_eq!(block_on(call).content, "a\u{fffd}\u{fffd}b\n");
}

#[test]
fn calls_that_are_polled_in_order_launch_in_order() {
    let world = World::new();
    let calls: Vec<_> = (0..50)
        .map(|number| world.begin("Bash", json!({"command": format!("echo {number}")})))
        .collect();
    let launched: Vec<_> = world
        .tasks
        .list()
        .iter()
        .map(|task| task.spec().command())
        .collect();
    let expected: Vec<_> = (0..50).map(|number| format!("echo {number}")).collect();
    assert_eq!(launched, expected);
    drop(calls);
}

#[test]
fn a_call_that_is_not_polled_does_nothing() {
    let world = World::new();
    drop(
        world
            .tools
            .call(ToolUse::new("Bash", json!({"command": "true"}))),
    );
    assert_eq!(world.backend.launches(), 0);
}

#[test]
fn after_a_shutdown_a_launch_is_refused() {
    let world = World::new();
    world.tasks.shutdown(Shutdown::Stop(None));
    let answer = world.call("Bash", json!({"command": "true"}));
    assert!(answer.is_error);
    assert!(answer.content.contains("shutdown"), "{}", answer.content);
}

#[test]
fn a_task_that_waits_for_its_turn_is_queued() {
    let backend = Scripted::default();
    let tasks = Tasks::builder(backend, MemoryQueue::new())
        .max_running(1)
        .build();
    let tools = Toolbox::new(tasks, Owner::default());
    let statuses = ["first", "second"].map(|command| {
        let input = json!({"command": command, "run_in_background": true});
        block_on(tools.call(ToolUse::new("Bash", input)))
            .task
            .unwrap()
            .status
    });
    assert_eq!(statuses, ["running", "queued"]);
}

#[test]
fn the_result_on_the_wire_has_exactly_these_fields() {
    let world = World::new();
    let tool_use = ToolUse {
        id: "toolu_1".to_owned(),
        name: "Bash".to_owned(),
        input: json!({"command": "npm test", "env": {"TOKEN": "s3cret"}, "run_in_background": true}),
    };
    let answer = serde_json::to_value(block_on(world.tools.call(tool_use))).unwrap();
    let task = &answer["task"];
    assert_eq!(
        answer,
        json!({
            "tool_use_id": "toolu_1", "is_error": false, "content": answer["content"],
            "task": {
                "id": task["id"], "status": "running", "command": "npm test", "description": null,
                "output_path": task["output_path"], "exit_code": null, "signal": null, "ended_by": null,
                "elapsed_ms": task["elapsed_ms"], "output_bytes": task["output_bytes"], "dropped_bytes": 0,
                "survivors": 0,
            },
        })
    );
    assert!(
        answer["content"].is_string() && task["id"].is_string() && task["output_path"].is_string()
    );
    let list = serde_json::to_string(&world.call("TaskList", json!({}))).unwrap();
    assert!(!list.contains("s3cret") && !answer.to_string().contains("s3cret"));
}
