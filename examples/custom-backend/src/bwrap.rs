//! The command line of bubblewrap.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};
use std::process::{Command, Stdio};

use meanwhile_core::{Spec, Work};

use crate::SandboxError;

/// A bubblewrap and what it is to let through.
#[derive(Debug, Clone)]
pub(crate) struct Bwrap {
    program: PathBuf,
    /// With no symbolic link in it: bwrap cannot mount over one.
    writable: PathBuf,
    network: Network,
}

#[derive(Debug, Clone)]
enum Network {
    None,
    /// With the file that names the servers for host names; it often lies in /run.
    Shared {
        resolver: Option<PathBuf>,
    },
}

impl Bwrap {
    pub(crate) fn new(program: &Path, folder: &Path) -> Result<Self, SandboxError> {
        let refuse = |source| SandboxError::Folder {
            folder: folder.to_owned(),
            source,
        };
        let writable = folder.canonicalize().map_err(refuse)?;
        if !writable.is_dir() {
            return Err(refuse(io::ErrorKind::NotADirectory.into()));
        }
        if writable.parent().is_none() {
            let all = io::Error::other("then there would be nothing left to protect");
            return Err(refuse(all));
        }
        Ok(Self {
            program: program.to_owned(),
            writable,
            network: Network::None,
        })
    }

    pub(crate) fn share_network(&mut self) {
        let resolver = Path::new("/etc/resolv.conf").canonicalize().ok();
        self.network = Network::Shared { resolver };
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Makes a sandbox and does nothing in it.
    pub(crate) fn try_out(&self) -> Result<(), SandboxError> {
        let mut nothing = Command::new(&self.program);
        nothing
            .args(self.walls())
            .args(["--", "/bin/sh", "-c", ":"])
            .stdin(Stdio::null());
        let output = nothing.output().map_err(|source| SandboxError::NoBwrap {
            program: self.program.clone(),
            source,
        })?;
        if output.status.success() {
            Ok(())
        } else {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(SandboxError::Refused { said })
        }
    }

    /// The arguments with which bwrap runs what `spec` asks for; `None` for work that is no command.
    pub(crate) fn args(&self, spec: &Spec) -> Option<Vec<OsString>> {
        let mut args = self.walls();
        for (key, value) in spec.get_env() {
            match value {
                Some(value) => args.extend(["--setenv".into(), key.into(), value.into()]),
                None => args.extend(["--unsetenv".into(), key.into()]),
            }
        }
        // Said explicitly, because bwrap goes elsewhere without a word if the folder is not there inside.
        if let Ok(cwd) = path::absolute(spec.get_cwd().unwrap_or(Path::new("."))) {
            args.extend(["--chdir".into(), cwd.into()]);
        }
        args.push("--".into());
        args.extend(command(spec.get_work())?);
        Some(args)
    }

    /// What is the same for every command. Later mounts lie over earlier ones.
    ///
    /// Two options are left out on purpose. `--die-with-parent` binds bwrap to the thread that started it,
    /// which belongs to the inner backend and may end before its tasks; and when a stop ends bwrap
    /// politely, it would take the time away that the command has for its own end. `--new-session` would
    /// take the command out of the process group, which is how the inner backend reaches bwrap's init
    /// process with its first signal: once that is killed, the kernel kills all that is inside. What the
    /// option is for, keeping away from the terminal of the host, is done by hiding /dev/tty.
    fn walls(&self) -> Vec<OsString> {
        // Root may be inside, who could undo the walls by a capability, or change the kernel by /proc/sys. In
        // /run are the sockets of daemons that would do things outside.
        let walls = "--unshare-all --cap-drop ALL --ro-bind / / --tmpfs /tmp --tmpfs /run";
        let devices = "--proc /proc --remount-ro /proc --dev /dev --ro-bind /dev/null /dev/tty";
        let mut args: Vec<OsString> = walls.split(' ').map(OsString::from).collect();
        if let Network::Shared { resolver } = &self.network {
            args.push("--share-net".into());
            let resolver = resolver.iter();
            args.extend(resolver.flat_map(|file| ["--ro-bind".into(), file.into(), file.into()]));
        }
        let writable = self.writable.as_os_str();
        args.extend(["--bind".into(), writable.into(), writable.into()]);
        args.extend(devices.split(' ').map(OsString::from));
        args
    }
}

/// The `bwrap` in our own `PATH`. Not in that of a task, who could put another one there.
pub(crate) fn look_up() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("bwrap"));
    let found = found.find(|program| program.is_file());
    found.unwrap_or_else(|| "bwrap".into())
}

/// What is executed inside.
fn command(work: &Work) -> Option<Vec<OsString>> {
    match work {
        Work::Shell { line, shell } if line.len() < MAX_ARG => {
            // What begins with a dash is a line, too, and no option.
            Some(vec![shell.into(), "-c".into(), "--".into(), line.into()])
        }
        Work::Shell { line, shell } => Some(in_pieces(line, shell)),
        // By a shell, which says 127 of a program that is not there. Of bwrap itself that would be a 1.
        Work::Program { program, args } => {
            let run = ["/bin/sh", "-c", "exec \"$@\"", "sh"].map(OsString::from);
            Some(
                run.into_iter()
                    .chain([program.clone()])
                    .chain(args.iter().cloned())
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The kernel takes no single argument of this many bytes or more, its NUL included.
const MAX_ARG: usize = 128 << 10;

/// Hands a long line over in several arguments, which the shell, a POSIX one, puts together again. All of them
/// may have some megabytes; the inner backend tells of a line that is too long even for that.
fn in_pieces(line: &OsStr, shell: &Path) -> Vec<OsString> {
    let pieces = line
        .as_bytes()
        .chunks(MAX_ARG - 1)
        .map(|piece| OsStr::from_bytes(piece).into());
    let pieces: Vec<OsString> = pieces.collect();
    let all: String = (1..=pieces.len())
        .map(|number| format!("${{{number}}}"))
        .collect();
    // They are put together first; the line itself then finds no arguments, as it should.
    let join = format!("eval \"set --\n{all}\"");
    [shell.into(), "-c".into(), join.into(), shell.into()]
        .into_iter()
        .chain(pieces)
        .collect()
}
