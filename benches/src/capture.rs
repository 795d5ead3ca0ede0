//! What does it cost to capture much output?

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meanwhile_core::{Handle, OutputLimit, Spec, Stream};
use meanwhile_process::LocalOptions;
use meanwhile_smol::SmolBackend;
use meanwhile_thread::ThreadBackend;
use meanwhile_tokio::TokioBackend;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

use crate::contest::{Contest, Reading};
use crate::panel::Panel;
use crate::runner::{BACKENDS, Ours};
use crate::series::{Role, Unit};

/// The name of the question.
pub const CAPTURE: &str = "capture";
/// The processor time that all threads of this process took meanwhile.
pub const PARENT_CPU: &str = "parent CPU";
/// The floor: the child writes to a file that it was given.
pub const REDIRECT: &str = "std, redirected to a file";
/// The names of ours where they keep all, as the floor and the pipes do. By their own names they keep what they do by
/// default.
pub const KEEPING_ALL: [&str; 3] = [
    "meanwhile-thread, keeps all",
    "meanwhile-tokio, keeps all",
    "meanwhile-smol, keeps all",
];

/// Has a program write 256 MiB, and waits until its end is known and its output is in a file.
///
/// Each of ours takes part twice: it keeps all, as the floor and the pipes do; and it keeps the first 8 MiB and the last 56
/// MiB, as by default, and gives the middle back to the disk while it is written, which is work that nobody else has. A
/// pipe is pumped in the way that the documentation of each shows; that of std does so within the kernel, by `splice`.
///
/// # Panics
///
/// If output is lost, or there is no room for it in the system's folder for temporary files.
pub fn capture(panel: &mut impl Panel) {
    let megabytes = panel.effort().choose(1, 64, 256, 256);
    let bytes = megabytes << 20;
    let rounds = panel.effort().choose(1, 1, 2, 4);
    let folder = tempfile::tempdir().expect("the system's temporary folder takes folders");
    let folder = folder.path();
    let runtime = crate::runner::runtime();
    let options = LocalOptions::default().spool_dir(folder.join("spool"));
    let backends = [
        Ours::new(ThreadBackend::with_options(options.clone())),
        Ours::new(TokioBackend::on(runtime.handle().clone(), options.clone())),
        Ours::new(SmolBackend::with_options(options)),
    ];
    let mut contest = Contest::new(CAPTURE, format!("{megabytes} MiB"))
        .rounds(rounds)
        .contender(Role::Floor, REDIRECT, || {
            into_file(folder, bytes, |file| redirect(bytes, file))
        });
    for (names, limit) in [
        (KEEPING_ALL, OutputLimit::keep(bytes * 2)),
        (BACKENDS, OutputLimit::default()),
    ] {
        for (name, ours) in names.into_iter().zip(&backends) {
            contest = contest.contender(Role::Ours, name, move || by_task(ours, bytes, limit));
        }
    }
    let contest = contest
        .contender(Role::Peer, "std pipe", || {
            into_file(folder, bytes, |file| std_pipe(bytes, file))
        })
        .contender(Role::Peer, "tokio pipe", || {
            into_file(folder, bytes, |file| tokio_pipe(&runtime, bytes, file))
        })
        .contender(Role::Peer, "async-process pipe", || {
            into_file(folder, bytes, |file| async_process_pipe(bytes, file))
        });
    panel.ask(contest);
}

/// What writes so many bytes, by its whole path.
const WRITER: &str = "/usr/bin/head";

fn writer_args(bytes: u64) -> [String; 3] {
    ["-c".to_owned(), bytes.to_string(), "/dev/zero".to_owned()]
}

/// Counts from its beginning on.
struct Meter {
    began: Instant,
    cpu: Duration,
}

impl Meter {
    fn begin() -> Self {
        Self {
            cpu: own_cpu(),
            began: Instant::now(),
        }
    }

    fn read(&self) -> Reading {
        let time = self.began.elapsed();
        let cpu = own_cpu().saturating_sub(self.cpu);
        Reading::from(time).and(PARENT_CPU, Unit::Seconds, cpu.as_secs_f64())
    }
}

/// The processor time of this process so far.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("no process has taken less than nothing")
}

fn by_task(ours: &Ours, bytes: u64, limit: OutputLimit) -> Reading {
    let spec = Spec::program(WRITER)
        .args(writer_args(bytes))
        .output_limit(limit);
    let meter = Meter::begin();
    let handle = ours.tasks.launch(spec).expect("the backend runs programs");
    ours.inbox.wait_blocking();
    let ended = ours.inbox.drain();
    let reading = meter.read();
    let exit = &ended[0].exit;
    assert_eq!((exit.code(), exit.output.bytes), (Some(0), bytes));
    let is_default = limit == OutputLimit::default();
    assert!(is_default || exit.output.dropped == 0, "it keeps all");
    ended.acknowledge();
    assert_readable(&handle, bytes);
    let file = handle.output_path(Stream::Stdout);
    fs::remove_file(file.expect("a local task writes to a file")).expect("it is there");
    reading
}

/// The first bytes and the last are there.
fn assert_readable(handle: &Handle, bytes: u64) {
    const FEW: u64 = 1000;
    for offset in [0, bytes - FEW] {
        let chunk = handle
            .output(Stream::Stdout, offset, FEW as usize)
            .expect("the file can be read");
        assert_eq!((chunk.offset, chunk.bytes.len()), (offset, FEW as usize));
    }
}

/// Has `work` bring all output into a new file, which is removed.
fn into_file(folder: &Path, bytes: u64, work: impl FnOnce(File)) -> Reading {
    let path = folder.join("output");
    let meter = Meter::begin();
    work(File::create(&path).expect("the folder takes files"));
    let reading = meter.read();
    let length = path.metadata().expect("it was created").len();
    assert_eq!(length, bytes, "nothing may be lost");
    fs::remove_file(&path).expect("it is there");
    reading
}

/// The writer as a command, with nothing to read and nowhere to complain.
fn writer(bytes: u64) -> Command {
    let mut command = Command::new(WRITER);
    command
        .args(writer_args(bytes))
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn redirect(bytes: u64, file: File) {
    let status = writer(bytes)
        .stdout(file)
        .status()
        .expect("the program is on every system");
    assert!(status.success());
}

fn std_pipe(bytes: u64, mut file: File) {
    let mut child = writer(bytes)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program is on every system");
    let mut pipe = child.stdout.take().expect("it was asked for");
    io::copy(&mut pipe, &mut file).expect("there is room");
    let status = child.wait().expect("nobody else waits for this child");
    assert!(status.success());
}

fn tokio_pipe(runtime: &Runtime, bytes: u64, file: File) {
    use tokio::io::AsyncWriteExt;
    runtime.block_on(async {
        let mut child = tokio::process::Command::from(writer(bytes))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program is on every system");
        let mut pipe = child.stdout.take().expect("it was asked for");
        let mut file = tokio::fs::File::from_std(file);
        tokio::io::copy(&mut pipe, &mut file)
            .await
            .expect("there is room");
        file.flush().await.expect("there is room");
        let status = child
            .wait()
            .await
            .expect("nobody else waits for this child");
        assert!(status.success());
    });
}

fn async_process_pipe(bytes: u64, file: File) {
    use smol::io::AsyncWriteExt;
    smol::block_on(async {
        // Made from `writer`, it would forget where input comes from and complaints go.
        let mut child = async_process::Command::new(WRITER)
            .args(writer_args(bytes))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is on every system");
        let mut pipe = child.stdout.take().expect("it was asked for");
        let mut file = smol::fs::File::from(file);
        smol::io::copy(&mut pipe, &mut file)
            .await
            .expect("there is room");
        file.flush().await.expect("there is room");
        let status = child
            .status()
            .await
            .expect("nobody else waits for this child");
        assert!(status.success());
    });
}
