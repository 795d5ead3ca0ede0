//! Advice: said when it applies, and never in the way.

use futures_lite::future::{block_on, poll_once};
use meanwhile_agent::ToolUse;
use serde_json::json;

use crate::world::World;

const IN_BACKGROUND: [bool; 2] = [false, true];

/// The advice on a command in an otherwise empty world.
fn advice(command: &str, in_background: bool) -> String {
    advice_in(&World::new(), command, in_background)
}

fn advice_in(world: &World, command: &str, in_background: bool) -> String {
    let input = json!({"command": command, "run_in_background": in_background});
    let mut call = Box::pin(world.tools.call(ToolUse::new("Bash", input)));
    let answer = block_on(poll_once(&mut call)).unwrap_or_else(|| {
        world.backend.task(command).exit(0);
        block_on(call)
    });
    assert!(
        !answer.is_error,
        "{command} was refused: {}",
        answer.content
    );
    for advice in &answer.advice {
        assert!(
            answer.content.contains(&format!("\nAdvice: {advice}")),
            "{}",
            answer.content
        );
    }
    answer.advice.join(" ")
}

#[test]
fn a_quick_command_in_the_background() {
    for command in [
        "ls -la",
        "cat a b",
        "git status",
        "cd x && pwd",
        "FOO=1 echo hi 2>&1 | wc -l",
        "/bin/ls",
    ] {
        assert!(advice(command, true).contains("quick"), "{command}");
        assert_eq!(advice(command, false), "", "{command}");
    }
    for command in [
        "ls && make",
        "echo 'a; b' && ./run",
        "git clone x",
        "lsof",
        "cat $(slow)",
    ] {
        assert!(!advice(command, true).contains("quick"), "{command}");
    }
}

#[test]
fn a_long_command_in_the_foreground() {
    let long = [
        "npm test",
        "cargo +nightly test --all",
        "cd web && npm run build -- --mode x",
        "CI=1 make -j4",
        "python -m pytest -q",
        "./gradlew check",
        "sudo docker build .",
        "(cd x; mvn verify) | tail",
    ];
    for command in long {
        assert!(
            advice(command, false).contains("often takes long"),
            "{command}"
        );
        assert_eq!(advice(command, true), "", "{command}");
    }
    for command in [
        "cargo --version",
        "echo cargo test",
        "cat Makefile",
        "npm view test",
        "makepkg",
    ] {
        assert_eq!(advice(command, false), "", "{command}");
    }
}

#[test]
fn a_command_that_never_ends_in_the_foreground() {
    for command in [
        "npm start",
        "tail -n 5 -f log",
        "tsc --watch",
        "python3 -m http.server 80",
        "vite",
    ] {
        assert!(
            advice(command, false).contains("does not end by itself"),
            "{command}"
        );
        assert_eq!(advice(command, true), "", "{command}");
    }
    assert_eq!(advice("tail -n 5 log", false), "");
}

#[test]
fn sleeping_while_tasks_run() {
    let world = World::new();
    assert_eq!(
        advice_in(&world, "sleep 30", false),
        "",
        "nothing runs that it could wait for"
    );
    world.launch("work");
    for command in [
        "sleep 31",
        "sleep 5; cat log",
        "while true; do sleep 1; done",
    ] {
        assert!(
            advice_in(&world, command, false).contains("no need to sleep"),
            "{command}"
        );
    }
    world.backend.task("work").exit(0);
    assert_eq!(advice_in(&world, "sleep 32", false), "");
}

#[test]
fn the_same_command_while_it_runs() {
    for second_in_background in IN_BACKGROUND {
        let world = World::new();
        let id = world.launch("work");
        let said = advice_in(&world, "work", second_in_background);
        assert!(
            said.contains("same command") && said.contains(&id),
            "{said}"
        );
        let elsewhere = json!({"command": "work", "cwd": "/elsewhere", "run_in_background": true});
        assert!(world.call("Bash", elsewhere).advice.is_empty());
    }
    let world = World::new();
    world.launch("work");
    world.backend.task("work").exit(0);
    assert_eq!(advice_in(&world, "work", true), "", "it has ended");
}

#[test]
fn the_same_command_among_many() {
    let world = World::new();
    let id = world.launch("first");
    for number in 0..500 {
        world.launch(&format!("other {number}"));
        if number % 2 == 0 {
            world.backend.task(&format!("other {number}")).exit(0);
        }
    }
    assert!(advice_in(&world, "first", true).contains(&id));
}

#[test]
fn more_tasks_than_cores() {
    let mut world = World::new();
    world.tools = world.tools.with_cores(2.try_into().unwrap());
    assert_eq!(advice_in(&world, "a", true), "");
    assert_eq!(advice_in(&world, "b", true), "");
    assert!(advice_in(&world, "c", true).contains("3 tasks run now on 2 cores"));
    world.backend.task("a").exit(0);
    world.backend.task("b").exit(0);
    assert_eq!(advice_in(&world, "d", true), "");
}

#[test]
fn a_refused_call_gets_none() {
    let world = World::new();
    world.launch("sleep 9");
    assert!(
        world
            .call("Bash", json!({"command": "sleep 9", "timeout": 0}))
            .advice
            .is_empty()
    );
}

#[test]
fn any_line_is_looked_at_without_harm() {
    for command in [
        "'",
        "\"",
        "&",
        "&&& | ;",
        ")",
        "$(",
        "é&>x",
        "\\",
        "a=",
        "=",
        "-",
        "sudo",
        "💥|💥",
    ] {
        advice(command, true);
    }
}
