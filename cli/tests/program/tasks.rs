//! Tasks in a store, and the commands for them.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::{Folders, PROGRAM, Said, eventually, said};

/// The session of the agent in these tests.
pub(crate) const AGENT: &str = "agent";

/// A state folder of its own, in which tasks are launched with `run`. What still runs at the end is stopped.
pub(crate) struct Tasks {
    pub(crate) folders: Folders,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        let folders = Folders::new();
        Self { folders }
    }

    /// The program as the agent runs it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(AGENT, args)
    }

    pub(crate) fn command_of(&self, session: &str, args: &[&str]) -> Command {
        let mut program = self.folders.program();
        program.args(args).env("MEANWHILE_SESSION", session);
        program
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.run_of(AGENT, args)
    }

    pub(crate) fn run_of(&self, session: &str, args: &[&str]) -> Said {
        said(self.command_of(session, args))
    }

    /// Runs the program with a stdout on which there is no room.
    pub(crate) fn run_into_full_disk(&self, args: &[&str]) -> Said {
        let mut program = self.command(args);
        program.stdin(Stdio::null()).stderr(Stdio::piped());
        program.stdout(File::options().write(true).open("/dev/full").unwrap());
        let output = program.spawn().unwrap().wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            stdout: String::new(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program with a state folder that cannot be written. None if that cannot be had: whoever may do
    /// everything needs a mount of its own for it.
    pub(crate) fn run_read_only(&self, args: &[&str]) -> Option<Said> {
        let state = self.folders.state();
        if !rustix::process::geteuid().is_root() {
            let set_mode = |mode| {
                for folder in [state.clone(), state.join("owners"), state.join("spool")] {
                    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
                }
            };
            set_mode(0o500);
            let said = self.run(args);
            set_mode(0o700);
            return Some(said);
        }
        let mut unshare = self.folders.prepare(Command::new("unshare"));
        let mount =
            r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" || exit 77; exec "$@""#;
        unshare
            .args(["--mount", "sh", "-c", mount])
            .arg(state)
            .arg(PROGRAM)
            .args(args);
        unshare.env("MEANWHILE_SESSION", AGENT);
        Some(said(unshare)).filter(|said| said.code != 77)
    }

    /// Launches a task of the agent, with these options of `run` before the command, and gives its id.
    pub(crate) fn launch(&self, args: &[&str]) -> String {
        self.launch_of(AGENT, args)
    }

    pub(crate) fn launch_of(&self, session: &str, args: &[&str]) -> String {
        let said = self.run_of(session, &[&["run"], args].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.stdout.trim().to_owned()
    }

    /// Launches a task and waits for its end, which nobody is told by that.
    pub(crate) fn ended(&self, args: &[&str]) -> String {
        let id = self.launch(args);
        self.run_of("nobody", &["wait", &id]);
        id
    }

    /// Launches a task that says `begun` and goes on until the gate is opened; then it does `after`. It runs when this
    /// returns.
    pub(crate) fn behind_gate(&self, after: &str) -> String {
        let line = format!("echo begun; until [ -e gate ]; do sleep 0.02; done; {after}");
        let id = self.launch(&["--", &line]);
        let is_running = || {
            let task = self.run(&["show", "--json", &id]).json();
            (task["status"] == "running" && task["output"] == "begun\n").then_some(())
        };
        eventually(is_running).expect("the task runs");
        id
    }

    pub(crate) fn open_gate(&self) {
        fs::write(self.folders.work("gate"), "").unwrap();
    }

    /// The ids of the notifications that a session would be told.
    pub(crate) fn pending(&self, session: &str) -> Vec<String> {
        let items = self.run_of(session, &["inbox", "--peek", "--json"]).json();
        let items = items.as_array().unwrap().iter();
        items
            .map(|item| item["task_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        let open = self.run(&["ls", "--json"]).json();
        let ids = open.as_array().unwrap().iter();
        let ids: Vec<_> = ids.filter_map(|task| task["task_id"].as_str()).collect();
        if !ids.is_empty() {
            self.run(&[&["stop", "--grace", "0s"], &ids[..]].concat());
        }
    }
}
