//! What a supervisor that was killed leaves behind is stopped, and nobody else.

#![cfg(target_os = "linux")]

mod support;

use std::process::{Child, Command};
use std::time::Duration;

use meanwhile_core::{Orphan, ProcessId, TaskId};
use meanwhile_process::stop_orphans;

use crate::support::{ANNOUNCE, Folder, is_alive, until};

const MARK: &str = "MEANWHILE_TASK";
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Starts a supervisor that leads a task with this script, and kills it when the leader has announced itself.
fn orphan(folder: &Folder, script: &str, grace: Duration) -> Orphan {
    let task = TaskId::random();
    folder.write("task", &format!("{ANNOUNCE}\n{script}"));
    let mut supervisor = Command::new("sh")
        .args(["-c", "setsid sh task & wait"])
        .current_dir(folder.path())
        .env(MARK, task.as_str())
        .spawn()
        .expect("a shell");
    let leader = folder.process("leader");
    supervisor.kill().expect("it waits for its task");
    supervisor.wait().expect("a child");
    Orphan {
        task,
        leader: Some(leader),
        grace,
    }
}

/// A process of nobody's task, in a session of its own.
fn stranger(folder: &Folder) -> (Child, ProcessId) {
    let script = format!("{ANNOUNCE}; announce stranger; exec sleep 1000");
    let child = Command::new("setsid")
        .args(["sh", "-c", &script])
        .current_dir(folder.path())
        .env_remove(MARK)
        .spawn()
        .expect("a shell");
    (child, folder.process("stranger"))
}

const SLEEP: &str = "exec sleep 1000";

#[test]
fn the_whole_tree_is_stopped() {
    let folder = Folder::new();
    // Those in parentheses lose their parents at once.
    let member = |name: &str| format!("sh -c '{ANNOUNCE}; announce {name}; {SLEEP}'");
    let script = format!("(env -i {} &)\n", member("in-group"))
        + &format!("(setsid {} &)\n", member("marked"))
        + &format!("env -i setsid {} &\n", member("child"))
        + "announce leader; wait; sleep 1000";
    let orphan = orphan(&folder, &script, LONG);
    let names = ["leader", "in-group", "marked", "child"];
    let processes = names.map(|name| folder.process(name));
    let nobody = Orphan {
        task: TaskId::random(),
        leader: None,
        grace: LONG,
    };
    assert_eq!(stop_orphans(&[nobody, orphan]), [0, 0]);
    for (name, process) in names.iter().zip(processes) {
        assert!(!is_alive(process.pid), "{name} is still there");
    }
}

#[test]
fn the_polite_signal_comes_first() {
    let folder = Folder::new();
    let script = "trap 'echo bye > said; exit' TERM; announce leader; while :; do :; done";
    let orphan = orphan(&folder, script, LONG);
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert_eq!(folder.text("said"), "bye\n");
}

#[test]
fn without_grace_nobody_is_asked() {
    let folder = Folder::new();
    let script = "trap 'echo bye > said; exit' TERM; announce leader; while :; do :; done";
    let orphan = orphan(&folder, script, Duration::ZERO);
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert_eq!(folder.text("said"), "");
}

#[test]
fn a_stray_is_remembered_when_its_parent_has_gone() {
    let folder = Folder::new();
    // The leader ends at the polite signal. Its child has neither mark nor group, and no parent then.
    let script = format!(
        "env -i setsid sh -c 'trap \"\" TERM; {ANNOUNCE}; announce stray; {SLEEP}' &
        announce leader; wait"
    );
    let orphan = orphan(&folder, &script, SHORT);
    let stray = folder.process("stray");
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert!(!is_alive(stray.pid));
}

#[test]
fn whoever_was_stopped_is_woken_to_hear_the_signal() {
    let folder = Folder::new();
    let script =
        "trap 'echo bye > said; exit' TERM; announce leader; kill -STOP $$; while :; do :; done";
    let orphan = orphan(&folder, script, LONG);
    let leader = folder.process("leader");
    until("the leader is stopped", || {
        support::stat(leader.pid, 0).as_deref() == Some("T")
    });
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert_eq!(folder.text("said"), "bye\n");
}

#[test]
fn the_mark_finds_everybody_where_the_leader_is_not_known() {
    let folder = Folder::new();
    let script = format!(
        "(setsid sh -c '{ANNOUNCE}; announce escaped; {SLEEP}' &)
        announce leader; {SLEEP}"
    );
    let orphan = Orphan {
        leader: None,
        ..orphan(&folder, &script, LONG)
    };
    let processes = ["leader", "escaped"].map(|name| folder.process(name));
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert!(processes.iter().all(|process| !is_alive(process.pid)));
}

/// So is one that was started a moment before its supervisor died: until it executes its program it has the environment
/// of the supervisor, and no mark.
#[test]
fn whoever_writes_to_the_spool_is_found_without_a_mark() {
    let folder = Folder::new();
    let task = TaskId::random();
    let script = format!("{ANNOUNCE}; announce writer; exec sleep 1000 > {task}.out");
    let mut writer = Command::new("setsid")
        .args(["sh", "-c", &script])
        .current_dir(folder.path())
        .env_remove(MARK)
        .spawn()
        .expect("a shell");
    let process = folder.process("writer");
    until("it writes to the spool", || {
        let output = std::fs::read_link(format!("/proc/{}/fd/1", process.pid));
        output.is_ok_and(|path| path.ends_with(format!("{task}.out")))
    });
    let (mut bystander, stranger) = stranger(&folder);
    let left = stop_orphans(&[Orphan {
        task,
        leader: None,
        grace: SHORT,
    }]);
    assert_eq!(left, [0]);
    assert!(!is_alive(process.pid));
    assert!(is_alive(stranger.pid));
    for child in [&mut writer, &mut bystander] {
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[test]
fn a_number_that_was_given_to_somebody_else_is_not_the_leader() {
    let folder = Folder::new();
    let (mut child, stranger) = stranger(&folder);
    let later = ProcessId {
        start: stranger.start - 1,
        ..stranger
    };
    let unseen = ProcessId {
        start: 0,
        ..stranger
    };
    let orphans = [later, unseen].map(|leader| Orphan {
        task: TaskId::random(),
        leader: Some(leader),
        grace: Duration::ZERO,
    });
    assert_eq!(stop_orphans(&orphans), [0, 0]);
    let was_spared = is_alive(stranger.pid);
    let _ = child.kill();
    let _ = child.wait();
    assert!(was_spared);
}

#[test]
fn a_zombie_counts_as_gone() {
    let folder = Folder::new();
    let (mut child, process) = stranger(&folder);
    let orphan = Orphan {
        task: TaskId::random(),
        leader: Some(process),
        grace: LONG,
    };
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert_eq!(support::stat(process.pid, 0).as_deref(), Some("Z"));
    child.wait().expect("a child");
}

/// The program that cleans up runs inside of a task that is to be cleaned up: this test, started anew by a shell
/// that carries the mark.
#[test]
fn the_one_that_cleans_up_and_its_ancestors_are_spared() {
    let folder = Folder::new();
    let task = TaskId::random();
    let script = format!(
        "{ANNOUNCE}
        mkfifo up; sh -c '{ANNOUNCE}; announce sibling; echo > up; {SLEEP}' & read line < up
        \"$0\" --exact --ignored clean_up_from_inside > log 2>&1; echo $? > result"
    );
    let exe = std::env::current_exe().expect("this test");
    let status = Command::new("setsid")
        .args(["-w", "sh", "-c", &script])
        .arg(exe)
        .current_dir(folder.path())
        .env(MARK, format!("{}/{task}", TaskId::random()))
        .env("TASK_TO_STOP", task.as_str())
        .status()
        .expect("a shell");
    assert!(status.success(), "{status}");
    assert_eq!(folder.text("result"), "0\n", "{}", folder.text("log"));
    let log = folder.text("log");
    assert!(log.contains("1 passed"), "{log}");
    assert!(folder.text("processes").starts_with("sibling"));
}

#[test]
#[ignore = "started by another test, inside of a task"]
fn clean_up_from_inside() {
    let Ok(task) = std::env::var("TASK_TO_STOP") else {
        return;
    };
    let sibling = std::fs::read_to_string("processes").expect("the sibling has announced itself");
    let pid = sibling.trim().split_once(' ').expect("a name and an id").1;
    let pid = pid.parse().expect("an id");
    assert!(is_alive(pid));
    let orphan = Orphan {
        task: task.parse().expect("an id"),
        leader: None,
        grace: Duration::ZERO,
    };
    assert_eq!(stop_orphans(&[orphan]), [0]);
    assert!(!is_alive(pid), "the sibling is still there");
}
