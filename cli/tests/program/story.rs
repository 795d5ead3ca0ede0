//! The recorded session that is shipped: a test suite fails in the background, is fixed, and passes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Folders, copy_tree, lines_of, on_each_backend, output, tree};

mod on {
    use super::on_each_backend;

    on_each_backend! {
        the_recorded_story_ends_with_all_tests_passing
    }
}

fn the_recorded_story_ends_with_all_tests_passing(backend: &str) {
    tell(&Folders::new(), &["--backend", backend]);
}

#[test]
fn the_recorded_story_is_the_same_in_the_store() {
    let folders = Folders::new();
    tell(&folders, &["--store", "--session", "story"]);
    let asked = |args: &[&str]| {
        let mut program = folders.program();
        program.args(args).args(["--json", "--session", "story"]);
        let (code, stdout, stderr) = output(program);
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_slice::<Vec<Value>>(&stdout).unwrap()
    };
    assert!(
        asked(&["inbox"]).is_empty(),
        "what was written is not told again"
    );
    let tasks = asked(&["ls", "--all"]);
    assert!(tasks.len() >= 2, "{tasks:#?}");
    assert!(
        tasks.iter().all(|task| task["exit_code"].is_number()),
        "{tasks:#?}"
    );
}

fn tell(folders: &Folders, args: &[&str]) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    fs::create_dir(folders.work("examples")).unwrap();
    for name in ["auth-service", "fix-auth-tests.jsonl"] {
        copy_tree(&examples.join(name), &folders.work("examples").join(name));
    }
    let before = tree(&folders.work("examples"));

    let mut program = folders.program();
    program
        .args(["session", "examples/fix-auth-tests.jsonl"])
        .args(args);
    let (code, stdout, stderr) = output(program);
    assert_eq!(code, 0, "{stderr}");
    let lines = lines_of(&stdout);
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["is_error"] == true)
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");

    let items: Vec<_> = lines
        .iter()
        .filter_map(|line| line["items"].as_array())
        .flatten()
        .collect();
    let [first, last] = items[..] else {
        panic!("two endings: {items:#?}")
    };
    assert_eq!(first["status"], "failed");
    assert_eq!(first["exit_code"], 1);
    let said = first["output"].as_str().unwrap();
    let failures = said
        .lines()
        .filter(|line| line.starts_with("FAIL "))
        .count();
    assert_eq!(failures, 3, "{said}");
    assert_eq!(last["status"], "completed");
    let said = last["output"].as_str().unwrap();
    assert!(said.contains("0 failed"), "{said}");

    assert_eq!(
        tree(&folders.work("examples")),
        before,
        "it worked on a copy"
    );
}
