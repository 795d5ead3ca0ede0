//! `meanwhile clean`, `completions`, `man`, the help, and a state folder that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Folders, eventually, said};
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
    assert_eq!(
        said.stdout, "Forgot 0 tasks and freed 0 B of the disk.\n",
        "{said:?}"
    );
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
        let said = folders.run(&[command, "--help"]);
        assert_eq!(said.code, 0, "{said:?}");
        for words in ["Examples:", &format!("meanwhile {command}"), "Exit code"] {
            assert!(said.stdout.contains(words), "{command}: {words}: {said:?}");
        }
    }
    let help = folders.run(&["--help"]).stdout;
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
    let said = folders.run(&["man", "--out", "share/man1"]);
    assert_eq!(said.code, 0, "{said:?}");
    for command in COMMANDS {
        let page = folders.work(&format!("share/man1/meanwhile-{command}.1"));
        let page = fs::read_to_string(page).unwrap();
        let sections: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        assert!(
            sections.starts_with(&["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"])
                && sections.ends_with(&["EXAMPLES", "\"EXIT CODE\""]),
            "{command}: {sections:?}"
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

    assert_eq!(
        folders.run(&["man"]).stdout,
        fs::read_to_string(folders.work("share/man1/meanwhile.1")).unwrap()
    );
    let mut man = folders.prepare(Command::new("man"));
    man.args(["--warnings", "-l", "share/man1/meanwhile-run.1"])
        .env("MANPAGER", "cat");
    match man.output() {
        Ok(said) if said.status.success() => {
            assert_eq!(String::from_utf8(said.stderr).unwrap(), "");
            let text = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(
                text.contains("meanwhile run [OPTIONS] -- <CMD>...\n")
                    && text
                        .contains("--description 'All tests' -- 'npm test 2>&1 | tee test.log'\n"),
                "{text}"
            );
        }
        _ => eprintln!("skipped: there is no `man` that can"),
    }

    fs::write(folders.work("file"), "").unwrap();
    let said = folders.run(&["man", "--out", "file"]);
    assert_eq!(said.code, 125, "{said:?}");
    assert!(said.stderr.contains("file"), "{said:?}");
}

#[test]
fn shells_take_their_completions() {
    let folders = Folders::new();
    for shell in ["bash", "zsh", "fish"] {
        let said = folders.run(&["completions", shell]);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""));
        fs::write(folders.work(shell), said.stdout).unwrap();
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
        let said = said(bash);
        assert_eq!(said.stderr, "", "{words}");
        for word in completed.split(' ') {
            let mut offered = said.stdout.split_whitespace();
            assert!(
                offered.any(|offered| offered == word),
                "{words}: {word}: {said:?}"
            );
        }
        assert!(!said.stdout.contains("supervise"), "{words}: {said:?}");
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
    let waited = tasks.run_read_only(&["wait", &id]).unwrap();
    assert_eq!(waited.code, 3, "{waited:?}");
    assert!(waited.stdout.contains("| said"), "{waited:?}");
    for args in [
        &["inbox"][..],
        &["inbox", "--follow"],
        &["clean"],
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
