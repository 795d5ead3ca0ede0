//! `meanwhile run --wait`: exit codes, output, signals.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Folders, assert_gone, eventually, exit_status, on_each_backend, output};

mod on {
    use super::on_each_backend;

    on_each_backend! {
        the_exit_code_is_that_of_the_task
        an_interrupt_stops_the_tree
    }
}

fn the_exit_code_is_that_of_the_task(backend: &str) {
    let folders = Folders::new();
    for (args, command, code, word) in [
        (&[][..], &["true"][..], 0, "completed"),
        (&[], &["echo said; exit 7"], 7, "7"),
        (&[], &["kill -KILL $$"], 128 + 9, "9"),
        (&[], &["sh", "-c", "exit 3"], 3, "3"),
        (&["--timeout", "100ms"], &["sleep 300"], 124, "timed out"),
        (
            &[],
            &["./no-such-program", "argument"],
            126,
            "no-such-program",
        ),
        (
            &["--cwd", "no-such-folder"],
            &["true"],
            126,
            "no-such-folder",
        ),
    ] {
        let mut program = folders.program();
        program
            .args(["run", "--wait", "--backend", backend])
            .args(args)
            .arg("--")
            .args(command);
        let (got, _, stderr) = output(program);
        assert_eq!(got, code, "{command:?}: {stderr}");
        assert!(stderr.contains("Background task"), "{stderr}");
        assert!(stderr.contains(word), "{command:?}: {stderr}");
    }
}

fn an_interrupt_stops_the_tree(backend: &str) {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args([
        "run",
        "--wait",
        "--grace",
        "100ms",
        "--backend",
        backend,
        "--",
    ]);
    program.arg("trap '' TERM INT; sleep 300 & echo $$ $! > pids; wait");
    let mut child = program
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = folders.pids("pids");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(exit_status(&mut child).code(), Some(130));
    assert_gone(&pids);
}

#[test]
fn output_comes_on_stdout_byte_for_byte_and_as_it_comes() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["run", "--wait", "--"]);
    program
        .arg(r"printf '\377\000\033[31m\r'; until [ -e gate ]; do sleep 0.02; done; printf '\302'");
    let mut child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 8];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"\xff\0\x1b[31m\r");
    fs::write(folders.work("gate"), "").unwrap();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"\xc2");
    assert!(exit_status(&mut child).success());
}

#[test]
fn without_a_terminal_nothing_moves_the_cursor() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args([
        "run",
        "--wait",
        "--",
        r"printf 'one\033[2J\rtwo\n'; sleep 0.3; exit 1",
    ]);
    let (code, _, stderr) = output(program);
    assert_eq!(code, 1);
    assert!(
        stderr.chars().all(|c| c == '\n' || !c.is_control()),
        "{stderr:?}"
    );
}

#[test]
fn options_reach_the_task() {
    let folders = Folders::new();
    fs::create_dir(folders.work("inner")).unwrap();
    let mut program = folders.program();
    program.args(["run", "--wait", "--cwd", "inner", "--env", "A=b=c", "--env"]);
    program.arg(OsStr::from_bytes(b"B=\xff"));
    program.args([
        "--description",
        "Look around",
        "--session",
        "one",
        "--output-limit",
        "8K",
        "--",
    ]);
    program.arg("echo $A; printf '%s\\n' \"$B\"; basename \"$PWD\"");
    let (code, stdout, stderr) = output(program);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, b"b=c\n\xff\ninner\n");
    let mut program = folders.program();
    program.args(["ls", "--all", "--json"]);
    let tasks: Value = serde_json::from_slice(&output(program).1).unwrap();
    assert_eq!(tasks[0]["session"], "one");
    assert_eq!(tasks[0]["description"], "Look around");
}

#[test]
fn several_words_are_a_program_with_no_shell_between() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args([
        "run", "--wait", "--", "printf", "%s|", "$HOME", "a b", "--wait", "*",
    ]);
    let (code, stdout, _) = output(program);
    assert_eq!((code, &stdout[..]), (0, &b"$HOME|a b|--wait|*|"[..]));
}

#[test]
fn a_task_whose_output_nobody_reads_is_stopped() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["run", "--wait", "--", "echo $$ > pid; yes"]);
    let mut child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = folders.pids("pid");
    drop(child.stdout.take());
    assert_eq!(exit_status(&mut child).code(), Some(125));
    assert_gone(&pids);
}

#[test]
fn a_signal_is_heard_while_nobody_reads_on() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["run", "--wait", "--", "echo $$ > pid; yes"]);
    let mut child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = folders.pids("pid");
    let stdout = child.stdout.as_ref().unwrap();
    let is_full = || rustix::io::ioctl_fionread(stdout).unwrap() > 60_000;
    assert!(eventually(|| is_full().then_some(())).is_some());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(exit_status(&mut child).code(), Some(128 + 15));
    assert_gone(&pids);
}
