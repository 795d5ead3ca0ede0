//! `meanwhile top`, driven by keys in the terminal that tmux makes.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Folders, PROGRAM, eventually, said};

/// A shell in a terminal, with a server of tmux of its own.
struct Terminal<'a> {
    folders: &'a Folders,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    /// None if there is no tmux, but in CI: there it must be.
    fn start(folders: &'a Folders, columns: u16, lines: u16) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            assert!(env::var_os("CI").is_none(), "tmux is missing");
            eprintln!("skipped: there is no tmux");
            return None;
        }
        let terminal = Self {
            folders,
            socket: folders.state().join("tmux"),
        };
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let size = ["-x", &columns, "-y", &lines];
        terminal.tmux(&[&["new-session", "-d"], &size[..], &["exec sh"]].concat());
        Some(terminal)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut tmux = self.folders.prepare(Command::new("tmux"));
        tmux.args(["-u", "-f", "/dev/null", "-S"])
            .arg(&self.socket)
            .args(args);
        let said = said(tmux);
        assert_eq!(said.code, 0, "tmux {args:?}: {said:?}");
        said.stdout
    }

    /// Types a line for the shell.
    fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn lines(&self) -> Vec<String> {
        let screen = self.tmux(&["capture-pane", "-p"]);
        screen.lines().map(ToOwned::to_owned).collect()
    }

    /// Waits until the lines on the screen are as wanted.
    fn until(&self, what: &str, is_wanted: impl Fn(&[String]) -> bool) {
        let seen = eventually(|| is_wanted(&self.lines()).then_some(()));
        assert!(seen.is_some(), "{what}: {:#?}", self.lines());
    }

    /// Waits until one line has all these words.
    fn shows(&self, words: &[&str]) {
        let has_all = |line: &String| words.iter().all(|word| line.contains(word));
        self.until(&words.join(" … "), |lines| lines.iter().any(has_all));
    }

    /// What tmux knows of the terminal.
    fn state(&self, name: &str) -> String {
        let format = format!("#{{{name}}}");
        self.tmux(&["display-message", "-p", &format])
            .trim_end()
            .to_owned()
    }

    /// Types a line that runs `top`, and says afterwards how it ended and whether the terminal is as it was.
    fn enter_top(&self, top: &str) {
        self.enter(&format!(
            "before=$(stty -g); {top}; printf 'code %s, ' $?; \
             test \"$before\" = \"$(stty -g)\" && printf '%s before\\n' as"
        ));
    }

    fn is_given_back(&self, code: u8) {
        self.shows(&[&format!("code {code}, as before")]);
        assert_eq!(self.state("alternate_on"), "0");
        assert_eq!(self.state("cursor_flag"), "1");
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        // The shell in it ends, and `top` with it.
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(&self.socket).arg("kill-server");
        let _ = tmux.output();
    }
}

/// Launches a task that ends by itself if the test does not get to stop it, and says its id.
fn launch(folders: &Folders, session: &str, description: &str, command: &str) -> String {
    let options = ["--timeout", "2m", "--session", session];
    let about = ["--description", description, "--", command];
    let said = folders.run(&[&["run"], &options[..], &about[..]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout.trim_end().to_owned()
}

fn stop(folders: &Folders, task: &str) {
    let said = folders.run(&["stop", "--grace", "0s", task]);
    assert_eq!(said.code, 0, "{said:?}");
}

fn tasks_are_watched_read_followed_and_stopped(columns: u16, lines: u16) {
    let folders = Folders::new();
    let Some(terminal) = Terminal::start(&folders, columns, lines) else {
        return;
    };
    let speaker = launch(
        &folders,
        "coder",
        "Say something",
        "seq 200; until [ -e go ]; do sleep 0.1; done; echo grown; exec sleep 100",
    );
    let sleeper = launch(&folders, "reviewer", "Say nothing", "exec sleep 100");

    terminal.enter_top(&format!("'{PROGRAM}' top"));
    terminal.shows(&["2 running", "all sessions"]);
    terminal.shows(&["▌", &speaker, "coder", "Say something"]);
    terminal.shows(&[&sleeper, "reviewer", "Say nothing"]);
    terminal.shows(&["B/s", "cpu", "200"]);
    terminal.press("j");
    terminal.shows(&["▌", &sleeper]);
    terminal.press("Up");
    terminal.shows(&["▌", &speaker]);

    terminal.press("r");
    terminal.until("the output from its start", |lines| {
        lines[0].contains(&speaker) && lines[1] == "1" && lines[2] == "2"
    });
    terminal.press("G");
    let last = usize::from(lines) - 3;
    terminal.until("the output to its end", |lines| lines[last] == "200");
    terminal.press("f");
    terminal.shows(&["following"]);
    fs::write(folders.work("go"), "").unwrap();
    terminal.until("what is new", |lines| lines[last] == "grown");
    terminal.press("q");
    terminal.shows(&["2 running"]);

    terminal.press("s");
    terminal.shows(&[&format!("stop {speaker}? y/n")]);
    terminal.press("y");
    terminal.shows(&["1 running", "1 unread"]);
    terminal.shows(&["▌", "●", &speaker, "stopped"]);

    terminal.tmux(&["resize-window", "-x", "30", "-y", "6"]);
    terminal.until("a small screen", |lines| {
        lines.len() == 6 && lines[0].starts_with("meanwhile:") && lines[5].starts_with("? help")
    });
    terminal.press("q");
    terminal.is_given_back(0);
    stop(&folders, &sleeper);
}

#[test]
fn tasks_are_watched_read_followed_and_stopped_on_80_columns() {
    tasks_are_watched_read_followed_and_stopped(80, 24);
}

#[test]
fn tasks_are_watched_read_followed_and_stopped_on_200_columns() {
    tasks_are_watched_read_followed_and_stopped(200, 50);
}

#[test]
fn nothing_that_a_task_prints_reaches_the_terminal() {
    let folders = Folders::new();
    let Some(terminal) = Terminal::start(&folders, 80, 24) else {
        return;
    };
    let task = launch(
        &folders,
        "coder",
        "Forge\x1b[2J\x1b[H the screen",
        r"printf 'lost\033[2J\033[H\033]2;forged\007\r\033[31mno \033[0mcolour\n'; exec sleep 100",
    );
    let title = terminal.state("pane_title");
    terminal.enter_top(&format!("NO_COLOR=1 '{PROGRAM}' top"));
    terminal.shows(&[&task, "Forge the screen"]);
    terminal.shows(&["B/s", "no colour"]);
    let is_sound = || {
        assert_eq!(terminal.state("pane_title"), title);
        let screen = terminal.tmux(&["capture-pane", "-e", "-p"]);
        // tmux writes out that a cell has the terminal's own colours.
        let screen = screen.replace("\x1b[39m", "").replace("\x1b[49m", "");
        assert!(
            !screen.contains("\x1b[3") && !screen.contains("\x1b[4"),
            "{screen:?}"
        );
    };
    assert!(terminal.lines()[0].starts_with("meanwhile: 1 running"));
    is_sound();
    terminal.press("r");
    terminal.until("the output", |lines| {
        lines[0].contains("Forge the screen") && lines[1] == "lost" && lines[2] == "no colour"
    });
    is_sound();
    terminal.press("C-c");
    terminal.is_given_back(0);
    stop(&folders, &task);
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_given_back() {
    let folders = Folders::new();
    let Some(terminal) = Terminal::start(&folders, 80, 24) else {
        return;
    };
    terminal.enter_top(&format!("sh -c 'echo $$ > pid; exec \"{PROGRAM}\" top'"));
    terminal.shows(&["0 running"]);
    assert_eq!(terminal.state("alternate_on"), "1");
    let pid = rustix::process::Pid::from_raw(folders.pids("pid")[0]).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    terminal.is_given_back(143);
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let said = Folders::new().run(&["top"]);
    assert_eq!((said.code, said.stdout.as_str()), (125, ""), "{said:?}");
    assert!(
        said.stderr.contains("no terminal") && said.stderr.contains("meanwhile ls"),
        "{said:?}"
    );
}
