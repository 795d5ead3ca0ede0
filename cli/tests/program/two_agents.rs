//! Two agents in one folder: what one has launched is not told to the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Folders, PROGRAM, eventually, exit_status};

/// An agent as they are: each command has processes of its own, of kinds known and unknown, which are gone when the
/// agent asks for what ended.
const AGENT: &str = r#"#!/bin/sh
LINE="'$PROGRAM' run --timeout 2m -- 'echo of $1'" awk 'BEGIN { exit system(ENVIRON["LINE"]) }' > $1.new
mv $1.new $1.launched
until [ -e all-ended ]; do sleep 0.02; done
sh -c "env A=b '$PROGRAM' inbox --json; true" > $1.new
mv $1.new $1.told
"#;

#[test]
fn two_process_trees_never_take_each_others_notifications() {
    let folders = Folders::new();
    let agent = folders.work("claude");
    fs::write(&agent, AGENT).unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o700)).unwrap();
    let names = ["one", "two"];
    let start = |name| {
        let mut agent = folders.prepare(Command::new("./claude"));
        agent.env("PROGRAM", PROGRAM).arg(name);
        agent.stdin(Stdio::null()).spawn().unwrap()
    };
    let agents = names.map(start);
    let launched = names.map(|name| {
        folders
            .written(&format!("{name}.launched"))
            .trim()
            .to_owned()
    });

    let have_ended = || {
        let tasks = folders.run(&["ls", "--all", "--json"]).json();
        let ended = tasks
            .as_array()
            .unwrap()
            .iter()
            .filter(|task| task["status"] == "completed");
        (ended.count() == names.len()).then_some(())
    };
    assert!(eventually(have_ended).is_some());
    fs::write(folders.work("all-ended"), "").unwrap();

    for (name, id) in names.iter().zip(&launched) {
        let told: Value = serde_json::from_str(&folders.written(&format!("{name}.told"))).unwrap();
        let ids: Vec<&Value> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["task_id"])
            .collect();
        assert_eq!(ids, [id.as_str()], "{name}");
        assert_eq!(told[0]["output"], format!("of {name}\n"));
    }
    for mut agent in agents {
        assert!(exit_status(&mut agent).success());
    }
}
