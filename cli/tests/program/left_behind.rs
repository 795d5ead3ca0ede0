//! `meanwhile run`: a task that is left behind, and the process that looks after it.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use crate::support::{
    Folders, PROGRAM, assert_gone, eventually, exit_status, is_alive, kill, output, said,
};
use crate::terminal::script;

/// What a task does until the test lets it go. No test that fails leaves it behind for long.
const UNTIL_GATE: &str = "until [ -e gate ]; do sleep 0.02; done";
const AT_MOST: [&str; 2] = ["--timeout", "2m"];

/// `meanwhile run` for the session of the tests, before its command.
fn run(folders: &Folders) -> Command {
    let mut program = folders.program();
    program.args(["run", "--session", "one"]).args(AT_MOST);
    program
}

/// Launches and gives the id.
fn launch(program: Command) -> String {
    let said = said(program);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    assert_eq!(said.stdout.len(), 11, "{said:?}");
    said.stdout.trim_end().to_owned()
}

fn launch_line(folders: &Folders, line: &str) -> String {
    let mut program = run(folders);
    program.arg("--").arg(line);
    launch(program)
}

/// Waits until so many endings were told.
fn told(folders: &Folders, count: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let all = eventually(|| {
        items.append(&mut folders.inbox("one"));
        (items.len() >= count).then_some(())
    });
    assert!(all.is_some() && items.len() == count, "{items:#?}");
    items
}

#[test]
fn a_launch_returns_at_once_and_the_ending_is_told_once() {
    let folders = Folders::new();
    let id = launch_line(
        &folders,
        &format!("echo $PPID > supervisor; {UNTIL_GATE}; echo done; exit 3"),
    );
    let supervisor = folders.pids("supervisor")[0];
    assert!(folders.inbox("one").is_empty());
    assert!(is_alive(supervisor));
    fs::write(folders.work("gate"), "").unwrap();

    let items = told(&folders, 1);
    assert_eq!(items[0]["task_id"], id.as_str());
    assert_eq!(items[0]["status"], "failed");
    assert_eq!(items[0]["exit_code"], 3);
    assert_eq!(items[0]["output"], "done\n");
    let gone = eventually(|| (!is_alive(supervisor)).then_some(()));
    assert!(gone.is_some(), "the supervisor ends with its task");
    assert!(folders.inbox("one").is_empty());
}

#[test]
fn options_reach_the_task() {
    let folders = Folders::new();
    fs::create_dir(folders.work("inner")).unwrap();
    let mut program = run(&folders);
    program.args([
        "--cwd",
        "inner",
        "--description",
        "Look\naround",
        "--grace",
        "1500ms",
        "--env",
    ]);
    program.arg(OsStr::from_bytes(b"A=\xff=b")).arg("--");
    program.arg("printf '%s\\n' \"$A\" \"$PWD\"");
    let id = launch(program);
    let items = told(&folders, 1);
    assert_eq!(items[0]["description"], "Look\naround");
    let path = items[0]["output_path"].as_str().unwrap();
    let inner = fs::canonicalize(folders.work("inner")).unwrap();
    let said = [b"\xff=b\n", inner.as_os_str().as_bytes(), b"\n"].concat();
    assert_eq!(fs::read(path).unwrap(), said);
    let shown = folders.run(&["show", "--json", &id]).json();
    assert_eq!(shown["cwd"], inner.to_str().unwrap());
    assert_eq!(shown["session"], "one");
    assert_eq!(shown["grace_ms"], 1_500);
    assert_eq!(shown["timeout_ms"], 120_000);
}

#[test]
fn what_cannot_start_is_told_and_is_no_failure_of_the_launch() {
    let folders = Folders::new();
    for args in [
        &["--", "./no-such-program", "x"][..],
        &["--cwd", "no-such-folder", "--", "true"],
    ] {
        let mut program = run(&folders);
        program.args(args);
        launch(program);
        assert_eq!(
            told(&folders, 1)[0]["status"],
            "failed_to_start",
            "{args:?}"
        );
    }
}

#[test]
fn wrong_usage_launches_nothing() {
    let folders = Folders::new();
    for args in [
        &["--", ""][..],
        &["--", "", "argument"],
        &["--"],
        &["--env", "A", "--", "true"],
        &["--env", "=b", "--", "true"],
        &["--timeout", "5", "--", "true"],
        &["--backend", "tokio", "--", "true"],
    ] {
        let mut program = run(&folders);
        program.args(args);
        let (code, stdout, stderr) = output(program);
        assert_eq!((code, &stdout[..]), (2, &b""[..]), "{args:?}: {stderr}");
    }
    assert!(fs::read_dir(folders.state()).unwrap().next().is_none());
}

#[test]
fn large_commands_and_any_bytes_are_taken() {
    let folders = Folders::new();
    let part = OsString::from("x".repeat(100_000));
    let mut program = run(&folders);
    program.args(["--", "printf", "%s"]);
    program.args([&part, &part, &part, OsStr::from_bytes(b"\xff\"\n")]);
    launch(program);
    let items = told(&folders, 1);
    assert_eq!(items[0]["output_bytes"], 300_003);
    let written = fs::read(items[0]["output_path"].as_str().unwrap()).unwrap();
    assert!(written.ends_with(b"x\xff\"\n"));
}

#[test]
fn nothing_of_the_launcher_is_held_or_needed() {
    let folders = Folders::new();
    let line = format!(
        "exec 9>&1; id=$('{PROGRAM}' run --session one --timeout 2m -- 'echo $$ $PPID > pids; {UNTIL_GATE}' 2>&1); echo $id"
    );
    let mut shell = folders.prepare(Command::new("/bin/sh"));
    shell.arg("-c").arg(line);
    // Returns when nobody holds stdout or stderr any more.
    let (code, stdout, _) = output(shell);
    assert_eq!((code, stdout.len()), (0, 11));
    for pid in folders.pids("pids") {
        assert!(is_alive(pid), "nobody waited for it");
    }
    fs::write(folders.work("gate"), "").unwrap();
    told(&folders, 1);
}

#[test]
fn whatever_the_launcher_was_started_with_the_exit_is_told_as_it_is() {
    for start in [
        "exec meanwhile run --session one -- 'exit 3' <&- >&- 2>&-",
        "trap '' CHLD HUP TERM; exec meanwhile run --session one -- 'exit 3'",
        "ulimit -n 32; exec meanwhile run --session one -- 'exit 3'",
        "mkdir gone && cd gone && rmdir ../gone; exec meanwhile run --session one -- 'exit 3'",
    ] {
        let folders = Folders::new();
        let mut shell = folders.prepare(Command::new("/bin/sh"));
        let line = start.replace("exec meanwhile", &format!("exec '{PROGRAM}'"));
        shell.arg("-c").arg(line);
        let (code, _, stderr) = output(shell);
        assert_eq!((code, stderr.as_str()), (0, ""), "{start}");
        let items = told(&folders, 1);
        assert_eq!(items[0]["exit_code"], 3, "{start}: {items:#?}");
        assert_eq!(items[0]["ended_by"], "itself");
    }
}

#[test]
fn fifty_at_once_are_each_told_once() {
    let folders = Folders::new();
    let start = |number: u32| {
        let mut program = run(&folders);
        program.arg("--").arg(format!("exit {}", number % 3));
        let pipes = program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        pipes.spawn().unwrap()
    };
    let launchers: Vec<_> = (0..50).map(start).collect();
    let id = |launcher: std::process::Child| {
        let said = launcher.wait_with_output().unwrap();
        assert!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        String::from_utf8(said.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    };
    let launched: HashSet<String> = launchers.into_iter().map(id).collect();
    assert_eq!(launched.len(), 50);
    let items = told(&folders, 50);
    let told = items
        .iter()
        .map(|item| item["task_id"].as_str().unwrap().to_owned());
    assert_eq!(told.collect::<HashSet<_>>(), launched);
}

#[test]
fn the_timeout_is_kept_with_the_launcher_gone() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args([
        "run",
        "--session",
        "one",
        "--timeout",
        "300ms",
        "--grace",
        "50ms",
        "--",
    ]);
    program.arg("trap '' TERM; echo before; sleep 300 & echo $$ $! > pids; wait; sleep 300");
    launch(program);
    let items = told(&folders, 1);
    assert_eq!(items[0]["status"], "timed_out");
    assert_eq!(items[0]["ended_by"], "timeout");
    assert_eq!(items[0]["output"], "before\n");
    assert_gone(&folders.pids("pids"));
}

#[test]
fn a_task_is_stopped_through_its_supervisor() {
    let folders = Folders::new();
    let id = launch_line(&folders, "setsid sleep 300 & echo $$ $! > pids; wait");
    let pids = folders.pids("pids");
    let said = folders.run(&["stop", &id]);
    assert_eq!(said.code, 0, "{said:?}");
    let items = told(&folders, 1);
    assert_eq!(items[0]["status"], "stopped");
    assert_gone(&pids);
}

#[test]
fn a_killed_supervisor_is_told_as_lost_once_and_its_task_is_dead() {
    let folders = Folders::new();
    let id = launch_line(
        &folders,
        "trap '' TERM; setsid sleep 300 & echo $PPID $$ $! > pids; while :; do sleep 300; done",
    );
    let pids = folders.pids("pids");
    kill(pids[0]);
    let items = told(&folders, 1);
    assert_eq!(items[0]["task_id"], id.as_str());
    assert_eq!(items[0]["status"], "lost");
    assert_gone(&pids);
    assert!(folders.inbox("one").is_empty());
}

#[test]
fn the_next_launch_ends_what_a_killed_supervisor_left() {
    let folders = Folders::new();
    launch_line(&folders, "echo $PPID $$ > pids; sleep 300");
    let pids = folders.pids("pids");
    kill(pids[0]);
    launch_line(&folders, "true");
    // Nothing else opens the store until then.
    let gone = eventually(|| (!is_alive(pids[1])).then_some(()));
    assert!(gone.is_some());
    let items = told(&folders, 2);
    assert!(items.iter().any(|item| item["status"] == "lost"));
}

#[test]
fn a_supervisor_that_is_to_end_stops_its_task() {
    let folders = Folders::new();
    launch_line(
        &folders,
        "trap 'echo asked > asked; exit 0' TERM; echo $PPID > supervisor; while :; do sleep 0.02; done",
    );
    let supervisor = folders.pids("supervisor")[0];
    kill_process(Pid::from_raw(supervisor).unwrap(), Signal::TERM).unwrap();
    folders.written("asked");
    let items = told(&folders, 1);
    assert_eq!(items[0]["status"], "stopped");
    assert_eq!(items[0]["ended_by"], "shutdown");
    let gone = eventually(|| (!is_alive(supervisor)).then_some(()));
    assert!(gone.is_some());
}

#[test]
fn a_hang_up_is_nothing_to_a_supervisor() {
    let folders = Folders::new();
    launch_line(
        &folders,
        &format!("trap 'exit 9' TERM; echo $PPID > supervisor; {UNTIL_GATE}; exit 3"),
    );
    let supervisor = folders.pids("supervisor")[0];
    kill_process(Pid::from_raw(supervisor).unwrap(), Signal::HUP).unwrap();
    // The supervisor has had its time, and a stop its way.
    assert!(folders.inbox("one").is_empty());
    fs::write(folders.work("gate"), "").unwrap();
    let items = told(&folders, 1);
    assert_eq!(items[0]["exit_code"], 3, "{items:#?}");
    assert_eq!(items[0]["ended_by"], "itself");
}

#[test]
fn the_end_of_the_launchers_group_does_not_touch_the_task() {
    let folders = Folders::new();
    let mut shell = folders.prepare(Command::new("/bin/sh"));
    shell.arg("-c").arg(format!(
        "'{PROGRAM}' run --session one --timeout 2m -- 'echo $$ > pid; {UNTIL_GATE}'; sleep 300"
    ));
    let mut launcher = shell
        .process_group(0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pids = folders.pids("pid");
    kill_process_group(Pid::from_child(&launcher), Signal::KILL).unwrap();
    exit_status(&mut launcher);
    assert!(is_alive(pids[0]));
    fs::write(folders.work("gate"), "").unwrap();
    assert_eq!(told(&folders, 1)[0]["status"], "completed");
}

#[test]
fn the_end_of_the_terminal_does_not_touch_the_task() {
    let folders = Folders::new();
    let line = format!(
        "'{PROGRAM}' run --session one --timeout 2m -- 'echo $$ > pid; {UNTIL_GATE}'; echo $$ > shell; read line"
    );
    let Some(mut script) = script(&folders, &line) else {
        return;
    };
    // Its stdin stays open, and so does the terminal.
    let mut terminal = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let shown = BufReader::new(terminal.stdout.take().unwrap());
    let is_hint = |line: &String| line.contains("meanwhile logs -f");
    let hint = shown.lines().map(Result::unwrap).find(is_hint);
    assert!(hint.is_some(), "a person is told what comes next");
    let shell = folders.pids("shell")[0];
    let pids = folders.pids("pid");
    terminal.kill().unwrap();
    exit_status(&mut terminal);
    let hung_up = eventually(|| (!is_alive(shell)).then_some(()));
    assert!(
        hung_up.is_some(),
        "the terminal is gone, and its shell with it"
    );
    assert!(is_alive(pids[0]));
    fs::write(folders.work("gate"), "").unwrap();
    assert_eq!(told(&folders, 1)[0]["status"], "completed");
}

#[test]
fn without_a_state_folder_the_reason_is_told() {
    let folders = Folders::new();
    let mut program = run(&folders);
    program
        .env("MEANWHILE_STATE_DIR", "/dev/null/state")
        .args(["--", "true"]);
    let (code, stdout, stderr) = output(program);
    assert_eq!((code, stdout.len()), (125, 0), "{stderr}");
    assert!(stderr.contains("/dev/null/state"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_supervisor_that_is_told_nothing_whole_launches_nothing() {
    for said in ["", "{\"command\":[{\"Unix\":[116", "{}", "[]"] {
        let folders = Folders::new();
        fs::write(folders.work("order"), said).unwrap();
        let mut program = folders.prepare(Command::new("/bin/sh"));
        program.arg("-c").arg(format!(
            "exec '{PROGRAM}' supervise bcdfghjkmn lock -- one < order"
        ));
        let (code, stdout, stderr) = output(program);
        assert_eq!((code, stdout.len()), (125, 0), "{stderr}");
        assert!(stderr.contains("no task was handed over"), "{stderr}");
        assert!(folders.inbox("one").is_empty());
    }
}

#[test]
fn what_a_task_launches_belongs_to_the_session_of_the_task() {
    let folders = Folders::new();
    let line = format!("'{PROGRAM}' run --timeout 2m -- 'exit 5'");
    launch_line(&folders, &line);
    let mut codes: Vec<_> = told(&folders, 2)
        .iter()
        .map(|item| item["exit_code"].as_i64())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(5)]);
}
