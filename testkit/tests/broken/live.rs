//! Work that runs: a child process with all that it started, or a job.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::mem;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use meanwhile_core::{
    Cancellation, ExitStatus, Job, JobContext, JobError, ProcessId, Spec, Stdin, Sweep, TaskId,
    Work,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid};

use super::backend::Flaw;
use super::files::Files;

pub(crate) trait Live: Send {
    /// How it ended, if it has; said once.
    fn ended(&mut self) -> Option<ExitStatus>;

    /// Goes through the tree and says how many are left, the leader not counted.
    fn sweep(&mut self, sweep: Sweep) -> u32;

    /// Who leads it; nobody leads a job.
    fn named_leader(&self) -> Option<ProcessId> {
        None
    }
}

/// A process, and all that have its mark in their environment.
pub(crate) struct Child {
    child: process::Child,
    mark: String,
    ended: bool,
    flaw: Flaw,
}

impl Child {
    pub(crate) fn start(spec: &Spec, files: &Files, id: TaskId, flaw: Flaw) -> io::Result<Self> {
        let mut command = command(spec, files, flaw)?;
        if flaw != Flaw::SharesOurGroup {
            command.process_group(0);
        }
        if let Some(cwd) = spec.get_cwd().filter(|_| flaw != Flaw::ForgetsTheFolder) {
            command.current_dir(cwd);
        }
        for (key, value) in spec
            .get_env()
            .filter(|_| flaw != Flaw::ForgetsTheEnvironment)
        {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command.env("MEANWHILE_NAIVE", id.as_str());
        let (out, err) = files.open()?;
        command
            .stdout(out)
            .stderr(err)
            .stdin(stdin(spec, files, flaw)?);
        let held = (flaw == Flaw::WaitsForHeldOutput).then(|| {
            command.stdout(Stdio::piped());
        });
        let child = command.spawn()?;
        let mark = format!("MEANWHILE_NAIVE={id}");
        let mut this = Self {
            child,
            mark,
            ended: false,
            flaw,
        };
        this.feed(spec)?;
        if held.is_some() {
            this.read_to_the_end(files)?;
        }
        if flaw == Flaw::LeavesAZombie {
            Command::new("true").spawn()?;
        }
        Ok(this)
    }

    /// Writes the input, where the flaw is to do it here.
    fn feed(&mut self, spec: &Spec) -> io::Result<()> {
        match (self.child.stdin.take(), spec.get_stdin()) {
            (Some(mut pipe), Stdin::Bytes(bytes)) => pipe.write_all(bytes),
            _ => Ok(()),
        }
    }

    /// As `Command::output` does.
    fn read_to_the_end(&mut self, files: &Files) -> io::Result<()> {
        let mut output = Vec::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_end(&mut output)?;
        }
        files.open()?.0.write_all(&output)
    }

    /// The processes of the tree that are alive.
    fn tree(&self) -> Vec<Pid> {
        let leader = self.leader();
        // A look is not of one moment: the child of one that forks and ends in the middle of it is found by the next.
        let mut pids = [self.look(), self.look()].concat();
        pids.sort();
        pids.dedup();
        match self.flaw {
            Flaw::SeesTheGroupOnly => pids.retain(|pid| getpgid(Some(*pid)) == Ok(leader)),
            Flaw::SeesTheLeaderOnly => pids.retain(|pid| *pid == leader),
            _ => {}
        }
        pids
    }

    fn look(&self) -> Vec<Pid> {
        fs::read_dir("/proc")
            .expect("/proc can be listed")
            .filter_map(|entry| {
                entry
                    .ok()?
                    .file_name()
                    .to_str()?
                    .parse()
                    .ok()
                    .map(Pid::from_raw)
            })
            .filter(|pid| self.is_its(*pid) && is_alive(*pid))
            .collect()
    }

    /// By the group, too: one that is being executed shows no environment for a moment.
    fn is_its(&self, pid: Pid) -> bool {
        self.has_mark(pid) || getpgid(Some(pid)) == Ok(self.leader())
    }

    fn has_mark(&self, pid: Pid) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == self.mark.as_bytes())
    }

    fn leader(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Live for Child {
    fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended {
            return None;
        }
        let status = self.child.try_wait().expect("a child can be waited for")?;
        self.ended = true;
        Some(match (status.code(), status.signal()) {
            (Some(code), _) => ExitStatus::Code(code),
            (None, Some(signal)) => ExitStatus::Signal(signal),
            (None, None) => ExitStatus::Lost,
        })
    }

    fn named_leader(&self) -> Option<ProcessId> {
        let mut named = self.child.id().cast_signed();
        if self.flaw == Flaw::NamesItselfForLeader {
            named = process::id().cast_signed();
        }
        Some(ProcessId {
            pid: named,
            start: start_of(named)?,
        })
    }

    fn sweep(&mut self, sweep: Sweep) -> u32 {
        let signals = match sweep {
            Sweep::Kill => vec![Signal::SIGKILL],
            Sweep::Terminate if self.flaw == Flaw::WakesNobody => vec![Signal::SIGTERM],
            Sweep::Terminate => vec![Signal::SIGTERM, Signal::SIGCONT],
            Sweep::Signal(number) => Signal::try_from(number).into_iter().collect(),
            _ => Vec::new(),
        };
        let leader = self.leader();
        let mut left = 0;
        for pid in self.tree() {
            for signal in &signals {
                // It may have ended by itself.
                let _ = kill(pid, *signal);
            }
            left += u32::from(pid != leader);
        }
        left
    }
}

/// The 22nd field, of which the first two are cut off with the name.
fn start_of(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn command(spec: &Spec, files: &Files, flaw: Flaw) -> io::Result<Command> {
    let mut command;
    match spec.get_work() {
        Work::Shell { line, shell } => {
            command = Command::new(shell);
            if line.len() > 100_000 && flaw != Flaw::PassesEveryLineAsArgument {
                let script = files.folder.join("script");
                fs::write(&script, line.as_encoded_bytes())?;
                command.arg(script);
            } else {
                command.arg("-c");
                if flaw != Flaw::TakesALineForOptions {
                    command.arg("--");
                }
                command.arg(line);
            }
        }
        Work::Program { program, args } => {
            let at_home = std::path::Path::new("/usr/bin").join(program);
            let elsewhere = flaw == Flaw::LooksUpInOurPath;
            command = Command::new(if elsewhere {
                at_home.as_os_str()
            } else {
                program
            });
            command.args(args);
        }
        _ => unreachable!("a job is no child process"),
    }
    Ok(command)
}

/// The input comes from a file, so that nobody has to feed it.
fn stdin(spec: &Spec, files: &Files, flaw: Flaw) -> io::Result<Stdio> {
    match (flaw, spec.get_stdin()) {
        (Flaw::InheritsStdin, _) => Ok(Stdio::inherit()),
        (Flaw::FeedsInputInLaunch | Flaw::WantsItsInputRead, Stdin::Bytes(_)) => Ok(Stdio::piped()),
        (Flaw::GivesNoInput, _) => Ok(Stdio::null()),
        (_, Stdin::Bytes(bytes)) => {
            let path = files.folder.join("in");
            fs::write(&path, bytes)?;
            Ok(File::open(path)?.into())
        }
        _ => Ok(Stdio::null()),
    }
}

type JobFuture = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;

/// A job that is polled whenever somebody looks at it.
pub(crate) struct RunningJob {
    future: Option<JobFuture>,
    context: JobContext,
    cancellation: Cancellation,
    killed: bool,
    flaw: Flaw,
}

impl RunningJob {
    pub(crate) fn new(
        job: Arc<dyn Job>,
        context: JobContext,
        cancellation: Cancellation,
        flaw: Flaw,
    ) -> Self {
        let given = context.clone();
        let future: JobFuture = Box::pin(async move { job.run(given).await });
        Self {
            future: Some(future),
            context,
            cancellation,
            killed: false,
            flaw,
        }
    }

    fn failed(&self, code: i32, message: &str) -> ExitStatus {
        let _ = self.context.write(message.as_bytes());
        ExitStatus::Code(code)
    }
}

impl Live for RunningJob {
    fn ended(&mut self) -> Option<ExitStatus> {
        if mem::take(&mut self.killed) {
            return Some(ExitStatus::Signal(9));
        }
        let future = self.future.as_mut()?;
        let mut context = Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        let status = match polled {
            Ok(Poll::Pending) => return None,
            Ok(Poll::Ready(Ok(()))) => ExitStatus::Code(0),
            Ok(Poll::Ready(Err(_))) if self.flaw == Flaw::CallsAJobErrorSuccess => {
                ExitStatus::Code(0)
            }
            Ok(Poll::Ready(Err(error))) => {
                let shown = catch_unwind(AssertUnwindSafe(|| error.to_string()));
                match shown {
                    Ok(message) => self.failed(1, &message),
                    Err(panic) if self.flaw == Flaw::DiesOfAnError => resume_unwind(panic),
                    Err(_) => self.failed(101, "the error cannot be shown"),
                }
            }
            Err(panic) if self.flaw == Flaw::DiesOfAPanic => resume_unwind(panic),
            Err(panic) => self.failed(101, panic.downcast_ref::<&str>().unwrap_or(&"")),
        };
        self.future = None;
        Some(status)
    }

    fn sweep(&mut self, sweep: Sweep) -> u32 {
        match sweep {
            Sweep::Terminate if self.flaw != Flaw::AsksNoJob => self.cancellation.ask(),
            Sweep::Kill => {
                let future = self.future.take();
                self.killed = future.is_some();
                if self.flaw == Flaw::LeavesJobsRunning {
                    mem::forget(future);
                } else if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future)))
                    && self.flaw == Flaw::DiesOfADrop
                {
                    resume_unwind(panic);
                }
            }
            _ => {}
        }
        0
    }
}
