//! The name of the session that this program acts for.

mod programs;

use std::env;
use std::fs;

use meanwhile_core::ProcessId;
use meanwhile_process::{Ancestor, ancestors};

use self::programs::Role;

const VARIABLE: &str = "MEANWHILE_SESSION";

/// The name that is given, else that of the environment, else one made from the agent's own process.
///
/// The agent is found among the processes that this one descends from:
///
/// - The nearest known agent host, however many others are between. What an agent starts to run a command, and how
///   many processes that takes, differs from one to the next and from call to call; the host stays.
/// - Else the nearest process that does not merely pass a command on. A shell that was given a command or a script,
///   `env`, `make` and their like come and go with each command: named after one of them, a session would be over
///   before it asks how its task ended. A shell that was given nothing is a person's terminal, or an agent's that
///   speaks to one shell for long: it is the session itself.
/// - A supervisor ends the search. What a task launches belongs to the session of the task.
///
/// If there is nobody, `default`.
pub(crate) fn resolve(given: Option<&str>) -> String {
    given
        .map(ToOwned::to_owned)
        .or_else(|| env::var(VARIABLE).ok().filter(|name| !name.is_empty()))
        .or_else(|| {
            let lineage: Vec<Process> = ancestors().into_iter().map(Process::from).collect();
            Some(match session_of(&lineage)? {
                Session::Named(name) => name.to_owned(),
                Session::Of(process) => name_of(process),
            })
        })
        .unwrap_or_else(|| "default".to_owned())
}

/// A process as far as names matter here. What is not UTF-8 is the name of nobody known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    id: ProcessId,
    name: String,
    args: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Session<'a> {
    /// The one that a supervisor was told.
    Named(&'a str),
    Of(ProcessId),
}

/// `lineage` begins with the parent.
fn session_of(lineage: &[Process]) -> Option<Session<'_>> {
    let roles: Vec<_> = lineage
        .iter()
        .map(|process| (process.id, process.role()))
        .collect();
    let supervisor = roles
        .iter()
        .position(|(_, role)| matches!(role, Role::Supervisor(_)));
    let within_reach = &roles[..supervisor.map_or(roles.len(), |place| place + 1)];
    let host = within_reach.iter().find(|(_, role)| *role == Role::Host);
    let found = host.or_else(|| {
        within_reach
            .iter()
            .find(|(_, role)| *role != Role::PassesOn)
    });
    found.map(|(id, role)| match role {
        Role::Supervisor(session) => Session::Named(session),
        _ => Session::Of(*id),
    })
}

/// The start keeps it apart from whoever gets the number later, and the boot from whoever had both before the machine
/// was started anew: neither meets notifications that are not for it.
fn name_of(ProcessId { pid, start }: ProcessId) -> String {
    // macOS has no such file, and needs none: the start of a process is a date there.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match boot.get(..8) {
        Some(boot) => format!("process-{pid}-{start}-{boot}"),
        None => format!("process-{pid}-{start}"),
    }
}

impl From<Ancestor> for Process {
    fn from(ancestor: Ancestor) -> Self {
        let args = ancestor.args.iter();
        Self {
            id: ancestor.id,
            name: ancestor.name,
            args: args.map(|arg| arg.to_string_lossy().into_owned()).collect(),
        }
    }
}

impl Process {
    fn role(&self) -> Role<'_> {
        programs::role(&self.name, &self.args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lineage from lines of `name: args`, the parent first; each has the number of its line.
    fn lineage(lines: &[&str]) -> Vec<Process> {
        let process = |(number, line): (usize, &&str)| {
            let (name, args) = line.split_once(": ").unwrap();
            Process {
                id: ProcessId {
                    pid: i32::try_from(number).unwrap(),
                    start: 7,
                },
                name: name.to_owned(),
                args: args.split('|').map(ToOwned::to_owned).collect(),
            }
        };
        lines.iter().enumerate().map(process).collect()
    }

    #[test]
    fn the_agent_is_found_whatever_is_between() {
        for (agent, lines) in [
            // A known host, over whatever it uses to run a command.
            (
                2,
                &[
                    "sh: sh|-c|x",
                    "python3: python3|run.py",
                    "claude: claude",
                    "bash: -bash",
                ][..],
            ),
            (
                1,
                &[
                    "zsh: /bin/zsh|-c|-l|source x && eval y",
                    "node: node|--no-warnings|/usr/bin/gemini|-p|hi",
                ],
            ),
            (
                1,
                &[
                    "bash: bash",
                    "codex: /opt/codex/codex|exec",
                    "node: node|/usr/bin/codex",
                ],
            ),
            (
                1,
                &["sh: sh|-c|x", "python3.12: /usr/bin/python3.12|-m|aider"],
            ),
            // A script for a shell that is the agent has its own name.
            (1, &["sh: sh|-c|x", "claude: /bin/sh|./claude"]),
            // The nearest: one agent runs another.
            (
                0,
                &["codex: codex", "bash: bash|-c|codex", "claude: claude"],
            ),
            // Nobody known: the nearest that does not pass a command on.
            (
                1,
                &["sh: sh|-c|x", "python3: python3|agent.py", "bash: -bash"],
            ),
            (
                4,
                &[
                    "bash: bash|-lc|x",
                    "timeout: timeout|5|bash|-lc|x",
                    "make: make",
                    "npm run test: npm run test",
                    "my-agent: ./my-agent",
                ],
            ),
            (
                1,
                &["build.sh: /bin/bash|./build.sh|-x", "node: node|agent.js"],
            ),
            (1, &["sh: busybox|sh|-c|x", "agent: agent"]),
            // A person's terminal.
            (0, &["bash: -bash", "sshd: sshd: me", "systemd: /sbin/init"]),
            (0, &["zsh: zsh|-i", "tmux: server: tmux"]),
            (0, &["bash: bash|--init-file|/x/rc.sh", "code: code"]),
            (0, &["bash: bash|-o|vi|--login", "code: code"]),
            (1, &["env: env|-i|sh", "fish: fish", "code: code"]),
            // One whose name holds that of an agent is another one.
            (0, &["claude-monitor: claude-monitor", "bash: bash"]),
            (
                1,
                &["bash: bash|-c|vim claude", "vim: vim|claude", "bash: bash"],
            ),
        ] {
            let lineage = lineage(lines);
            assert_eq!(
                session_of(&lineage),
                Some(Session::Of(lineage[agent].id)),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn what_a_task_launches_belongs_to_the_session_of_the_task() {
        let task = lineage(&[
            "sh: sh|-c|x",
            "meanwhile: /usr/bin/meanwhile|supervise|--|one",
            "claude: claude",
        ]);
        assert_eq!(session_of(&task), Some(Session::Named("one")));
        let agent = lineage(&[
            "sh: sh|-c|x",
            "claude: claude",
            "meanwhile: meanwhile|supervise|--|one",
        ]);
        assert_eq!(session_of(&agent), Some(Session::Of(agent[1].id)));
        let followed = lineage(&[
            "sh: sh|-c|x",
            "meanwhile: meanwhile|run|--wait|--|x",
            "bash: bash",
        ]);
        assert_eq!(session_of(&followed), Some(Session::Of(followed[2].id)));
    }

    #[test]
    fn where_all_pass_a_command_on_there_is_nobody() {
        assert_eq!(session_of(&[]), None);
        assert_eq!(
            session_of(&lineage(&["sh: sh|-c|x", "tini: tini|--|x"])),
            None
        );
    }

    #[test]
    fn a_name_that_is_given_is_taken_as_it_is() {
        assert_eq!(resolve(Some("../a b/é")), "../a b/é");
    }

    #[test]
    fn a_name_holds_the_start_and_the_boot() {
        let name = name_of(ProcessId { pid: 42, start: 7 });
        assert!(name.starts_with("process-42-7"), "{name}");
        if cfg!(target_os = "linux") {
            assert_eq!(name.len(), "process-42-7-12345678".len(), "{name}");
        }
    }
}
