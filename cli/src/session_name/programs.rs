//! What a process is, by the names of programs.

use std::path::Path;

/// What a process between an agent and this program may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// An agent.
    Host,
    /// It was started to start another one.
    PassesOn,
    /// This program, looking after a task of this session.
    Supervisor(&'a str),
    /// Anything else.
    Own,
}

/// Programs that run an agent.
const HOSTS: &[&str] = &[
    "aider",
    "amp",
    "auggie",
    "claude",
    "cline",
    "codex",
    "copilot",
    "crush",
    "cursor-agent",
    "droid",
    "gemini",
    "goose",
    "goosed",
    "kilocode",
    "kimi",
    "kiro-cli",
    "opencode",
    "openhands",
    "plandex",
    "qwen",
];

/// Programs that exist as long as the command that they start: they limit it, change its surroundings, or build what
/// asks for it.
const PASSING_ON: &[&str] = &[
    "bunx",
    "bwrap",
    "chroot",
    "chrt",
    "direnv",
    "doas",
    "dumb-init",
    "entr",
    "env",
    "fakeroot",
    "firejail",
    "flock",
    "gmake",
    "ionice",
    "just",
    "make",
    "meanwhile",
    "mise",
    "nice",
    "ninja",
    "nohup",
    "npm",
    "npx",
    "nsenter",
    "parallel",
    "perf",
    "pnpm",
    "prlimit",
    "runuser",
    "script",
    "setpriv",
    "setsid",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "task",
    "taskset",
    "time",
    "timeout",
    "tini",
    "unbuffer",
    "unshare",
    "uv",
    "uvx",
    "watch",
    "watchexec",
    "xargs",
    "yarn",
];

/// Shells: they pass on what they are given, and are somebody's terminal if that is nothing.
const SHELLS: &[&str] = &[
    "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "sh", "tcsh", "yash",
    "zsh",
];

/// Programs that run another one that is a file of text: that one's name counts.
const INTERPRETERS: &[&str] = &["bun", "deno", "node", "nodejs", "perl", "ruby"];

/// The options of shells that take the next word as their value, besides clusters that end in `o`.
const SHELL_OPTIONS_WITH_VALUE: &[&str] = &["--rcfile", "--init-file", "-C", "--init-command"];

/// Tells the role of a process from what the system calls it, cut to 15 bytes, and how it was called.
pub(super) fn role<'a>(name: &str, args: &'a [String]) -> Role<'a> {
    let own = args.first().map_or("", String::as_str);
    // Some write a whole title over their name, as in `npm run test`; a login shell is called `-bash`.
    let called = stem(first_word(own.strip_prefix('-').unwrap_or(own)));
    let names = [first_word(name), called];
    let is_among = |table: &[&str]| names.iter().any(|name| table.contains(name));

    if names.contains(&"meanwhile") && args.get(1).is_some_and(|command| command == "supervise") {
        return args
            .last()
            .map_or(Role::Own, |session| Role::Supervisor(session));
    }
    let is_shell = is_among(SHELLS);
    let is_interpreter =
        is_among(INTERPRETERS) || names.iter().any(|name| name.starts_with("python"));
    let script = (is_shell || is_interpreter)
        .then(|| args.iter().skip(1).find(|arg| !arg.starts_with('-')))
        .flatten()
        .map_or("", |path| stem(path));

    if is_among(HOSTS) || HOSTS.contains(&script) {
        Role::Host
    } else if is_among(PASSING_ON)
        || (is_interpreter && PASSING_ON.contains(&script))
        || (is_shell && is_given_a_command(args))
    {
        Role::PassesOn
    } else {
        Role::Own
    }
}

/// Whether a shell was given something to run: a command, a script, or, as `busybox`, the name of what it is to be.
fn is_given_a_command(args: &[String]) -> bool {
    let mut words = args.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        let is_long = word.starts_with("--");
        let is_cluster = !is_long && word.len() > 1 && word.starts_with(['-', '+']);
        if SHELL_OPTIONS_WITH_VALUE.contains(&word) || (is_cluster && word.ends_with(['o', 'O'])) {
            words.next();
        } else if is_cluster {
            if word.starts_with('-') && word.contains('c') {
                return true;
            }
        } else if !is_long || word.starts_with("--command") {
            return true;
        }
    }
    false
}

fn first_word(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

/// The name of a file without its folders and its ending.
fn stem(path: &str) -> &str {
    Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}
