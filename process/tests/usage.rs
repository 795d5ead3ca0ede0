//! What a task takes is that of its whole tree.

#![cfg(target_os = "linux")]

mod support;

use std::process::{Child, Command};
use std::time::Duration;

use meanwhile_core::{ProcessId, TaskId};
use meanwhile_process::{Usage, usage};

use crate::support::{ANNOUNCE, Folder, until};

/// Starts a task whose leader ends with its last line, and gives it time.
fn task(folder: &Folder, script: &str) -> (Child, (TaskId, ProcessId)) {
    let task = TaskId::random();
    let child = Command::new("setsid")
        .args(["sh", "-c", &format!("{ANNOUNCE}\n{script}")])
        .current_dir(folder.path())
        .env("MEANWHILE_TASK", task.as_str())
        .spawn()
        .expect("a shell");
    (child, (task, folder.process("leader")))
}

fn of(leader: (TaskId, ProcessId)) -> Usage {
    usage(&[leader]).expect("a process table")[0]
}

#[test]
fn processes_in_and_outside_of_the_group_count() {
    let folder = Folder::new();
    let script = format!(
        "sh -c '{ANNOUNCE}; announce member; exec sleep 1000' &
        (setsid sh -c '{ANNOUNCE}; announce escaped; exec sleep 1000' &)
        announce leader; wait"
    );
    let (mut child, leader) = task(&folder, &script);
    folder.process("member");
    folder.process("escaped");
    until("all of them are counted, and no other", || {
        of(leader).processes == 3
    });
    assert!(of(leader).resident >= 3 * 4096);
    drop(folder);
    child.wait().expect("a child");
    until("nobody is left", || of(leader) == Usage::default());
}

#[test]
fn processor_time_of_those_that_ended_counts() {
    let folder = Folder::new();
    // The one that burns is waited for; then nobody does anything any more.
    let script = "sh -c 'n=0; while [ $n -lt 300000 ]; do n=$((n+1)); done'
        announce leader; exec sleep 1000";
    let (mut child, leader) = task(&folder, script);
    assert!(
        of(leader).cpu >= Duration::from_millis(20),
        "{:?}",
        of(leader)
    );
    drop(folder);
    child.wait().expect("a child");
}

#[test]
fn each_task_has_its_own() {
    let (busy, idle) = (Folder::new(), Folder::new());
    let (mut first, burning) = task(&busy, "announce leader; while :; do :; done");
    let (mut second, sleeping) = task(&idle, "announce leader; exec sleep 1000");
    let gone = (
        TaskId::random(),
        ProcessId {
            start: burning.1.start + 1,
            ..burning.1
        },
    );
    until("the busy one has taken time", || {
        let usages = usage(&[sleeping, burning, gone]).expect("a process table");
        assert_eq!(usages[2], Usage::default());
        assert!(usages[0].cpu < Duration::from_millis(100));
        usages[1].cpu >= Duration::from_millis(200)
    });
    drop((busy, idle));
    first.wait().expect("a child");
    second.wait().expect("a child");
}
