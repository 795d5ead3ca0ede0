//! Those who run a program in the background, behind one face.

mod async_process;
mod duct;
mod ours;
mod std_process;
mod threads;
mod tokio_process;

use std::fmt::Debug;

use meanwhile_process::{LocalOptions, raise_descriptor_limit};
use meanwhile_smol::SmolBackend;
use meanwhile_thread::ThreadBackend;
use meanwhile_tokio::TokioBackend;
use tokio::runtime::Runtime;

use crate::series::Role;

use self::async_process::AsyncProcess;
use self::duct::Duct;
use self::threads::Threads;
use self::tokio_process::TokioProcess;

pub(crate) use self::ours::Ours;
pub(crate) use self::std_process::{StdProcess, spawn};

/// What is run. By its whole path: a bare name costs std its fast way to spawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// `/bin/true`: ends at once.
    True,
    /// `/bin/sleep 600`: runs until it is stopped.
    Sleep,
}

impl Program {
    /// The program file.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::True => "/bin/true",
            Self::Sleep => "/bin/sleep",
        }
    }

    /// Its arguments.
    pub(crate) fn args(self) -> &'static [&'static str] {
        match self {
            Self::True => &[],
            Self::Sleep => &["600"],
        }
    }
}

/// Somebody who runs programs in the background, and gets to know of their ends.
///
/// Standard input is `/dev/null` for all. Who captures output by himself does so; the others throw it away.
pub(crate) trait Runner: Debug {
    /// Begins to run `program`. Returns as soon as the contender lets go of its caller.
    fn launch(&mut self, program: Program);

    /// Blocks until the caller knows of the end of some [`Program::True`] that were launched. Says of how many; each is
    /// told of once.
    ///
    /// # Panics
    ///
    /// If one failed: nobody must win by failing.
    fn ended(&mut self) -> usize;

    /// How many may run at once: none if [`Program::Sleep`] could not be stopped.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Ends every [`Program::Sleep`], and blocks until nothing is left of them and the caller knows. All that end by
    /// themselves must have been waited for.
    fn stop_all(&mut self);
}

/// Somebody who runs programs, and who that is to the reader.
#[derive(Debug)]
pub struct Entrant {
    /// His name in tables.
    pub(crate) name: String,
    /// What he is measured as.
    pub(crate) role: Role,
    /// Himself.
    pub(crate) runner: Box<dyn Runner>,
}

impl Entrant {
    /// Enters `runner` as `name`.
    pub(crate) fn new(role: Role, name: impl Into<String>, runner: impl Runner + 'static) -> Self {
        Self {
            name: name.into(),
            role,
            runner: Box::new(runner),
        }
    }
}

/// The names of ours. The targets are looked up by them.
pub const BACKENDS: [&str; 3] = ["meanwhile-thread", "meanwhile-tokio", "meanwhile-smol"];

/// What all others are compared with.
pub const FLOOR: &str = "std::process";

/// Everybody: the floor, the three backends, and what people would use instead. `runtime` is that of those on tokio.
///
/// Raises this program's limit on descriptors, before the backends are made, which budget by it: most contenders have one
/// for each of 1,000 tasks.
///
/// # Panics
///
/// If the system does not let it.
#[must_use]
pub fn everybody(runtime: &Runtime) -> Vec<Entrant> {
    raise_descriptor_limit().expect("a soft limit may be as high as the hard one");
    let options = LocalOptions::default();
    let tokio = TokioBackend::on(runtime.handle().clone(), options);
    vec![
        floor(),
        Entrant::new(Role::Ours, BACKENDS[0], Ours::new(ThreadBackend::new())),
        Entrant::new(Role::Ours, BACKENDS[1], Ours::new(tokio)),
        Entrant::new(Role::Ours, BACKENDS[2], Ours::new(SmolBackend::new())),
        Entrant::new(
            Role::Peer,
            "tokio::process",
            TokioProcess::on(runtime.handle().clone()),
        ),
        Entrant::new(Role::Peer, "async-process", AsyncProcess::new()),
        Entrant::new(Role::Peer, "duct", Duct::default()),
        Entrant::new(Role::Peer, "thread + output()", Threads::new()),
    ]
}

/// Bare std: spawn on the caller's thread, wait there.
pub(crate) fn floor() -> Entrant {
    Entrant::new(Role::Floor, FLOOR, StdProcess::default())
}

/// A runtime as programs have it.
///
/// # Panics
///
/// If the system has no room for its threads.
#[must_use]
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime of one thread starts")
}
