//! `meanwhile clean`, `completions`, `man`, the help, and a state folder that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Folders, eventually, output};
use crate::tasks::{AGENT, Tasks};

const COMMANDS: [&str; 11] = [
    "run",
    "ls",
    "show",
    "logs",
    "wait",
    "stop",
    "inbox",
    "session",
    "top",
    "clean",
    "completions",
];

#[test]
fn what_was_told_is_forgotten_with_its_output_and_nothing_else() {
    let tasks = Tasks::new();
    let told = tasks.ended(&["--", "echo said"]);
    let path = tasks.run(&["show", "--json", &told]).json()["output_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let unread = tasks.ended(&["--", "true"]);
    let running = tasks.behind_gate("");
    let ids = || {
        let listed = tasks.run(&["ls", "--all", "--json"]).json();
        let listed = listed.as_array().unwrap().iter();
        listed
            .map(|task| task["task_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    let said = tasks.run(&["clean", "--older-than", "1h"]);
    assert!(said.stdout.contains("0 tasks"), "{said:?}");
    assert_eq!(ids(), [&*told, &*unread, &*running]);
    // The supervisor may still be about to let go of it.
    eventually(|| {
        tasks.run(&["clean"]);
        (ids().len() == 2).then_some(())
    });
    assert_eq!(ids(), [&*unread, &*running]);
    assert!(!Path::new(&path).exists());
    assert_eq!(tasks.pending(AGENT), [&*unread]);
    let said = tasks.run(&["show", &told]);
    assert_eq!(said.code, 125, "{said:?}");
}

#[test]
fn each_command_has_a_help_with_examples_and_exit_codes() {
    let folders = Folders::new();
    for command in COMMANDS {
        let mut program = folders.program();
        program.args([command, "--help"]);
        let (code, stdout, _) = output(program);
        let help = String::from_utf8(stdout).unwrap();
        assert_eq!(code, 0, "{help}");
        for words in ["Examples:", &format!("meanwhile {command}"), "Exit code"] {
            assert!(help.contains(words), "{command}: {words}: {help}");
        }
    }
    let mut program = folders.program();
    program.arg("--help");
    let help = String::from_utf8(output(program).1).unwrap();
    for command in COMMANDS {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
    }
    assert!(
        !help.contains("supervise"),
        "it is nobody's to call: {help}"
    );
    assert!(
        help.contains("MEANWHILE_STATE_DIR") && help.contains("NO_COLOR"),
        "{help}"
    );
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folders = Folders::new();
    let mut program = folders.program();
    program.args(["man", "--out", "share/man1"]);
    let (code, _, stderr) = output(program);
    assert_eq!(code, 0, "{stderr}");
    for command in COMMANDS {
        let page = folders.work(&format!("share/man1/meanwhile-{command}.1"));
        assert!(
            fs::read_to_string(page).unwrap().contains("Exit code"),
            "{command}"
        );
    }
    let mut pages = fs::read_dir(folders.work("share/man1")).unwrap();
    assert!(!pages.any(|page| {
        page.unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .contains("supervise")
    }));

    let mut program = folders.program();
    program.arg("man");
    let page = String::from_utf8(output(program).1).unwrap();
    assert_eq!(
        page,
        fs::read_to_string(folders.work("share/man1/meanwhile.1")).unwrap()
    );
    let mut man = folders.prepare(Command::new("man"));
    man.args(["--warnings", "-l", "share/man1/meanwhile-wait.1"])
        .env("MANPAGER", "cat");
    match man.output() {
        Ok(said) if said.status.success() => {
            assert_eq!(String::from_utf8(said.stderr).unwrap(), "");
            let text = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(
                text.contains("meanwhile wait t7k2m9xq4z && echo passed"),
                "{text}"
            );
        }
        _ => eprintln!("skipped: there is no `man` that can"),
    }

    fs::write(folders.work("file"), "").unwrap();
    let mut program = folders.program();
    program.args(["man", "--out", "file"]);
    let (code, _, stderr) = output(program);
    assert_eq!(code, 125);
    assert!(stderr.contains("file"), "{stderr}");
}

#[test]
fn shells_take_their_completions() {
    let folders = Folders::new();
    for shell in ["bash", "zsh", "fish"] {
        let mut program = folders.program();
        program.args(["completions", shell]);
        let (code, script, stderr) = output(program);
        assert_eq!((code, stderr.as_str()), (0, ""));
        fs::write(folders.work(shell), script).unwrap();
        let mut check = folders.prepare(Command::new(shell));
        check.args(["-n", shell]);
        match check.output() {
            Ok(said) => assert!(said.status.success(), "{said:?}"),
            Err(_) => eprintln!("skipped: there is no {shell}"),
        }
    }
    for (words, completed) in [
        ("meanwhile wa", "wait"),
        (
            "meanwhile ",
            "run ls show logs wait stop inbox session top clean completions help",
        ),
        ("meanwhile wait --ti", "--timeout"),
        ("meanwhile completions z", "zsh"),
        ("meanwhile run --backend t", "thread tokio"),
    ] {
        let mut bash = folders.prepare(Command::new("bash"));
        let script = r#"
            . ./bash
            COMP_WORDS=($1) COMP_LINE=$1
            case $1 in *' ') COMP_WORDS+=('') ;; esac
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            function=$(complete -p meanwhile | sed 's/.*-F \([^ ]*\) .*/\1/')
            "$function" meanwhile "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            echo "${COMPREPLY[@]}"
        "#;
        bash.args(["--norc", "-c", script, "bash", words]);
        let (_, said, stderr) = output(bash);
        let said = String::from_utf8(said).unwrap();
        assert_eq!(stderr, "", "{words}");
        for word in completed.split(' ') {
            assert!(
                said.split_whitespace().any(|offered| offered == word),
                "{words}: {word}: {said}"
            );
        }
        assert!(!said.contains("supervise"), "{words}: {said}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_can_be_read() {
    let tasks = Tasks::new();
    let id = tasks.ended(&["--", "echo said; exit 3"]);
    if tasks.run_read_only(&["--help"]).is_none() {
        eprintln!("skipped: there is no way to make a folder read-only here");
        return;
    }
    for (args, printed) in [
        (&["ls"][..], "failed (3)"),
        (&["ls", "--all", "--json"], "said"),
        (&["show", &id], "| said"),
        (&["logs", &id], "said\n"),
        (&["logs", "-f", &id], "said\n"),
        (&["inbox", "--peek"], "| said"),
    ] {
        let said = tasks.run_read_only(args).unwrap();
        assert_eq!(
            (said.code, said.stderr.as_str()),
            (0, ""),
            "{args:?}: {said:?}"
        );
        assert!(said.stdout.contains(printed), "{args:?}: {said:?}");
    }
    for args in [
        &["inbox"][..],
        &["inbox", "--follow"],
        &["clean"],
        &["wait", &id],
        &["stop", &id],
        &["run", "--", "touch launched"],
    ] {
        let said = tasks.run_read_only(args).unwrap();
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (125, ""),
            "{args:?}: {said:?}"
        );
        for words in ["read-only", "MEANWHILE_STATE_DIR"] {
            assert!(said.stderr.contains(words), "{args:?}: {said:?}");
        }
    }
    assert!(!tasks.folders.work("launched").exists());
    assert_eq!(tasks.pending(AGENT), [id], "nothing was taken");
}
