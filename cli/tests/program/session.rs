//! What a session answers and tells while its client is there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::support::{Session, is_alive, kill, lines_of, on_each_backend, output};

mod on {
    use super::on_each_backend;

    on_each_backend! {
        a_background_failure_is_told_once_with_all_that_is_known
        a_background_call_is_answered_while_a_foreground_call_runs
        a_held_pipe_holds_up_nothing
        two_hundred_tasks_at_once_are_each_told_once
        output_beyond_the_limit_loses_its_middle
        large_lines_and_commands_are_taken
    }
}

fn a_background_failure_is_told_once_with_all_that_is_known(backend: &str) {
    let mut session = Session::start(backend, &[]);
    let answer = session.background("echo out; echo err >&2; exit 3");
    assert_eq!(answer["is_error"], false, "{answer}");
    let id = answer["task"]["id"].as_str().unwrap().to_owned();

    let told = session.wait();
    assert_eq!(told["count"], 1, "{told}");
    let text = told["text"].as_str().unwrap();
    assert!(
        text.contains("Background task") && text.contains('3'),
        "{text}"
    );
    let item = &told["items"][0];
    assert_eq!(item["task_id"], id.as_str());
    assert_eq!(item["status"], "failed");
    assert_eq!(item["exit_code"], 3);
    assert_eq!(item["ended_by"], "itself");
    assert_eq!(item["output_bytes"], 8);

    let again = session.turn();
    assert_eq!(again["count"], 0, "{again}");
    let left = session.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.lines.is_empty(), "{:?}", left.lines);
    let path = Path::new(item["output_path"].as_str().unwrap());
    assert_eq!(
        fs::read(path).unwrap(),
        b"out\nerr\n",
        "it is readable after the session"
    );
    assert!(path.starts_with(left.folders.state().join("spool")));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

fn a_background_call_is_answered_while_a_foreground_call_runs(backend: &str) {
    let mut session = Session::start(backend, &[]);
    let until_gate = "until [ -e gate ]; do sleep 0.02; done; echo through";
    session.call("slow", "Bash", json!({"command": until_gate}));
    session.call(
        "quick",
        "Bash",
        json!({"command": "true", "run_in_background": true}),
    );
    assert_eq!(session.next()["tool_use_id"], "quick");
    assert_eq!(
        session.turn()["type"],
        "notifications",
        "a turn waits for no answer"
    );
    fs::write(session.folders.work("gate"), "").unwrap();
    let slow = session.result("slow");
    assert_eq!(slow["is_error"], false);
    assert_eq!(slow["task"]["exit_code"], 0);
    assert!(
        slow["content"].as_str().unwrap().contains("through"),
        "{slow}"
    );
    assert_eq!(session.end().code, Some(0));
}

fn a_held_pipe_holds_up_nothing(backend: &str) {
    let mut session = Session::start(backend, &[]);
    let command = "sleep 300 & echo $! > holder; echo done";
    session.call("held", "Bash", json!({ "command": command }));
    let answer = session.result("held");
    let holder = session.folders.pids("holder")[0];
    assert!(
        is_alive(holder),
        "it was left alone, and the answer did not wait for it"
    );
    assert_eq!(answer["task"]["exit_code"], 0, "{answer}");
    assert_eq!(answer["task"]["survivors"], 1, "{answer}");
    kill(holder);
    session.end();
}

fn two_hundred_tasks_at_once_are_each_told_once(backend: &str) {
    let mut session = Session::start(backend, &["--at-end", "wait"]);
    // Written in one go, with nothing read before the end: that must not tie both sides up.
    for number in 0..200 {
        let command = format!("echo {number}; exit {}", number % 7);
        let input = json!({"command": command, "run_in_background": true});
        session.call(&number.to_string(), "Bash", input);
    }
    let left = session.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let mut told: Vec<&str> = left
        .items()
        .iter()
        .map(|item| item["task_id"].as_str().unwrap())
        .collect();
    let mut launched: Vec<&str> = (0..200)
        .map(|number| {
            left.result(&number.to_string())["task"]["id"]
                .as_str()
                .unwrap()
        })
        .collect();
    told.sort_unstable();
    launched.sort_unstable();
    assert_eq!(told, launched);
}

fn output_beyond_the_limit_loses_its_middle(backend: &str) {
    const WRITTEN: u64 = 300 << 20;
    let mut session = Session::start(backend, &[]);
    session.background(&format!(
        "echo first; head -c {} /dev/zero; echo last",
        WRITTEN - 11
    ));
    let told = session.wait();
    let item = &told["items"][0];
    assert_eq!(item["status"], "completed", "{item}");
    assert_eq!(item["output_bytes"], WRITTEN, "{item}");
    assert!(
        item["dropped_bytes"].as_u64().unwrap() > WRITTEN / 2,
        "{item}"
    );
    let excerpt = item["output"].as_str().unwrap();
    assert!(
        excerpt.contains("first") && excerpt.contains("last"),
        "{excerpt}"
    );
    session.end();
}

fn large_lines_and_commands_are_taken(backend: &str) {
    let mut session = Session::start(backend, &[]);
    let command = format!(": {}; echo taken", "x".repeat(300_000));
    let padding = "y".repeat(5 << 20);
    session.call(
        "large",
        "Bash",
        json!({"command": command, "unknown": padding}),
    );
    let answer = session.result("large");
    assert_eq!(answer["is_error"], false, "{answer}");
    assert!(answer["content"].as_str().unwrap().contains("taken"));
    session.end();
}

#[test]
fn a_wait_ends_at_its_timeout_with_nothing_to_tell() {
    let mut session = Session::start("thread", &[]);
    session.background("sleep 300");
    session.send(&json!({"type": "wait", "timeout": 50}));
    assert_eq!(session.notifications()["count"], 0);
    session.end();
}

#[test]
fn a_wait_without_a_timeout_ends_when_nothing_can_come() {
    let mut session = Session::start("thread", &[]);
    assert_eq!(session.wait()["count"], 0, "nothing was launched");
    let quiet = json!({"command": "true", "run_in_background": true, "notify": "on_failure"});
    session.call("quiet", "Bash", quiet);
    assert_eq!(session.wait()["count"], 0, "what was launched is not told");
    session.end();
}

#[test]
fn foreground_answers_go_out_during_a_wait() {
    let mut session = Session::start("thread", &[]);
    session.background("until [ -e gate ]; do sleep 0.02; done");
    session.call("quick", "Bash", json!({"command": "echo quick"}));
    session.send(&json!({"type": "wait"}));
    session.result("quick");
    fs::write(session.folders.work("gate"), "").unwrap();
    assert_eq!(session.notifications()["count"], 1);
    session.end();
}

#[test]
fn lines_after_a_wait_wait() {
    let mut session = Session::start("thread", &[]);
    session.background("until [ -e gate ]; do sleep 0.02; done");
    session.send(&json!({"type": "wait", "timeout": 200}));
    session.call("after", "Bash", json!({"command": "touch gate"}));
    assert_eq!(
        session.next()["count"],
        0,
        "the gate was not opened before the wait was over"
    );
    assert_eq!(session.result("after")["is_error"], false);
    assert_eq!(session.wait()["count"], 1);
    session.end();
}

#[test]
fn a_recorded_turn_comes_after_the_answers_before_it() {
    let session = Session::start("thread", &[]);
    let recorded = session.folders.work("recorded.jsonl");
    let lines = [
        json!({"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": "sleep 0.3"}}),
        json!({"type": "turn"}),
        json!({"type": "tool_use", "id": "2", "name": "Bash", "input": {"command": "sleep 0.3"}}),
        json!({"type": "wait", "timeout": 1}),
        json!({"type": "tool_use", "id": "3", "name": "Bash",
            "input": {"command": "sleep 0.3; exit 4", "run_in_background": true}}),
    ];
    // The last line has no line break at its end.
    fs::write(&recorded, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let mut program = session.folders.program();
    program.arg("session").arg(&recorded);
    let (code, stdout, stderr) = output(program);
    let shown: Vec<String> = lines_of(&stdout)
        .iter()
        .map(|line| match line["tool_use_id"].as_str() {
            Some(id) => id.to_owned(),
            None => format!("told {}", line["count"]),
        })
        .collect();
    assert_eq!(
        shown,
        ["1", "told 0", "2", "told 0", "3", "told 1"],
        "{stderr}"
    );
    assert_eq!(code, 0);
    session.end();
}
