//! Asking the process that supervises a task to stop it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use meanwhile_core::{EndedBy, Stop, TaskId, Tasks, WeakTasks};
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, StoreErrorKind};
use super::shared::{Shared, lock};
use super::{ownership, rows};

/// How long either end waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any request.
const LONGEST: u64 = 4096;

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    stop: TaskId,
    by: EndedBy,
    grace: Option<Duration>,
    signal: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Passed,
    /// It is not, or no longer, a task of this process.
    Unknown,
    Refused(String),
}

/// A socket at which other processes of this user find this one. Its thread, `meanwhile-control`, ends when it is
/// dropped.
#[derive(Debug)]
pub(super) struct Control {
    served: Served,
    /// Its thread waits at the other end, and ends when this is dropped.
    _open: UnixStream,
}

/// The tasks that can be asked for. They are not kept by that.
type Served = Arc<Mutex<Vec<WeakTasks>>>;

impl Control {
    pub(super) fn listen(path: &Path) -> io::Result<Self> {
        Self::listen_for(path, Served::default())
    }

    /// The same at another socket: nobody finds one whose file was removed.
    pub(super) fn listen_again(&self, path: &Path) -> io::Result<Self> {
        Self::listen_for(path, Arc::clone(&self.served))
    }

    fn listen_for(path: &Path, served: Served) -> io::Result<Self> {
        let listener = near(path, |path| UnixListener::bind(path))?;
        let (open, is_open) = UnixStream::pair()?;
        let control = Self {
            served: Arc::clone(&served),
            _open: open,
        };
        thread::Builder::new()
            .name("meanwhile-control".to_owned())
            .spawn(move || serve(&listener, &served, &is_open))?;
        Ok(control)
    }

    /// Answers for these, too.
    pub(super) fn add(&self, tasks: &Tasks) {
        lock(&self.served).push(tasks.downgrade());
    }
}

impl Shared {
    /// Asks the process that supervises the task.
    pub(super) fn ask_to_stop(&self, id: TaskId, stop: Stop) -> Result<(), StoreError> {
        let supervisor = self.with("cannot read the task", |db| rows::supervisor(db, id))?;
        let does_not_know = || {
            let action = format!("the program that runs {id} does not know it");
            StoreError::new(StoreErrorKind::Unreachable, action)
        };
        let supervisor = supervisor.ok_or_else(does_not_know)?;
        let socket = ownership::socket(&ownership::folder_in(&self.folder), &supervisor);
        match ask(&socket, id, stop) {
            Ok(Answer::Passed) => Ok(()),
            Ok(Answer::Unknown) => Err(does_not_know()),
            Ok(Answer::Refused(reason)) => {
                Err(StoreError::new(StoreErrorKind::Unreachable, reason))
            }
            Err(error) => Err(StoreError::unreachable(
                format!("the program that runs {id} takes no requests"),
                error,
            )),
        }
    }
}

fn ask(socket: &Path, task: TaskId, stop: Stop) -> io::Result<Answer> {
    let stream = near(socket, connect)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = Request {
        stop: task,
        by: stop.by,
        grace: stop.grace,
        signal: stop.signal,
    };
    write_line(&stream, &request)?;
    read_line(&stream)
}

/// A process that is stopped takes nobody in; when its line is full, Linux has those who come wait for room.
#[cfg(target_os = "linux")]
fn connect(path: &Path) -> io::Result<UnixStream> {
    use rustix::net::sockopt::{Timeout, set_socket_timeout};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let too_long = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let address = SocketAddrUnix::new(path).map_err(too_long)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    rustix::io::retry_on_intr(|| rustix::net::connect(&socket, &address))?;
    Ok(UnixStream::from(socket))
}

/// Elsewhere whoever comes to a full line is refused at once.
#[cfg(not(target_os = "linux"))]
fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path)
}

/// Until the other end of `is_open` is gone.
fn serve(listener: &UnixListener, served: &Served, is_open: &UnixStream) {
    loop {
        let mut events = [listener.as_fd(), is_open.as_fd()]
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let came = poll(&mut events, None).map_err(io::Error::from);
        if !events[1].revents().is_empty() {
            return;
        }
        match came.and_then(|_| listener.accept()) {
            Ok((stream, _)) => answer_apart(stream, served),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // No descriptor left, most likely: that passes, and must not take a core until then.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// In a thread of its own, which ends soon: whoever connects and is silent keeps nobody waiting.
fn answer_apart(stream: UnixStream, served: &Served) {
    let served = Arc::clone(served);
    let answering = thread::Builder::new()
        .name("meanwhile-answer".to_owned())
        // Whoever asks and does not read the answer has themselves to blame.
        .spawn(move || drop(answer(&stream, &served)));
    // Without a thread the stream is closed: whoever asked is told so, and can ask again.
    drop(answering);
}

fn answer(stream: &UnixStream, served: &Served) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // Read in any case: whoever finds the other end closed while sending does not look for an answer.
    let answer = match read_line(stream) {
        _ if !is_same_user(stream)? => {
            Answer::Refused("only the user who runs the task may stop it".to_owned())
        }
        Ok(request) => stop(&request, served),
        Err(error) => Answer::Refused(error.to_string()),
    };
    write_line(stream, &answer)
}

fn stop(request: &Request, served: &Served) -> Answer {
    let served: Vec<_> = lock(served).iter().filter_map(WeakTasks::upgrade).collect();
    let Some(task) = served.iter().find_map(|tasks| tasks.get(request.stop)) else {
        return Answer::Unknown;
    };
    let mut stop = Stop::by(request.by);
    stop.grace = request.grace;
    stop.signal = request.signal;
    task.stop(stop);
    Answer::Passed
}

#[cfg(target_os = "linux")]
fn is_same_user(stream: &UnixStream) -> io::Result<bool> {
    let peer = rustix::net::sockopt::socket_peercred(stream.as_fd())?;
    Ok(peer.uid == rustix::process::geteuid())
}

#[cfg(not(target_os = "linux"))]
fn is_same_user(stream: &UnixStream) -> io::Result<bool> {
    let (user, _) = nix::unistd::getpeereid(stream.as_fd())?;
    Ok(user == nix::unistd::geteuid())
}

fn write_line(mut stream: &UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn read_line<T: serde::de::DeserializeOwned>(stream: &UnixStream) -> io::Result<T> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// The path of a socket is at most about a hundred bytes long. A longer one is reached through its folder, where the
/// system shows open folders as files.
fn near<T>(path: &Path, act: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    match (act(path), path.parent(), path.file_name()) {
        (Err(error), Some(folder), Some(name))
            if error.kind() == io::ErrorKind::InvalidInput && cfg!(target_os = "linux") =>
        {
            use std::os::fd::AsRawFd;
            let folder = File::open(folder)?;
            act(&Path::new("/proc/self/fd")
                .join(folder.as_raw_fd().to_string())
                .join(name))
        }
        (result, ..) => result,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use meanwhile_core::EndedBy;

    use super::*;

    #[test]
    fn its_thread_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Control::listen(&folder.path().join("first")).unwrap();
        let second = first.listen_again(&folder.path().join("second")).unwrap();
        let ended = |control: Control, others: usize| {
            let served = Arc::clone(&control.served);
            drop(control);
            let deadline = Instant::now() + Duration::from_secs(60);
            while Arc::strong_count(&served) > 1 + others {
                assert!(Instant::now() < deadline, "its thread is still there");
                thread::sleep(Duration::from_millis(1));
            }
        };
        // The other one and its thread.
        ended(first, 2);
        ended(second, 0);
    }

    #[test]
    fn whoever_takes_nobody_in_is_not_waited_for_without_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let listener = UnixListener::bind(&path).unwrap();
        // No further one fits in.
        rustix::net::listen(&listener, 0).unwrap();
        let _first = UnixStream::connect(&path).unwrap();
        let (asked, answers) = mpsc::channel();
        thread::spawn(move || {
            let answer = ask(&path, TaskId::random(), Stop::by(EndedBy::User));
            asked.send(answer.is_err())
        });
        assert_eq!(answers.recv_timeout(Duration::from_secs(60)), Ok(true));
    }
}
