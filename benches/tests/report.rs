//! The report from its command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

const README: &str = "# Name\n\n<!-- benchmarks -->\n<!-- /benchmarks -->\n\nMore.\n";

/// Runs the report with `args`, and has it write into `out`.
fn report(out: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meanwhile-benches"))
        .arg("report")
        .args(args)
        .arg("--out")
        .arg(out)
        .output()
        .expect("it was built for this test")
}

/// The file of a run of this `depth`, in which our launches took so many seconds each, and nothing else was measured. It
/// lies in a folder of its own.
fn saved(depth: &str, seconds: f64) -> (TempDir, String) {
    let series = |contender: &str, role: &str, seconds: f64| {
        json!({
            "question": "launch", "condition": "nothing running", "metric": "time", "contender": contender,
            "role": role, "unit": "seconds", "values": vec![seconds; 9],
        })
    };
    let ours = |backend: &str| series(&format!("meanwhile-{backend}"), "ours", seconds);
    let measurements = json!({
        "format": 2,
        "machine": {
            "processor": "any", "cores": 1, "memory": null, "system": "any",
            "is_virtual": false, "governor": null,
        },
        "build": { "commit": "abc", "is_modified": false, "rustc": null },
        "load": null,
        "date": "2026-01-01",
        "command": "report",
        "depth": depth,
        "questions": ["launch", "gap", "exit", "throughput", "queue", "capture", "scale"],
        "seconds": 1.0,
        "series": [series("std::process", "floor", 1.0), ours("thread"), ours("tokio"), ours("smol")],
    });
    save(&measurements)
}

fn save(json: &Value) -> (TempDir, String) {
    let folder = tempdir().expect("a temporary folder");
    let file = folder.path().join("saved.json");
    fs::write(&file, json.to_string()).expect("the folder is new");
    let name = file.to_str().expect("a path of ASCII").to_owned();
    (folder, name)
}

fn succeed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a run says that ends with `code`.
fn fail(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn all_questions_are_asked_and_every_file_is_there() {
    let folder = tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("README.md"), README).unwrap();
    succeed(&report(folder.path(), &["--trial"]));

    let page = fs::read_to_string(file("BENCHMARKS.md")).unwrap();
    assert!(page.contains("A trial: the numbers mean nothing."));
    // Where there is no room for it, `scale` is left out.
    for question in ["launch", "gap", "exit", "throughput", "queue", "capture"] {
        assert!(
            page.contains(&format!("\n### {question}\n")),
            "{question} is missing"
        );
    }
    let links: Vec<_> = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    let ours: Vec<_> = links
        .iter()
        .filter(|link| link.starts_with("benches/report/"))
        .collect();
    assert!(ours.len() >= 5, "{links:?}");
    for link in ours {
        assert!(file(link).exists(), "{link} is missing");
    }
    assert_eq!(
        fs::read_to_string(file("README.md")).unwrap(),
        README,
        "it shows full runs alone"
    );
}

#[test]
fn the_readme_shows_a_complete_run() {
    let (folder, complete) = saved("full", 9e-6);
    let readme = folder.path().join("README.md");
    fs::write(&readme, README).unwrap();
    succeed(&report(folder.path(), &["--from", &complete]));
    let text = fs::read_to_string(&readme).unwrap();
    assert!(
        text.starts_with("# Name\n\n<!-- benchmarks -->\n!["),
        "{text}"
    );
    assert!(text.ends_with("<!-- /benchmarks -->\n\nMore.\n"), "{text}");
    assert!(text.contains("benches/report/launch.svg") && text.contains("(BENCHMARKS.md)"));
}

#[test]
fn a_check_names_what_is_missed() {
    let (folder, fast) = saved("quick", 9e-6);
    succeed(&report(folder.path(), &["--from", &fast, "--check"]));

    let (folder, slow) = saved("quick", 11e-6);
    let text = fail(&report(folder.path(), &["--from", &slow, "--check"]), 1);
    assert!(text.contains("missed by meanwhile-smol: launch:"), "{text}");
    assert!(!text.contains("launch-p99"), "{text}");
    // Who only wants to look is not bothered.
    succeed(&report(folder.path(), &["--from", &slow]));
}

#[test]
fn in_a_full_run_what_is_not_measured_is_missed() {
    let (folder, complete) = saved("full", 9e-6);
    let text = fail(&report(folder.path(), &["--from", &complete, "--check"]), 1);
    assert!(
        text.contains("scale-memory") && text.contains("not measured"),
        "{text}"
    );
}

#[test]
fn a_comparison_tells_what_a_change_did() {
    let (_before, before) = saved("full", 9e-6);
    let (folder, after) = saved("full", 18e-6);
    let text = succeed(&report(
        folder.path(),
        &["--from", &after, "--compare", &before],
    ));
    assert!(text.contains("worse: 3\n  x 2.00  meanwhile-"), "{text}");
    let text = succeed(&report(
        folder.path(),
        &["--from", &after, "--compare", &after],
    ));
    assert!(text.contains("worse: 0\n"), "{text}");
}

#[test]
fn what_was_saved_can_be_read() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("new/saved.json");
    let file = file.to_str().unwrap();
    succeed(&report(
        folder.path(),
        &["--trial", "--only", "exit", "--save", file],
    ));
    let text = succeed(&report(folder.path(), &["--from", file]));
    assert!(text.starts_with("exit\n"), "{text}");
}

#[test]
fn what_is_published_can_be_told_again() {
    let folder = tempdir().unwrap();
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/report/measurements.json");
    let text = succeed(&report(folder.path(), &["--from", published]));
    assert!(text.contains("\nqueue, 4 producers\n"), "{text}");
}

#[test]
fn wrong_arguments_are_told_before_anything_is_measured() {
    let folder = tempdir().unwrap();
    let said = |args: &[&str]| {
        let text = fail(&report(folder.path(), args), 2);
        assert!(!text.contains("pass 1"), "{text}");
        text
    };

    let text = said(&["--only", "speed"]);
    assert!(text.contains("--only") && text.contains("launch"), "{text}");
    let text = said(&["--trial", "--compare", "was-never-saved"]);
    assert!(text.contains("--compare: cannot read"), "{text}");
    let (_other, other) = save(&json!({ "name": "something else" }));
    let text = said(&["--trial", "--compare", &other]);
    assert!(
        text.contains("--compare: there are no measurements in"),
        "{text}"
    );
    let (_newer, newer) = save(&json!({ "format": 999 }));
    let text = said(&["--from", &newer]);
    assert!(
        text.contains("--from: the measurements in") && text.contains("format 999"),
        "{text}"
    );

    let text = fail(&report(Path::new("/dev/null/folder"), &["--trial"]), 2);
    assert!(text.contains("--out: cannot make the folder"), "{text}");
}
