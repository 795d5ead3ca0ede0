//! What to run, and how.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::{Job, Owner};

/// What one task is to do, and under which rules.
///
/// Everything but the work has a default: the parent's folder and environment, no deadline, 5 s of grace,
/// 64 MiB of output kept in one file, nothing to read on stdin.
///
/// ```
/// use std::time::Duration;
/// use meanwhile_core::Spec;
///
/// let spec = Spec::shell("npm test")
///     .description("Run full test suite")
///     .timeout(Duration::from_secs(300));
/// assert_eq!(spec.command(), "npm test");
/// assert!(spec.validate().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Spec {
    pub(crate) work: Work,
    pub(crate) description: Option<String>,
    pub(crate) owner: Owner,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) stdin: Stdin,
    pub(crate) timeout: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) survivors: Survivors,
    pub(crate) output_limit: OutputLimit,
    pub(crate) output_files: OutputFiles,
    pub(crate) notify: Notify,
}

/// The work of a task.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub enum Work {
    /// A line for the shell, of any length. `shell` is the absolute path of the program that reads it.
    Shell {
        /// The line.
        line: OsString,
        /// The shell, called as `shell -c line`.
        shell: PathBuf,
    },
    /// A program and its arguments, with no shell between.
    Program {
        /// A path, or a bare name that is looked up in the task's own `PATH`.
        program: OsString,
        /// Its arguments.
        args: Vec<OsString>,
    },
    /// Async work inside this process.
    Job(Arc<dyn Job>),
}

/// What the task finds on its stdin.
#[non_exhaustive]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`: a read sees the end at once.
    #[default]
    Null,
    /// These bytes, then the end.
    Bytes(Arc<[u8]>),
}

/// What becomes of processes that are alive after the leader ended by itself.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Survivors {
    /// They are left alone and counted: a server that was started on purpose lives on.
    #[default]
    Leave,
    /// They are stopped, as at a timeout.
    Stop,
}

/// Which endings are told.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notify {
    /// Every ending.
    #[default]
    Always,
    /// Every ending but a success.
    OnFailure,
}

/// Where the two output streams go.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutputFiles {
    /// Both into one file, in the order in which they were written.
    #[default]
    Merged,
    /// Each into a file of its own; the order between them is lost.
    Split,
}

/// How much output is kept on disk, in bytes: the head, and of the rest the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimit {
    head: u64,
    tail: u64,
    then: AtLimit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtLimit {
    DropMiddle,
    Stop,
}

impl OutputLimit {
    /// The smallest limit for one file: one page for the head and one for the tail.
    pub const MIN: u64 = 2 * Self::PAGE;
    const PAGE: u64 = 4096;

    /// Keeps `total` bytes: an eighth from the beginning, rounded down to whole pages of 4,096 bytes and at least
    /// one, and the rest from the end. The middle is dropped and
    /// counted; the task neither blocks nor dies of it.
    #[must_use]
    pub const fn keep(total: u64) -> Self {
        let eighth = total / 8 / Self::PAGE * Self::PAGE;
        let head = if eighth == 0 { Self::PAGE } else { eighth };
        Self {
            head,
            tail: total.saturating_sub(head),
            then: AtLimit::DropMiddle,
        }
    }

    /// Keeps `total` bytes likewise, and stops a task that writes more (`EndedBy::OutputLimit`).
    #[must_use]
    pub const fn stop_after(total: u64) -> Self {
        Self {
            then: AtLimit::Stop,
            ..Self::keep(total)
        }
    }

    /// How many bytes of the beginning are kept.
    #[must_use]
    pub const fn head(self) -> u64 {
        self.head
    }

    /// How many bytes of the end are kept.
    #[must_use]
    pub const fn tail(self) -> u64 {
        self.tail
    }

    /// Head and tail together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.head.saturating_add(self.tail)
    }

    /// Whether a task that writes more is to be stopped.
    #[must_use]
    pub const fn stops(self) -> bool {
        matches!(self.then, AtLimit::Stop)
    }
}

impl Default for OutputLimit {
    fn default() -> Self {
        Self::keep(64 << 20)
    }
}

impl Spec {
    /// The grace between the polite signal and the last one, where the spec names none.
    pub const DEFAULT_GRACE: Duration = Duration::from_secs(5);

    /// A line for `/bin/sh`.
    pub fn shell(line: impl Into<OsString>) -> Self {
        Self::new(Work::Shell {
            line: line.into(),
            shell: PathBuf::from("/bin/sh"),
        })
    }

    /// A program; see [`arg`](Self::arg) and [`args`](Self::args).
    pub fn program(program: impl Into<OsString>) -> Self {
        Self::new(Work::Program {
            program: program.into(),
            args: Vec::new(),
        })
    }

    /// Async work inside this process, for backends that have the capability.
    pub fn job(job: impl Job) -> Self {
        Self::new(Work::Job(Arc::new(job)))
    }

    fn new(work: Work) -> Self {
        Self {
            work,
            description: None,
            owner: Owner::default(),
            cwd: None,
            env: Vec::new(),
            stdin: Stdin::default(),
            timeout: None,
            grace: Self::DEFAULT_GRACE,
            survivors: Survivors::default(),
            output_limit: OutputLimit::default(),
            output_files: OutputFiles::default(),
            notify: Notify::default(),
        }
    }

    /// Adds an argument to a program. A shell line and a job take none: for them this does nothing.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        if let Work::Program { args, .. } = &mut self.work {
            args.push(arg.into());
        }
        self
    }

    /// Adds arguments to a program, as [`arg`](Self::arg) does.
    #[must_use]
    pub fn args<S: Into<OsString>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Has a shell line read by this shell; an absolute path.
    #[must_use]
    pub fn with_shell(mut self, path: impl Into<PathBuf>) -> Self {
        if let Work::Shell { shell, .. } = &mut self.work {
            *shell = path.into();
        }
        self
    }

    /// Replaces the work and keeps the rest: for a backend that wraps another one.
    #[must_use]
    pub fn with_work(mut self, work: Work) -> Self {
        self.work = work;
        self
    }

    /// Says in a few words what the task is for.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Says whose task it is.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = owner;
        self
    }

    /// Runs it in this folder.
    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Sets an environment variable, over the parent's.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), Some(value.into())));
        self
    }

    /// Takes an environment variable of the parent's away.
    #[must_use]
    pub fn env_remove(mut self, key: impl Into<OsString>) -> Self {
        self.env.push((key.into(), None));
        self
    }

    /// Gives it something to read.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets its deadline, counted from the start of the run. There is none by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the time between the polite signal and the last one; zero kills at once.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Says what becomes of processes that outlive the leader.
    #[must_use]
    pub fn survivors(mut self, survivors: Survivors) -> Self {
        self.survivors = survivors;
        self
    }

    /// Sets how much output is kept.
    #[must_use]
    pub fn output_limit(mut self, limit: OutputLimit) -> Self {
        self.output_limit = limit;
        self
    }

    /// Says where the two streams go.
    #[must_use]
    pub fn output_files(mut self, files: OutputFiles) -> Self {
        self.output_files = files;
        self
    }

    /// Says which endings are told.
    #[must_use]
    pub fn notify(mut self, notify: Notify) -> Self {
        self.notify = notify;
        self
    }

    /// The command as a person would type it: the line, the program with its arguments quoted where they
    /// need it, or the job's debug name. What is no UTF-8 is shown with replacement characters.
    #[must_use]
    pub fn command(&self) -> String {
        match &self.work {
            Work::Shell { line, .. } => line.to_string_lossy().into_owned(),
            Work::Program { program, args } => {
                let mut typed = String::new();
                push_quoted(&mut typed, program);
                for arg in args {
                    typed.push(' ');
                    push_quoted(&mut typed, arg);
                }
                typed
            }
            Work::Job(job) => job.name(),
        }
    }

    /// What is to be done.
    #[must_use]
    pub fn get_work(&self) -> &Work {
        &self.work
    }

    /// What it is for.
    #[must_use]
    pub fn get_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whose it is.
    #[must_use]
    pub fn get_owner(&self) -> &Owner {
        &self.owner
    }

    /// The folder it runs in; `None` for the parent's.
    #[must_use]
    pub fn get_cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// Changes to the parent's environment, in the order in which they were asked for; `None` takes away.
    pub fn get_env(&self) -> impl Iterator<Item = (&OsStr, Option<&OsStr>)> {
        self.env
            .iter()
            .map(|(key, value)| (key.as_os_str(), value.as_deref()))
    }

    /// What it finds on its stdin.
    #[must_use]
    pub fn get_stdin(&self) -> &Stdin {
        &self.stdin
    }

    /// Its deadline, counted from the start of the run; `None` for none.
    #[must_use]
    pub fn get_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The time between the polite signal and the last one.
    #[must_use]
    pub fn get_grace(&self) -> Duration {
        self.grace
    }

    /// What becomes of processes that outlive the leader.
    #[must_use]
    pub fn get_survivors(&self) -> Survivors {
        self.survivors
    }

    /// How much output is kept.
    #[must_use]
    pub fn get_output_limit(&self) -> OutputLimit {
        self.output_limit
    }

    /// Where the two streams go.
    #[must_use]
    pub fn get_output_files(&self) -> OutputFiles {
        self.output_files
    }

    /// Which endings are told.
    #[must_use]
    pub fn get_notify(&self) -> Notify {
        self.notify
    }

    /// Checks what can be known before the operating system is asked.
    ///
    /// # Errors
    ///
    /// Names the first field that no operating system would take: an empty command, a NUL byte, a name of
    /// an environment variable with `=` in it, a timeout of zero, an output limit under
    /// [`OutputLimit::MIN`] for each file.
    pub fn validate(&self) -> Result<(), SpecError> {
        match &self.work {
            Work::Shell { line, shell } => {
                let blank = line.as_encoded_bytes().iter().all(u8::is_ascii_whitespace);
                refuse_if(blank, "command", "is empty: say what to run")?;
                no_nul("command", line)?;
                refuse_if(!shell.is_absolute(), "shell", "must be an absolute path")?;
                no_nul("shell", shell.as_os_str())?;
            }
            Work::Program { program, args } => {
                refuse_if(program.is_empty(), "command", "is empty: say what to run")?;
                no_nul("command", program)?;
                args.iter().try_for_each(|arg| no_nul("args", arg))?;
            }
            Work::Job(_) => {}
        }
        if let Some(cwd) = &self.cwd {
            refuse_if(
                cwd.as_os_str().is_empty(),
                "cwd",
                "is empty: name a folder or leave it out",
            )?;
            no_nul("cwd", cwd.as_os_str())?;
        }
        for (key, value) in &self.env {
            refuse_if(key.is_empty(), "env", "has a variable without a name")?;
            let equals = key.as_encoded_bytes().contains(&b'=');
            refuse_if(equals, "env", "has a variable with '=' in its name")?;
            no_nul("env", key)?;
            value
                .as_ref()
                .map_or(Ok(()), |value| no_nul("env", value))?;
        }
        let no_time = self.timeout == Some(Duration::ZERO);
        refuse_if(
            no_time,
            "timeout",
            "is zero: give it some time or leave it out for none",
        )?;
        let least = match self.output_files {
            OutputFiles::Merged => OutputLimit::MIN,
            OutputFiles::Split => 2 * OutputLimit::MIN,
        };
        let tiny = self.output_limit.total() < least;
        refuse_if(
            tiny,
            "output_limit",
            "must be 8192 bytes or more for each file",
        )
    }
}

fn refuse_if(refused: bool, field: &'static str, problem: &'static str) -> Result<(), SpecError> {
    if refused {
        Err(SpecError { field, problem })
    } else {
        Ok(())
    }
}

fn no_nul(field: &'static str, text: &OsStr) -> Result<(), SpecError> {
    refuse_if(
        text.as_encoded_bytes().contains(&0),
        field,
        "has a NUL byte in it",
    )
}

fn push_quoted(typed: &mut String, word: &OsStr) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    let word = word.to_string_lossy();
    if !word.is_empty() && word.chars().all(plain) {
        typed.push_str(&word);
    } else {
        typed.push('\'');
        typed.push_str(&word.replace('\'', r"'\''"));
        typed.push('\'');
    }
}

/// A spec that no operating system would take; nothing was launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    field: &'static str,
    problem: &'static str,
}

impl SpecError {
    /// The field that is wrong: `command`, `args`, `shell`, `cwd`, `env`, `timeout`, `output_limit`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.problem)
    }
}

impl std::error::Error for SpecError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            (Spec::shell(""), "command"),
            (Spec::shell(" \n\t"), "command"),
            (Spec::shell("echo a\0b"), "command"),
            (Spec::shell("true").with_shell("bash"), "shell"),
            (Spec::program(""), "command"),
            (Spec::program("ls").arg("a\0b"), "args"),
            (Spec::shell("true").cwd(""), "cwd"),
            (Spec::shell("true").env("A=B", "c"), "env"),
            (Spec::shell("true").env("", "c"), "env"),
            (Spec::shell("true").env("A", "c\0"), "env"),
            (Spec::shell("true").timeout(Duration::ZERO), "timeout"),
            (
                Spec::shell("true").output_limit(OutputLimit::keep(100)),
                "output_limit",
            ),
        ];
        for (spec, field) in wrong {
            let error = spec.validate().expect_err(field);
            assert_eq!(error.field(), field);
        }
    }

    #[test]
    fn a_program_is_shown_as_it_would_be_typed() {
        let spec = Spec::program("grep").args(["-r", "it's here", "", "src/lib.rs"]);
        assert_eq!(spec.command(), r"grep -r 'it'\''s here' '' src/lib.rs");
    }

    #[test]
    fn limit_keeps_the_default_of_the_documentation() {
        let limit = OutputLimit::default();
        assert_eq!((limit.head(), limit.total()), (8 << 20, 64 << 20));
        assert!(!limit.stops());
    }
}
