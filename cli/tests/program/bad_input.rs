//! Bad input gets a clear error, and disturbs nothing that runs.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;

use serde_json::json;

use crate::support::{Folders, Session, output};

#[test]
fn bad_lines_are_named_and_disturb_nothing() {
    let mut session = Session::start("thread", &[]);
    session.background("until [ -e gate ]; do sleep 0.02; done; echo whole");
    let bad: [&[u8]; 12] = [
        b"garbage",
        b"{\"type\":\"tool_use\"",
        b"\xff\xfe\x00\x01",
        b"\0\0\0\0",
        b"[1, 2]",
        b"null",
        b"\"turn\"",
        b"{\"type\":\"dance\"}",
        b"{\"type\":\"wait\",\"timeout\":-5}",
        b"{\"type\":\"wait\",\"timeout\":1e99}",
        b"{\"id\":\"x\"}",
        &[b'['; 200_000],
    ];
    for (count, line) in bad.iter().enumerate() {
        session.send_bytes(b"\n");
        session.send_bytes(line);
        session.send_bytes(b"\r\n");
        let answer = session.next();
        assert_eq!(answer["type"], "error", "{answer}");
        // The launch was line 1, and each bad line has a blank one before it.
        assert_eq!(answer["line"], 3 + 2 * count, "{answer}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    fs::write(session.folders.work("gate"), "").unwrap();
    let told = session.wait();
    assert_eq!(told["items"][0]["status"], "completed", "{told}");
    assert_eq!(session.end().code, Some(0));
}

#[test]
fn a_bad_call_is_answered_as_a_call() {
    let mut session = Session::start("thread", &[]);
    for (call, word) in [
        (json!({"name": "Dance", "input": {}}), "Dance"),
        (json!({"name": 7, "input": {}}), "name"),
        (json!({"input": {"command": "true"}}), "name"),
        (json!({"name": "Bash"}), "command"),
        (json!({"name": "Bash", "input": "true"}), "input"),
        (
            json!({"name": "Bash", "input": {"command": ["true"]}}),
            "command",
        ),
        (
            json!({"name": "Bash", "input": {"command": " "}}),
            "command",
        ),
        (
            json!({"name": "Bash", "input": {"command": "true\0"}}),
            "command",
        ),
        (
            json!({"name": "Bash", "input": {"command": "true", "timeout": "5s"}}),
            "timeout",
        ),
        (
            json!({"name": "TaskOutput", "input": {"task_id": "tttttttttt"}}),
            "tttttttttt",
        ),
    ] {
        let mut line = call.clone();
        line["type"] = json!("tool_use");
        line["id"] = json!("bad");
        session.send(&line);
        let answer = session.result("bad");
        assert_eq!(answer["is_error"], true, "{call}: {answer}");
        assert!(
            answer["content"].as_str().unwrap().contains(word),
            "{call}: {answer}"
        );
    }
    assert_eq!(session.turn()["count"], 0, "nothing was launched");
    assert_eq!(session.end().code, Some(0));
}

#[test]
fn a_line_without_an_end_is_not_kept() {
    let mut session = Session::start("thread", &[]);
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..70 {
        session.send_bytes(&piece);
    }
    session.send_bytes(b"\n");
    let answer = session.next();
    assert_eq!(answer["line"], 1, "{answer}");
    assert_eq!(session.turn()["count"], 0);
    session.end();
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folders = Folders::new();
    for name in ["missing.jsonl", "."] {
        let mut program = folders.program();
        program.args(["session", name]);
        let (code, stdout, stderr) = output(program);
        assert_eq!((code, stdout.len()), (125, 0), "{stderr}");
        assert!(stderr.contains(name), "{stderr}");
    }
}

#[test]
fn an_unusable_state_folder_is_named_with_the_variable_to_set() {
    let folders = Folders::new();
    fs::write(folders.work("file"), "").unwrap();
    let no_folder = folders.work("file/state").into_os_string();
    let no_text = OsString::from_vec(b"/tmp/\xff".to_vec());
    for folder in [no_folder, no_text] {
        for args in [
            &["session"][..],
            &["run", "--wait", "--", "true"],
            &["run", "--", "true"],
            &["ls"],
        ] {
            let mut program = folders.program();
            program.args(args).env("MEANWHILE_STATE_DIR", &folder);
            let (code, _, stderr) = output(program);
            assert_eq!(code, 125, "{stderr}");
            assert!(stderr.contains(&*folder.to_string_lossy()), "{stderr}");
            assert!(stderr.contains("MEANWHILE_STATE_DIR"), "{stderr}");
        }
    }
}

#[test]
fn wrong_usage_is_told_and_launches_nothing() {
    let folders = Folders::new();
    let touch = "touch launched";
    let long = ["run", "--wait", "--env", "=x", "--", touch];
    for (args, word) in [
        (&["run", "--wait"][..], "CMD"),
        (&["run"], "CMD"),
        (&["wait"], "ID"),
        (&["show"], "ID"),
        (&["run", "--wait", "--", ""], "command"),
        (&["run", "--wait", "--timeout", "300", "--", touch], "300s"),
        (&["run", "--wait", "--timeout", "soon", "--", touch], "soon"),
        (&["run", "--wait", "--timeout=-5s", "--", touch], "-5s"),
        (
            &["run", "--wait", "--timeout", "0s", "--", touch],
            "timeout",
        ),
        (&["run", "--wait", "--grace", "5", "--", touch], "5s"),
        (
            &["run", "--wait", "--output-limit", "1", "--", touch],
            "output_limit",
        ),
        (
            &["run", "--wait", "--output-limit", "lots", "--", touch],
            "64M",
        ),
        (&long, "NAME=VALUE"),
        (
            &["run", "--wait", "--backend", "rayon", "--", touch],
            "thread",
        ),
        (&["session", "--at-end", "never"], "stop"),
        (&["dance"], "dance"),
    ] {
        let mut program = folders.program();
        program.args(args);
        let (code, stdout, stderr) = output(program);
        assert_eq!((code, stdout.len()), (2, 0), "{args:?}: {stderr}");
        assert!(stderr.contains(word), "{args:?}: {stderr}");
    }
    assert!(!folders.work("launched").exists());
}

#[test]
fn wrong_values_are_named_with_what_would_be_right() {
    let folders = Folders::new();
    for (args, option, right) in [
        (&["logs", "t7k2m9xq4z", "--tail", "few"][..], "--tail", "20"),
        (&["logs", "t7k2m9xq4z", "--tail", "-1"], "--tail", "20"),
        (&["logs", "t7k2m9xq4z", "--offset", "-1"], "--offset", "20"),
        (&["run", "--timeout", "--", "true"], "--timeout", "value"),
        (
            &["wait", "--timeout", "-1s", "t7k2m9xq4z"],
            "--timeout",
            "5m",
        ),
        (&["stop", "--signal", "-9", "t7k2m9xq4z"], "--signal", "INT"),
        (&["clean", "--older-than", "-1d"], "--older-than", "5m"),
        (
            &["run", "--session", "", "--", "true"],
            "--session",
            "value",
        ),
        (&["ls", "--session", ""], "--session", "value"),
        (&["inbox", "--session", ""], "--session", "value"),
        (&["session", "--session", ""], "--session", "value"),
        (&["top", "--session", ""], "--session", "value"),
    ] {
        let said = folders.run(args);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{args:?}");
        for words in [option, right] {
            assert!(said.stderr.contains(words), "{args:?}: {}", said.stderr);
        }
        assert!(!said.stderr.contains("-- -"), "{args:?}: {}", said.stderr);
    }
}
