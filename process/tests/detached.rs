//! A process that is left behind has nothing of ours but its three descriptors.

#![cfg(target_os = "linux")]

mod support;

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use meanwhile_process::spawn_detached;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::support::{Folder, id_of, stat, until};

#[test]
fn it_has_a_session_the_environment_and_three_descriptors() {
    let folder = Folder::new();
    let null = File::open("/dev/null").expect("a null device");
    let output = File::create(folder.path().join("output")).expect("a file");
    let inherited = File::open("/dev/null").expect("a null device");
    fcntl_setfd(&inherited, FdFlags::empty()).expect("an open descriptor");
    let script =
        "echo $$; echo \"$1\"; echo \"$PATH\"; pwd; ls /proc/$$/fd; echo end; exec sleep 1000";
    let args = ["-c", script, "name", "two words"].map(Into::into);
    let id = spawn_detached(
        Path::new("/bin/sh"),
        &args,
        [null.as_fd(), output.as_fd(), output.as_fd()],
    )
    .expect("a shell");
    folder.write("processes", &format!("detached {}\n", id.pid));
    until("the shell has said all", || {
        folder.text("output").ends_with("end\n")
    });

    assert_eq!(id_of(id.pid), Some(id));
    let session = stat(id.pid, 3).expect("it lives");
    assert_eq!(session, id.pid.to_string());
    let path = std::env::var("PATH").expect("a path to programs");
    let here = std::env::current_dir().expect("a folder");
    let expected = format!(
        "{}\ntwo words\n{path}\n{}\n0\n1\n2\nend\n",
        id.pid,
        here.display()
    );
    assert_eq!(folder.text("output"), expected);
    drop(folder);
    waitpid(Pid::from_raw(id.pid), WaitOptions::empty()).expect("a child of this test");
}

#[test]
fn what_is_not_there_is_an_error() {
    let null = File::open("/dev/null").expect("a null device");
    let stdio = [null.as_fd(), null.as_fd(), null.as_fd()];
    let error =
        spawn_detached(Path::new("/nonexistent/program"), &[], stdio).expect_err("no program");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
