//! What the sandbox keeps from what. Where there is none to be had, these tests say so.

#![allow(clippy::unwrap_used, reason = "in a test, a panic says enough")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{
    EndedBy, Exit, ExitStatus, Handle, Outcome, Owner, Spec, Stop, Stream, Survivors, Tasks,
};
use meanwhile_queue::MemoryQueue;
use tempfile::TempDir;

/// Only what is broken takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sandbox with a writable folder, beside which there is a file that must not change.
struct Trial {
    tasks: Tasks,
    inside: PathBuf,
    outside: PathBuf,
    _folder: TempDir,
}

impl Trial {
    fn new() -> Option<Self> {
        // Not in /tmp, which is hidden anyway.
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
        fs::create_dir(&inside).unwrap();
        fs::write(&outside, "as it was").unwrap();
        let tasks = Tasks::new(common::sandboxed(&inside)?, MemoryQueue::new());
        Some(Self {
            tasks,
            inside,
            outside,
            _folder: folder,
        })
    }

    fn shell(&self, line: &str) -> Spec {
        Spec::shell(line).cwd(&self.inside)
    }

    fn run(&self, spec: Spec) -> (Exit, String) {
        let handle = self.tasks.launch(spec).unwrap();
        let exit = end(&handle);
        (exit, text(&handle))
    }

    fn outputs(&self, line: &str) -> String {
        let (exit, output) = self.run(self.shell(line));
        assert_eq!(exit.outcome(), Outcome::Completed, "{line}: {output}");
        output
    }
}

fn end(handle: &Handle) -> Exit {
    handle.wait_timeout(PATIENCE).expect("the task ends")
}

fn text(handle: &Handle) -> String {
    let output = handle.output(Stream::Stdout, 0, 1 << 20).unwrap();
    String::from_utf8_lossy(&output.bytes).into_owned()
}

#[test]
fn one_folder_can_be_written_to_and_nothing_else() {
    let Some(trial) = Trial::new() else { return };
    let line = "echo yes > here
        for path in ../outside ../new /etc/new /usr/new \"$HOME\"/new /proc/sys/kernel/panic /sys/kernel/mm/ksm/run; do
            if ( : > $path ) 2> refused; then echo wrote to $path; fi
        done";
    assert_eq!(trial.outputs(line), "");
    assert_eq!(
        fs::read_to_string(trial.inside.join("here")).unwrap(),
        "yes\n"
    );
    assert_eq!(fs::read_to_string(&trial.outside).unwrap(), "as it was");
}

#[test]
fn its_walls_cannot_be_undone() {
    let Some(trial) = Trial::new() else { return };
    let line = "for undo in 'mount -o remount,rw /' 'umount /proc' 'unshare -Urm mount -o remount,rw /'; do
            if $undo 2> refused; then echo $undo; fi
        done";
    assert_eq!(trial.outputs(line), "");
}

#[test]
fn the_writable_folder_may_be_named_by_a_link_and_lie_in_tmp() {
    if Trial::new().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    let sandboxed = common::sandboxed(&link).unwrap();
    let tasks = Tasks::new(sandboxed, MemoryQueue::new());
    let handle = tasks
        .launch(Spec::shell("echo yes > here").cwd(&real))
        .unwrap();
    assert_eq!(end(&handle).code(), Some(0));
    assert_eq!(fs::read_to_string(real.join("here")).unwrap(), "yes\n");
}

#[test]
fn no_process_of_the_host_can_be_seen() {
    let Some(trial) = Trial::new() else { return };
    // bwrap's init, the shell, and what the shell runs.
    let listed = trial.outputs("for process in /proc/[0-9]*; do echo ${process#/proc/}; done");
    let ids: Vec<u32> = listed.lines().map(|line| line.parse().unwrap()).collect();
    assert!(ids.len() <= 3 && ids.iter().all(|id| *id < 10), "{ids:?}");
    let of_ours = format!("kill -0 {} 2> refused && echo reached", std::process::id());
    assert_eq!(trial.run(trial.shell(&of_ours)).1, "");
}

#[test]
fn it_shares_no_namespace_no_capability_and_no_terminal() {
    let Some(trial) = Trial::new() else { return };
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "uts"] {
        let link = format!("/proc/self/ns/{kind}");
        let of_ours = fs::read_link(&link).unwrap();
        let inside = trial.outputs(&format!("readlink {link}"));
        assert_ne!(inside.trim(), of_ours.to_str().unwrap(), "it is the host's");
    }
    let capabilities = trial.outputs("grep CapEff /proc/self/status");
    assert_eq!(capabilities, "CapEff:\t0000000000000000\n");
    let line = "stat -c '%t %T' /dev/null /dev/tty; ( : < /dev/tty ) 2> refused && echo opened; :";
    assert_eq!(trial.outputs(line), "1 3\n1 3\n");
}

#[test]
fn network_is_there_if_it_is_let_in() {
    let Some(trial) = Trial::new() else { return };
    let sandboxed = common::sandboxed(&trial.inside).unwrap().with_network();
    let tasks = Tasks::new(sandboxed, MemoryQueue::new());
    let of_the_host = fs::read_link("/proc/self/ns/net").unwrap();
    let handle = tasks
        .launch(Spec::shell("readlink /proc/self/ns/net").cwd("/"))
        .unwrap();
    end(&handle);
    assert_eq!(text(&handle).trim(), of_the_host.to_str().unwrap());
}

#[test]
fn tmp_and_run_are_its_own() {
    let Some(trial) = Trial::new() else { return };
    let (_, output) = trial.run(Spec::shell("echo yes > mine; cat mine; ls /run").cwd("/tmp"));
    assert_eq!(output, "yes\n");
    assert!(!std::env::temp_dir().join("mine").exists());
}

#[test]
fn variables_of_the_spec_are_set_inside_alone() {
    let Some(trial) = Trial::new() else { return };
    // The loader would complain on stderr, which is the output too, if bwrap had the first one.
    let spec = trial
        .shell("echo $GREETING; echo ${HOME-none}; unset LD_PRELOAD")
        .env("LD_PRELOAD", "/no/such/library.so")
        .env("GREETING", "first")
        .env("GREETING", "hello  there")
        .env_remove("HOME");
    let (_, output) = trial.run(spec);
    let complaints = output
        .lines()
        .filter(|line| line.contains("library.so"))
        .count();
    assert_eq!(
        complaints, 1,
        "by the shell inside, and nobody else: {output}"
    );
    assert!(output.ends_with("hello there\nnone\n"), "{output}");
}

#[test]
fn a_stop_ends_everything_inside() {
    let Some(trial) = Trial::new() else { return };
    for grace in [Duration::ZERO, Duration::from_millis(50)] {
        let alive = trial.inside.join("alive");
        let made = Command::new("mkfifo").arg(&alive).status().unwrap();
        assert!(made.success());
        // All of them hold the pipe open, and one has left the group and the session and ignores signals.
        let line = "exec 3> alive
            (trap '' TERM; setsid sh -c 'echo up >&3; while :; do sleep 1; done' &)
            (trap '' TERM; echo up >&3; while :; do sleep 1; done) &
            echo up >&3
            while :; do sleep 1; done";
        let (told, events) = mpsc::channel();
        let pipe = alive.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(fs::File::open(pipe).unwrap());
            for _ in 0..3 {
                reader.read_line(&mut String::new()).unwrap();
            }
            told.send("all are up").unwrap();
            // The end of a pipe is seen when the last of those who held it is gone.
            reader.read_to_end(&mut Vec::new()).unwrap();
            told.send("all are gone").unwrap();
        });
        let handle = trial.tasks.launch(trial.shell(line)).unwrap();
        assert_eq!(events.recv_timeout(PATIENCE), Ok("all are up"));
        handle.stop(Stop::by(EndedBy::Agent).grace(grace));
        let exit = end(&handle);
        assert_eq!((exit.ended_by, exit.survivors), (EndedBy::Agent, 0));
        assert_eq!(events.recv_timeout(PATIENCE), Ok("all are gone"));
        fs::remove_file(alive).unwrap();
    }
}

#[test]
fn a_polite_command_has_its_grace() {
    let Some(trial) = Trial::new() else { return };
    let line = "trap 'echo cleaned up; exit 5' TERM; echo ready; while :; do sleep 0.1; done";
    let handle = trial
        .tasks
        .launch(trial.shell(line).grace(PATIENCE))
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while text(&handle).is_empty() {
        assert!(Instant::now() < deadline, "it says that it is ready");
        thread::sleep(Duration::from_millis(1));
    }
    handle.stop(Stop::by(EndedBy::User));
    assert_eq!(end(&handle).ended_by, EndedBy::User);
    assert!(text(&handle).ends_with("cleaned up\n"), "{}", text(&handle));
}

#[test]
fn what_outlives_its_command_is_stopped() {
    let Some(trial) = Trial::new() else { return };
    for survivors in [Survivors::Leave, Survivors::Stop] {
        let line = "(sleep 1000 &) ; exit 3";
        let (exit, _) = trial.run(trial.shell(line).survivors(survivors));
        assert_eq!(
            (exit.status, exit.ended_by),
            (ExitStatus::Code(3), EndedBy::Itself)
        );
        assert_eq!(exit.survivors, 0);
    }
}

#[test]
fn the_command_that_is_told_is_the_one_that_was_asked_for() {
    let Some(trial) = Trial::new() else { return };
    let owner = Owner::new("somebody");
    let spec = trial
        .shell("exit 3")
        .owner(owner.clone())
        .description("three");
    trial.run(spec);
    let told = trial.tasks.inbox(owner).drain();
    assert_eq!(told.len(), 1);
    assert_eq!(&*told[0].command, "exit 3");
    assert_eq!(told[0].description.as_deref(), Some("three"));
}

#[test]
fn a_signal_is_told_as_shells_do() {
    let Some(trial) = Trial::new() else { return };
    let (exit, _) = trial.run(trial.shell("kill -9 $$"));
    assert_eq!(exit.status, ExitStatus::Code(137));
}

#[test]
fn a_program_that_is_not_there_is_told_as_shells_do() {
    let Some(trial) = Trial::new() else { return };
    let (exit, output) = trial.run(Spec::program("/no/such/program").arg("x").cwd("/"));
    assert_eq!(exit.status, ExitStatus::Code(127));
    assert!(output.contains("/no/such/program"), "{output}");
    let (exit, output) = trial.run(
        Spec::program("printf")
            .args(["%s|", "a b", "", "$HOME"])
            .cwd("/"),
    );
    assert_eq!((exit.code(), output.as_str()), (Some(0), "a b||$HOME|"));
}

#[test]
fn a_long_line_is_put_together_as_it_was() {
    let Some(trial) = Trial::new() else { return };
    let word = "'x$y'".repeat(100_000);
    let line = format!("printf %s {word} > long; echo $# $0; exit 4");
    let (exit, output) = trial.run(trial.shell(&line));
    assert_eq!((exit.code(), output.as_str()), (Some(4), "0 /bin/sh\n"));
    let written = fs::read_to_string(trial.inside.join("long")).unwrap();
    assert!(written == "x$y".repeat(100_000));
}
