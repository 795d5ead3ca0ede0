//! A process knows which others it descends from.

#![cfg(target_os = "linux")]

mod support;

use std::ffi::OsString;
use std::process::Command;

use meanwhile_process::ancestors;

use crate::support::id_of;

#[test]
fn ancestors_end_with_the_first_process() {
    let line = ancestors();
    let parent = std::os::unix::process::parent_id().cast_signed();
    assert_eq!(line.first().map(|ancestor| ancestor.id), id_of(parent));
    assert!(line.is_sorted_by_key(|ancestor| std::cmp::Reverse(ancestor.id.start)));
    // What is above may be outside of what this test sees.
    assert!(line.last().is_some_and(|last| {
        last.id.pid == 1 || support::stat(last.id.pid, 1).as_deref() == Some("0")
    }));
}

/// This test, started anew by a shell, sees how the shell was called.
#[test]
fn an_ancestor_is_seen_with_its_name_and_arguments() {
    let exe = std::env::current_exe().expect("this test");
    let script = "\"$0\" --exact --ignored --nocapture look_from_inside; exit $?";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(exe)
        .args(["two words", "", "last"])
        .env("OUTER", std::process::id().to_string())
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
#[ignore = "started by another test, below a shell"]
fn look_from_inside() {
    let Ok(outer) = std::env::var("OUTER") else {
        return;
    };
    let line = ancestors();
    let (shell, test) = (&line[0], &line[1]);
    assert_eq!(shell.name, "sh");
    assert_eq!(shell.args[..2], ["sh", "-c"]);
    let last: [OsString; 3] = ["two words", "", "last"].map(OsString::from);
    assert_eq!(shell.args[4..], last);
    assert_eq!(test.id.pid.to_string(), outer);
}
