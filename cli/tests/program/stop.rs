//! `meanwhile stop`.

use std::io;
use std::process::Stdio;

use crate::support::{assert_gone, eventually, exit_status};
use crate::tasks::{AGENT, Tasks};

#[test]
fn the_whole_tree_is_gone_when_it_returns_and_the_agent_is_told_who_did_it() {
    let tasks = Tasks::new();
    let id = tasks.launch(&["--", "sleep 300 & echo $$ $! > pids; wait"]);
    let pids = tasks.folders.pids("pids");
    let said = tasks.run_of("person", &["stop", &id]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    assert!(
        said.stdout.contains(&*id) && said.stdout.contains("stopped by the user"),
        "{said:?}"
    );
    assert_gone(&pids);
    let items = tasks.run(&["inbox", "--json"]).json();
    assert_eq!(
        (&items[0]["task_id"], &items[0]["ended_by"]),
        (&id.as_str().into(), &"user".into())
    );
}

#[test]
fn signal_and_grace_reach_the_task() {
    let tasks = Tasks::new();
    let trapped = |options: &[&str], trap: &str| {
        let line = format!("{trap}; echo ready; while :; do sleep 0.02; done");
        let id = tasks.launch(&[options, &["--", &line]].concat());
        let is_ready = || tasks.run(&["logs", &id]).stdout.contains("ready");
        eventually(|| is_ready().then_some(())).expect("the trap is set");
        id
    };
    for signal in ["INT", "SIGINT", "2"] {
        let id = trapped(&[], "trap 'echo got; exit 9' INT");
        let said = tasks.run(&["stop", "--signal", signal, "--grace", "60s", &id]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.stdout.contains("exit code 9"), "{said:?}");
        assert!(tasks.run(&["logs", &id]).stdout.ends_with("got\n"));
    }
    let stubborn = trapped(&["--grace", "1h"], "trap '' TERM");
    let said = tasks.run(&["stop", "--grace", "0s", &stubborn]);
    assert!(said.stdout.contains("SIGKILL"), "{said:?}");
    assert_eq!(tasks.run(&["stop", "--signal", "LOUD", &stubborn]).code, 2);
}

#[test]
fn one_that_cannot_be_stopped_keeps_no_other_running() {
    let tasks = Tasks::new();
    let ended = tasks.ended(&["--", "exit 3"]);
    let running = tasks.behind_gate("");
    let said = tasks.run(&["stop", "zzzzzzzzzz", &ended, &running]);
    assert_eq!(said.code, 125, "{said:?}");
    assert!(
        said.stderr.contains("zzzzzzzzzz") && said.stderr.contains("meanwhile ls --all"),
        "{said:?}"
    );
    let lines: Vec<_> = said.stdout.lines().collect();
    assert!(
        lines[0].contains(&*ended) && lines[0].contains("had ended before: it failed"),
        "{said:?}"
    );
    assert!(
        lines[1].contains(&*running) && lines[1].contains("stopped by the user"),
        "{said:?}"
    );
    let said = tasks.run(&["stop", &ended, &running]);
    assert_eq!(said.code, 0, "both are over: {said:?}");
    assert_eq!(
        tasks.pending(AGENT),
        [&*ended, &*running],
        "stopping tells the agent nothing"
    );
}

#[test]
fn all_are_stopped_also_if_nobody_reads_about_it() {
    let tasks = Tasks::new();
    let ids = [tasks.behind_gate(""), tasks.behind_gate("")];
    let mut program = tasks.command(&["stop", &ids[0], &ids[1]]);
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut stopping = program.stdin(Stdio::null()).stdout(writer).spawn().unwrap();
    assert_eq!(exit_status(&mut stopping).code(), Some(0));
    assert_eq!(tasks.pending(AGENT).len(), 2);
}
