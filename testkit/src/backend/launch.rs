//! Launching, and what is told of it.

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use meanwhile_core::{EndedBy, ExitStatus, Handle, LaunchErrorKind, Lifecycle, Spec, Stdin, Stop};

use crate::folder::{ANNOUNCE, HOLD};
use crate::process;
use crate::trial::{Needs, Trial, not_demanded};
use crate::wait;

/// The thread that launches is not the one that spawns, for a spawn blocks whoever calls it.
///
/// Seen by whose child the process is. Where the system does not tell, this is not demanded.
pub fn launch_returns_before_the_spawn<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    // A thread of its own, so that it has no other children and inherits none.
    let launching = || {
        trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}")));
        trial.folder.processes(1);
        process::children_of_this_thread()
    };
    let children = thread::scope(|scope| scope.spawn(launching).join());
    match children.unwrap_or_else(|panic| resume_unwind(panic)) {
        Some(children) => assert_eq!(
            children, "",
            "the launching thread spawned the process itself"
        ),
        None => not_demanded("this system does not tell which thread spawned a process"),
    }
}

/// The caller gets control back while the task runs.
pub fn launch_returns_while_the_task_runs<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let watchdog = trial.folder.watch();
    let handle = trial.launch(trial.here(HOLD));
    assert!(
        !watchdog.call_off(),
        "launch waited for the end of its task"
    );
    trial.folder.open("gate");
    assert_eq!(trial.end(&handle).code(), Some(0));
}

/// The process that leads a task is named, with its start, so that whoever comes after a crash of this program finds
/// what is left of it.
pub fn the_leader_is_named<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}")));
    let announced = trial.folder.processes(1);
    // The task may be quicker than its backend.
    wait::until("its leader is named", || {
        trial.probe.leader_of(handle.id()).is_some()
    });
    let named = trial.probe.leader_of(handle.id());
    assert_eq!(
        named.map(|leader| leader.pid),
        Some(announced[0].pid()),
        "another process was named"
    );
    assert!(
        named.is_some_and(|leader| leader.start > 0),
        "it was named without its start"
    );
}

/// More input than a pipe holds does not keep the caller until the task reads it.
pub fn launch_does_not_wait_for_its_input_to_be_read<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let watchdog = trial.folder.watch();
    let input = Stdin::Bytes(vec![b'x'; 1 << 20].into());
    let handle = trial.launch(trial.here(format!("{HOLD}\nwc -c")).stdin(input));
    assert!(
        !watchdog.call_off(),
        "launch waited for its task to read its input"
    );
    trial.folder.open("gate");
    trial.end(&handle);
    assert_eq!(trial.text(&handle).trim(), "1048576");
}

/// Whatever becomes of a task, there is one notification for its id, and none for any other.
pub fn every_id_is_told_exactly_once<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let mut handles = Vec::new();
    for _ in 0..5 {
        handles.push(trial.launch(Spec::shell("exit 0")));
        handles.push(trial.launch(Spec::shell("exit 3")));
        handles.push(trial.launch(Spec::shell("kill -9 $$")));
        handles.push(trial.launch(Spec::program("/no/such/program")));
        let soon = Duration::from_millis(50);
        handles.push(trial.launch(Spec::shell("exec sleep 60").timeout(soon)));
        let stopped = trial.launch(Spec::shell("exec sleep 60"));
        stopped.stop(Stop::by(EndedBy::Agent));
        handles.push(stopped);
    }
    for handle in &handles {
        trial.end(handle);
        trial.told(handle);
    }
    let ids: HashSet<_> = handles.iter().map(Handle::id).collect();
    assert_eq!(ids.len(), handles.len(), "two tasks have the same id");
    let told = trial.probe.pushed().len();
    assert_eq!(
        told,
        handles.len(),
        "something was told of a task that was never launched"
    );
}

/// What the operating system refuses is no error of the launch but an end, told like any other.
pub fn what_the_system_refuses_is_an_exit<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let file = trial.folder.write("file", "#!/bin/sh\n");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("our file is ours");
    let folder = trial.folder.path();
    let too_long = "x".repeat(4 << 20);
    let refused = [
        (
            "a program that does not exist",
            Spec::program(folder.join("none")),
        ),
        (
            "a bare name that is nowhere",
            Spec::program("no-such-program-anywhere"),
        ),
        ("a program that is not executable", Spec::program(&file)),
        ("a program that is a folder", Spec::program(folder)),
        (
            "a shell that does not exist",
            Spec::shell("true").with_shell(folder.join("none")),
        ),
        (
            "a folder that does not exist",
            Spec::shell("true").cwd(folder.join("none")),
        ),
        ("a folder that is a file", Spec::shell("true").cwd(&file)),
        (
            "an argument of 4 MiB",
            Spec::program("/bin/echo").arg(too_long),
        ),
    ];
    for (what, spec) in refused {
        let handle = trial.launch(spec);
        let exit = trial.end(&handle);
        let ExitStatus::FailedToStart(failure) = &exit.status else {
            panic!(
                "{what} ended as {:?} and not as failed to start",
                exit.status
            );
        };
        assert!(!failure.message.is_empty(), "{what}: no reason was given");
        assert!(
            failure.os_error.is_some(),
            "{what}: no error number was given: {failure}"
        );
        assert_eq!(exit.started_at, None, "{what}: it never started");
        assert_eq!(exit.ended_by, EndedBy::Itself, "{what}");
        trial.told(&handle);
    }
}

/// An invalid spec is refused at once, there is no id and no notification, and what runs runs on.
///
/// `Tasks` sees to this, whatever the backend does.
pub fn what_is_invalid_leaves_no_id<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let running = trial.launch(Spec::shell("exec sleep 60"));
    let invalid = [
        Spec::shell(" "),
        Spec::shell("echo a\0b"),
        Spec::program(""),
        Spec::shell("true").timeout(Duration::ZERO),
    ];
    for spec in invalid {
        let error = trial
            .tasks
            .launch(spec)
            .expect_err("an invalid spec is refused");
        assert_eq!(error.kind(), LaunchErrorKind::Invalid);
    }
    assert_eq!(trial.tasks.list().len(), 1, "only the valid task has an id");
    assert_eq!(running.exit(), None, "what runs was disturbed");
    running.stop(Stop::by(EndedBy::Agent));
    trial.end(&running);
    assert_eq!(trial.probe.pushed().len(), 1, "only the valid task is told");
}

/// Whoever sees the exit finds the notification: at its push there is no exit yet, at the exit it is
/// there.
pub fn the_notification_is_there_before_the_exit<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(trial.here(HOLD));
    let (tell, at_push) = mpsc::channel();
    let look = handle.clone();
    trial.probe.at_push(move |_| {
        // The check may have failed and gone.
        let _ = tell.send(look.exit());
    });
    trial.folder.open("gate");
    let exit = trial.end(&handle);
    assert_eq!(
        trial.told(&handle).exit,
        exit,
        "the exit was there before its notification"
    );
    assert_eq!(
        at_push.try_recv(),
        Ok(None),
        "the exit was there before its notification"
    );
}

/// Nothing is told as long as the leader lives.
pub fn the_end_is_told_after_the_end<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(trial.here(format!("{ANNOUNCE}\n{HOLD}")));
    let leader = trial.folder.processes(1).remove(0);
    let (tell, at_push) = mpsc::channel();
    trial.probe.at_push(move |_| {
        // The check may have failed and gone.
        let _ = tell.send(leader.is_alive());
    });
    assert_eq!(
        trial.probe.pushed().len(),
        0,
        "the end was told while the leader lives"
    );
    trial.folder.open("gate");
    trial.end(&handle);
    wait::until("the end is told", || !trial.probe.pushed().is_empty());
    assert_eq!(
        at_push.try_recv(),
        Ok(false),
        "the end was told while the leader lives"
    );
}
