//! `Read`.

use std::fs;

use meanwhile_agent::{ToolResult, ToolUse, Toolbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::World;

struct Folder {
    folder: TempDir,
    tools: Toolbox,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tools = World::new().tools.with_base_dir(folder.path());
        Self { folder, tools }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn read(&self, input: Value) -> ToolResult {
        futures_lite::future::block_on(self.tools.call(ToolUse::new("Read", input)))
    }
}

#[test]
fn lines_are_numbered_as_cat_does() {
    let folder = Folder::new();
    folder.write("a.txt", "one\n\ttwo\n\nlast without end");
    let answer = folder.read(json!({"file_path": "a.txt"}));
    assert!(!answer.is_error);
    assert_eq!(
        answer.content,
        "     1\tone\n     2\t\ttwo\n     3\t\n     4\tlast without end\n"
    );
    assert_eq!(answer.next_offset, None);
    let absolute = folder.folder.path().join("a.txt");
    assert_eq!(
        folder.read(json!({"file_path": absolute})).content,
        answer.content
    );
}

#[test]
fn offset_and_limit_choose_lines_and_say_where_to_go_on() {
    let folder = Folder::new();
    folder.write("a.txt", "1\n2\n3\n4\n");
    let answer = folder.read(json!({"file_path": "a.txt", "offset": 2, "limit": 2}));
    let (lines, note) = answer.content.split_once("[…").unwrap();
    assert_eq!(lines, "     2\t2\n     3\t3\n");
    assert!(note.contains("`offset` 4"), "{note}");
    assert_eq!(answer.next_offset, Some(4));
    let rest = folder.read(json!({"file_path": "a.txt", "offset": 4, "limit": u64::MAX}));
    assert_eq!(
        (rest.content.as_str(), rest.next_offset),
        ("     4\t4\n", None)
    );
    assert_eq!(
        folder
            .read(json!({"file_path": "a.txt", "offset": 0, "limit": 4}))
            .next_offset,
        None
    );
    let beyond = folder.read(json!({"file_path": "a.txt", "offset": 5}));
    assert!(beyond.is_error);
    assert!(beyond.content.contains("4 lines") && beyond.content.contains("`offset` 5"));
}

#[test]
fn two_thousand_lines_are_shown_by_default() {
    let folder = Folder::new();
    folder.write("a.txt", "x\n".repeat(2_001));
    let answer = folder.read(json!({"file_path": "a.txt"}));
    assert_eq!(answer.next_offset, Some(2_001));
    assert_eq!(
        answer.content.lines().count(),
        2_001,
        "2,000 lines and the note"
    );
}

#[test]
fn long_lines_and_long_files_are_cut() {
    let folder = Folder::new();
    folder.write("a.txt", ("é".repeat(2_500) + "\n").repeat(100));
    let answer = folder.read(json!({"file_path": "a.txt"}));
    let first = answer.content.lines().next().unwrap();
    assert!(first.ends_with("é [… 500 characters more]"), "{first}");
    assert!(answer.content.chars().count() < 110_000);
    assert_eq!(
        answer.next_offset,
        Some(answer.content.lines().count() as u64)
    );
}

#[test]
fn what_is_no_utf_8_is_shown_with_replacement_characters() {
    let folder = Folder::new();
    folder.write("a.bin", b"a\xffb\n");
    assert_eq!(
        folder.read(json!({"file_path": "a.bin"})).content,
        "     1\ta\u{fffd}b\n"
    );
}

#[test]
fn an_empty_file_says_so() {
    let folder = Folder::new();
    folder.write("empty", "");
    let answer = folder.read(json!({"file_path": "empty"}));
    assert_eq!(
        (answer.is_error, answer.content.as_str()),
        (false, "(the file is empty)")
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new();
    let path = folder.folder.path().display().to_string();
    for (file, words) in [
        (".", "is a folder"),
        ("missing", "does not exist"),
        ("/dev/zero", "not a regular file"),
    ] {
        let answer = folder.read(json!({"file_path": file}));
        assert!(answer.is_error);
        assert!(
            answer.content.contains("`file_path`") && answer.content.contains(words),
            "{}",
            answer.content
        );
        assert!(file.starts_with('/') || answer.content.contains(&path));
    }
}
