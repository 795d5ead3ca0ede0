//! Where there is no sandbox to be had, that is said, and nothing is run outside.

#![allow(clippy::unwrap_used, reason = "in a test, a panic says enough")]

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use custom_backend::{SandboxError, Sandboxed};
use meanwhile_core::{
    Capabilities, ExitStatus, Job, JobContext, JobError, Lifecycle, Report, Spec, Task, Tasks,
    async_trait,
};
use meanwhile_queue::MemoryQueue;
use meanwhile_thread::ThreadBackend;

#[test]
fn a_missing_bwrap_is_named_with_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("bwrap");
    let error = Sandboxed::with_bwrap(ThreadBackend::new(), folder.path(), &none).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SandboxError::NoBwrap { .. }), "{text}");
    assert!(text.contains(none.to_str().unwrap()), "{text}");
    assert!(text.contains("Install the package `bubblewrap`"), "{text}");
    assert!(error.source().is_some());
}

#[test]
fn a_bwrap_that_is_refused_by_the_system_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let program = fake_bwrap(
        folder.path(),
        "echo 'bwrap: No permissions to create new namespace' >&2; exit 1",
    );
    let error = Sandboxed::with_bwrap(ThreadBackend::new(), folder.path(), program).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SandboxError::Refused { .. }), "{text}");
    assert!(
        text.contains("No permissions to create new namespace"),
        "{text}"
    );
    assert!(text.contains("user namespaces"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_the_writable_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for wrong in [folder.path().join("none"), file, "/".into()] {
        let error = Sandboxed::new(ThreadBackend::new(), &wrong).unwrap_err();
        assert!(matches!(error, SandboxError::Folder { .. }), "{error}");
        assert!(
            error.to_string().contains(wrong.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn a_job_is_declined_and_never_run_outside() {
    let folder = tempfile::tempdir().unwrap();
    let program = fake_bwrap(folder.path(), "exit 0");
    let sandboxed = Sandboxed::with_bwrap(ThreadBackend::new(), folder.path(), program).unwrap();
    assert!(ThreadBackend::new().capabilities().jobs());
    let tasks = Tasks::new(sandboxed.clone(), MemoryQueue::new());
    let error = tasks.launch(Spec::job(Outside)).unwrap_err();
    assert!(error.to_string().contains("does not run jobs"), "{error}");

    // And if somebody says otherwise.
    let tasks = Tasks::new(Overstated(sandboxed), MemoryQueue::new());
    let exit = tasks.launch(Spec::job(Outside)).unwrap().wait_blocking();
    assert!(
        matches!(exit.status, ExitStatus::FailedToStart(_)),
        "{exit:?}"
    );
}

fn fake_bwrap(folder: &Path, line: &str) -> PathBuf {
    let program = folder.join("bwrap");
    fs::write(&program, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[derive(Debug)]
struct Outside;

#[async_trait]
impl Job for Outside {
    async fn run(&self, _: JobContext) -> Result<(), JobError> {
        panic!("this is outside of the sandbox")
    }
}

/// Declares what the backend in it does not do.
#[derive(Debug)]
struct Overstated(Sandboxed<ThreadBackend>);

impl Lifecycle for Overstated {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        self.0.launch(spec, report)
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities().with_jobs()
    }
}
