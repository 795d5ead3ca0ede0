//! What a person sees, through the pseudo-terminal of `script`.

use std::process::Command;

use crate::support::{Folders, PROGRAM, output};

/// Runs the program with `args` on a terminal. None if there is no `script` that can.
pub(crate) fn on_terminal(
    folders: &Folders,
    args: &str,
    environment: &[(&str, &str)],
) -> Option<(i32, String)> {
    let mut script = script(folders, &format!("stty cols 80; '{PROGRAM}' {args}"))?;
    script.envs(environment.iter().copied());
    let (code, stdout, _) = output(script);
    Some((code, String::from_utf8_lossy(&stdout).into_owned()))
}

/// The command that runs `line` on a terminal. None if there is no `script` that can.
pub(crate) fn script(folders: &Folders, line: &str) -> Option<Command> {
    let has_script = Command::new("script").arg("--version").output();
    if !has_script.is_ok_and(|said| said.status.success()) {
        eprintln!("skipped: there is no `script` of util-linux");
        return None;
    }
    let mut script = folders.prepare(Command::new("script"));
    script
        .args(["-qec", line, "/dev/null"])
        .env("TERM", "xterm");
    Some(script)
}

fn recorded(folders: &Folders) {
    let lines = concat!(
        r#"{"type":"tool_use","name":"Bash","input":{"command":"printf 'red \\033[31m herring\\n'; exit 3","#,
        r#""description":"Look for fish","run_in_background":true}}"#,
        "\n",
        r#"{"type":"wait"}"#,
        "\n",
    );
    std::fs::write(folders.work("recorded.jsonl"), lines).unwrap();
}

#[test]
fn a_session_is_shown_as_a_timeline() {
    let folders = Folders::new();
    recorded(&folders);
    let Some((code, shown)) = on_terminal(&folders, "session recorded.jsonl", &[]) else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    for words in [
        "Look for fish",
        "Background task failed, exit code 3",
        "red  herring",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.contains("\x1b["), "in colour: {shown}");
    assert!(!shown.contains("\"type\""), "{shown}");
}

#[test]
fn no_color_is_honoured() {
    let folders = Folders::new();
    recorded(&folders);
    let no_color = [("NO_COLOR", "1")];
    let Some((_, shown)) = on_terminal(&folders, "session recorded.jsonl", &no_color) else {
        return;
    };
    assert!(
        shown.contains("Look for fish") && !shown.contains('\x1b'),
        "{shown}"
    );
}

#[test]
fn json_lines_can_be_had_on_a_terminal() {
    let folders = Folders::new();
    recorded(&folders);
    let Some((_, shown)) = on_terminal(&folders, "session --json recorded.jsonl", &[]) else {
        return;
    };
    assert!(
        shown.lines().all(|line| line.starts_with("{\"type\":")),
        "{shown}"
    );
}

#[test]
fn a_run_shows_its_last_line_while_it_runs_and_the_notification_after() {
    let folders = Folders::new();
    let line = r#"run --wait -- 'printf "one\nearly\rt\033[31mwo\r\n"; sleep 3; exit 4'"#;
    let Some((code, shown)) = on_terminal(&folders, line, &[]) else {
        return;
    };
    assert_eq!(code, 4, "{shown}");
    let (progress, after) = shown.split_once("Background task").unwrap();
    assert!(
        progress.contains(" two") && !progress.contains("early two"),
        "{shown}"
    );
    assert!(after.contains('4'), "{shown}");
}

#[test]
fn what_is_drawn_leaves_room_for_the_echo_of_an_interrupt() {
    let folders = Folders::new();
    let line = "run --wait -- 'yes | tr -d \"\\n\" | head -c 500; sleep 1'";
    let Some((_, shown)) = on_terminal(&folders, line, &[]) else {
        return;
    };
    let (progress, _) = shown.split_once("[System").unwrap();
    let widths = progress.split("\r\x1b[2K").map(|line| line.chars().count());
    assert_eq!(widths.max(), Some(80 - "^C".len()), "{progress:?}");
}
