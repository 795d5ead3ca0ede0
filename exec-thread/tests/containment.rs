//! What only a control group can find: a process that left the group, cleared its environment, and has lost its
//! parents.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use meanwhile_core::{EndedBy, Outcome, Spec, State, Stop, Tasks};
use meanwhile_process::{Containment, LocalOptions};
use meanwhile_queue::MemoryQueue;
use meanwhile_thread::ThreadBackend;

const PATIENCE: Duration = Duration::from_secs(30);

/// Begins when the task is in its control group, which it is a moment after it was started: where there is one,
/// one of a hundred looks finds it.
const ADOPTED: &str = r"
looks=0
until grep -q /meanwhile- /proc/self/cgroup || [ $looks = 100 ]; do looks=$((looks + 1)); done
cat /proc/self/cgroup > cgroup
";

/// Its id goes into `escaped` when it is there; nobody but its control group knows it then.
const ESCAPE: &str = r#"
mkfifo up
(env -i PATH="$PATH" setsid sh -c 'echo $$ > escaped; echo > up; exec sleep 1000' &)
read line < up
"#;

fn tasks(spool: &Path) -> Tasks {
    let options = LocalOptions::default()
        .spool_dir(spool)
        .containment(Containment::Cgroup);
    Tasks::new(ThreadBackend::with_options(options), MemoryQueue::new())
}

/// The id of the one that escaped; `None`, with a word, where no control groups can be had.
fn escaped(folder: &Path) -> Option<String> {
    let deadline = Instant::now() + PATIENCE;
    while fs::read_to_string(folder.join("escaped"))
        .unwrap_or_default()
        .is_empty()
    {
        assert!(
            Instant::now() < deadline,
            "the process that was to escape never began"
        );
        std::thread::yield_now();
    }
    let pid = fs::read_to_string(folder.join("escaped"))
        .expect("its id")
        .trim()
        .to_owned();
    let cgroup = fs::read_to_string(folder.join("cgroup")).expect("the group of the task");
    if cgroup.contains("/meanwhile-") {
        return Some(pid);
    }
    println!("not demanded: no control groups can be made here");
    let _ = std::process::Command::new("kill").arg(pid).status();
    None
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[test]
fn a_process_without_any_other_mark_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let tasks = tasks(folder.path());
    let spec = Spec::shell(format!("{ADOPTED}{ESCAPE}sleep 1000")).cwd(folder.path());
    let handle = tasks.launch(spec).expect("a valid spec");
    let Some(pid) = escaped(folder.path()) else {
        return;
    };
    assert!(is_alive(&pid) && matches!(handle.state(), State::Running(_)));
    handle.stop(Stop::by(EndedBy::Agent));
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    assert_eq!((exit.outcome(), exit.survivors), (Outcome::Stopped, 0));
    assert!(!is_alive(&pid), "the process that escaped is still there");
}

#[test]
fn a_process_without_any_other_mark_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let tasks = tasks(folder.path());
    let spec = Spec::shell(format!("{ADOPTED}{ESCAPE}")).cwd(folder.path());
    let handle = tasks.launch(spec).expect("a valid spec");
    let pid = escaped(folder.path());
    let exit = handle.wait_timeout(PATIENCE).expect("an end");
    let Some(pid) = pid else { return };
    let was_alive = is_alive(&pid);
    let _ = std::process::Command::new("kill").arg(&pid).status();
    assert!(was_alive, "a survivor was not left alone");
    assert_eq!((exit.code(), exit.survivors), (Some(0), 1));
}
