//! From a spec to what is executed.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use meanwhile_core::{Spec, TaskId, Work};
use rustix::io::Errno;

use crate::mark::{self, MARK};
use crate::spawn::Image;

/// The kernel takes no single argument of this many bytes or more, its NUL included.
const MAX_ARG: usize = 128 << 10;

/// What to execute, and the script it was put into if the command is too long for an argument.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) image: Image,
    pub(crate) script: Option<Script>,
}

/// The file of a command that is too long for an argument. Removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Script(PathBuf);

impl Drop for Script {
    fn drop(&mut self) {
        // What cannot be removed stays in the spool.
        let _ = fs::remove_file(&self.0);
    }
}

impl Command {
    /// Makes a command of `spec`. The environment is that of this process as it is now.
    pub(crate) fn new(spec: &Spec, id: TaskId, spool_dir: &Path) -> io::Result<Self> {
        let env = environment(spec, id);
        let mut script = None;
        let (program, args) = match spec.get_work() {
            Work::Shell { line, shell } if line.len() < MAX_ARG => {
                let mut args = vec![shell.into(), "-c".into()];
                // Else the shell takes it for an option.
                if line.as_bytes().starts_with(b"-") || line.as_bytes().starts_with(b"+") {
                    args.push("--".into());
                }
                args.push(line.clone());
                (shell.clone(), args)
            }
            Work::Shell { line, shell } => {
                let file = write_script(line, id, spool_dir)?;
                let args = vec![shell.into(), file.0.as_os_str().into()];
                script = Some(file);
                (shell.clone(), args)
            }
            Work::Program { program, args } => {
                let path = look_up(program, path_in(&env))?;
                (
                    path,
                    std::iter::once(program).chain(args).cloned().collect(),
                )
            }
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "work that is no command",
                ));
            }
        };
        let image = Image {
            program: c_string(program)?,
            args: args.into_iter().map(c_string).collect::<io::Result<_>>()?,
            env: entries(env)?,
            cwd: spec.get_cwd().map(c_string).transpose()?,
        };
        Ok(Self { image, script })
    }
}

/// Says what could not be started and why, in the words of the spec rather than those of the system call:
/// the kernel gives one number for a missing folder and for a missing program.
pub(crate) fn explain(spec: &Spec, error: &io::Error) -> String {
    if let Some(problem) = spec.get_cwd().and_then(explain_cwd) {
        return problem;
    }
    let program: &OsStr = match spec.get_work() {
        Work::Shell { shell, .. } => shell.as_os_str(),
        Work::Program { program, .. } => program,
        _ => OsStr::new("the work"),
    };
    let is_there = program.as_bytes().contains(&b'/') && Path::new(program).exists();
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound if is_there => {
            format!("the interpreter that {program} names is not there")
        }
        io::ErrorKind::NotFound => format!("no such program: {program}"),
        io::ErrorKind::PermissionDenied => format!("not allowed to execute {program}"),
        io::ErrorKind::ArgumentListTooLong => {
            format!(
                "cannot start {program}: its arguments and environment are too large for the kernel"
            )
        }
        _ => format!("cannot start {program}: {error}"),
    }
}

fn explain_cwd(cwd: &Path) -> Option<String> {
    let folder = cwd.display();
    match cwd.metadata() {
        Err(cause) => Some(format!(
            "cannot use the working directory {folder}: {cause}"
        )),
        Ok(meta) if !meta.is_dir() => {
            Some(format!("the working directory {folder} is not a directory"))
        }
        Ok(_) => match rustix::fs::access(cwd, rustix::fs::Access::EXEC_OK) {
            Err(_) => Some(format!(
                "not allowed to enter the working directory {folder}"
            )),
            Ok(()) => None,
        },
    }
}

/// The variables of this process, with the changes that the spec asks for, and the mark.
fn environment(spec: &Spec, id: TaskId) -> Vec<(OsString, OsString)> {
    let mark = mark::of(id);
    // Of two changes of one variable the later one holds; the mark is nobody's to change.
    let mut changes: BTreeMap<&OsStr, Option<&OsStr>> = spec.get_env().collect();
    changes.insert(MARK.as_ref(), Some(&mark));
    let mut env: Vec<_> = std::env::vars_os().collect();
    env.retain(|(name, _)| !changes.contains_key(name.as_os_str()));
    let set = changes
        .into_iter()
        .filter_map(|(name, value)| Some((name.into(), value?.into())));
    env.extend(set);
    env
}

fn path_in(env: &[(OsString, OsString)]) -> Option<&OsStr> {
    let path = env.iter().find(|(name, _)| name == "PATH")?;
    Some(&path.1)
}

/// Looks a bare name up in the `PATH` that the task will see.
fn look_up(program: &OsStr, path: Option<&OsStr>) -> io::Result<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Ok(program.into());
    }
    let path = path.unwrap_or(OsStr::new("/bin:/usr/bin"));
    let mut refused = Errno::NOENT;
    for folder in std::env::split_paths(path) {
        // An empty entry means the current folder; "./" keeps the name a path.
        let candidate = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &folder
        }
        .join(program);
        match candidate.metadata() {
            Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o111 != 0 => {
                return Ok(candidate);
            }
            Ok(meta) if meta.is_file() => refused = Errno::ACCESS,
            _ => {}
        }
    }
    Err(refused.into())
}

fn write_script(line: &OsStr, id: TaskId, spool_dir: &Path) -> io::Result<Script> {
    let path = spool_dir.join(format!("{id}.sh"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(&path)?;
    let script = Script(path);
    file.write_all(line.as_bytes())?;
    Ok(script)
}

/// Variables as a process gets them: `NAME=value`.
pub(crate) fn entries(
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> io::Result<Vec<CString>> {
    let entries = env.into_iter().map(|(name, value)| {
        // Room for all of it at once, the NUL too: there are many.
        let mut entry = Vec::with_capacity(name.len() + value.len() + 2);
        entry.extend_from_slice(name.as_bytes());
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        CString::new(entry).map_err(io::Error::from)
    });
    entries.collect()
}

pub(crate) fn c_string(text: impl AsRef<OsStr>) -> io::Result<CString> {
    // Validation refused NUL bytes in the spec, and the kernel gives none in the environment.
    CString::new(text.as_ref().to_owned().into_vec()).map_err(io::Error::from)
}
