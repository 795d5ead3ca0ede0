//! Other processes: this test program once more, which does to a store what it is asked to.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use meanwhile_core::{EndedBy, Inbox, NotificationQueue, Orphan, Owner, Spec, Stop, Tasks};
use meanwhile_queue::{Store, StoreOptions};

use crate::manual::Manual;
use crate::support::{LEASE, PATIENCE, ending, ending_of, ids, launch_for};

/// Marks a process as such a one, and names the folder of its store.
const FOLDER: &str = "MEANWHILE_TEST_FOLDER";

/// What comes before each answer: libtest prints to the same pipe.
const MARK: &str = "> ";

/// The session of everything here.
pub(crate) fn me() -> Owner {
    Owner::new("me")
}

/// A process with a store. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Other {
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Other {
    /// With the store in `folder` open.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut other = Self::closed(folder);
        assert_eq!(other.ask("open"), "opened");
        other
    }

    /// With the store not open yet.
    pub(crate) fn closed(folder: &Path) -> Self {
        Self::run(Command::new(env::current_exe().unwrap()), folder)
    }

    /// By way of `command`, which is to run the program that it is given as its further arguments.
    pub(crate) fn under(mut command: Command, folder: &Path) -> Self {
        command.arg(env::current_exe().unwrap());
        Self::run(command, folder)
    }

    fn run(mut command: Command, folder: &Path) -> Self {
        let mut child = command
            .args(["child::another_process", "--exact", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, answer)) = line.split_once(MARK) {
                    let _ = send.send(answer.to_owned());
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            answers,
        }
    }

    /// Does not wait for the answer.
    pub(crate) fn tell(&mut self, request: &str) {
        let input = self.input.as_mut().expect("it was not told to exit");
        writeln!(input, "{request}").unwrap();
    }

    pub(crate) fn answer(&self) -> String {
        self.answers.recv_timeout(PATIENCE).expect("an answer")
    }

    /// All answers until it is gone.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.answers.iter().collect()
    }

    pub(crate) fn ask(&mut self, request: &str) -> String {
        self.tell(request);
        self.answer()
    }

    /// SIGKILL, and it is gone when this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its store and ends.
    pub(crate) fn exit(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(answer: impl std::fmt::Display) {
    println!("{MARK}{answer}");
}

/// Not a test: what [`Other`] runs.
#[test]
fn another_process() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let mut process = Process::new(Path::new(&folder));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        process.handle(&line);
    }
}

struct Process {
    folder: std::path::PathBuf,
    store: Option<Store>,
    tasks: Option<Tasks>,
    orphans: Arc<Mutex<Vec<Orphan>>>,
}

impl Process {
    fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            store: None,
            tasks: None,
            orphans: Arc::default(),
        }
    }

    fn handle(&mut self, line: &str) {
        let (request, argument) = line.split_once(' ').unwrap_or((line, ""));
        match request {
            "open" => self.open(),
            // Stays in the middle of the recovery for ever.
            "open_and_hang" => {
                let options = StoreOptions::new(&self.folder, |_| {
                    say("hangs");
                    loop {
                        thread::park();
                    }
                });
                self.store = Some(options.open().unwrap());
            }
            "orphans" => say(format!("{:?}", self.orphans.lock().unwrap())),
            "launch" => say(launch_for(self.store(), &me())),
            "push" => {
                let told = match argument.parse() {
                    Ok(task) => ending_of(task, &me()),
                    Err(_) => ending(&me()),
                };
                self.store().push(told.clone());
                say(told.task_id);
            }
            "sync" => {
                self.store().sync(PATIENCE).unwrap();
                say("synced");
            }
            "wait" => {
                Inbox::new(Arc::new(self.store().clone()), me()).wait_blocking();
                say("woken");
            }
            "drain" => {
                let items = self.store().drain(&me(), usize::MAX, LEASE);
                self.store().sync(PATIENCE).unwrap();
                say(names(&items));
            }
            "serve" => {
                let tasks = Tasks::new(Manual, self.store().clone());
                self.store().serve(&tasks).unwrap();
                let spec = Spec::shell("make").owner(me());
                say(tasks.launch(spec).unwrap().id());
                self.tasks = Some(tasks);
            }
            "stop" => {
                let stop = Stop::by(EndedBy::User);
                let sent = self.store().stop(argument.parse().unwrap(), stop);
                say(format!("{sent:?}"));
            }
            "work" => self.work(),
            "send" => {
                let (socket, request) = argument.split_once(' ').unwrap();
                say(match send(Path::new(socket), request) {
                    Ok(answer) => answer,
                    Err(error) => format!("{error:?}"),
                });
            }
            other => panic!("no such request: {other}"),
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("it was asked to open the store")
    }

    fn open(&mut self) {
        let orphans = Arc::clone(&self.orphans);
        let options = StoreOptions::new(&self.folder, move |new| {
            orphans.lock().unwrap().extend_from_slice(new);
            vec![0; new.len()]
        });
        match options.warn(|warning| eprintln!("{warning}")).open() {
            Ok(store) => {
                self.store = Some(store);
                say("opened");
            }
            Err(error) => say(error),
        }
    }

    /// Launches, ends, drains and acknowledges until it is killed, and says what it did when it is done.
    fn work(&self) {
        let store = self.store();
        loop {
            let (over, runs) = (launch_for(store, &me()), launch_for(store, &me()));
            say(format!("launched {over} {runs}"));
            store.push(ending_of(over, &me()));
            store.push(ending_of(runs, &me()));
            let items = store.drain(&me(), 3, LEASE);
            say(format!("drained {}", names(&items)));
            store.acknowledge(&me(), &ids(&items));
            say(format!("acknowledged {}", names(&items)));
        }
    }
}

/// Sends a line to a socket, and gives back the line that comes.
pub(crate) fn send(socket: &Path, line: &str) -> std::io::Result<String> {
    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    writeln!(stream, "{line}")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

fn names(items: &[meanwhile_core::Notification]) -> String {
    let names: Vec<_> = items.iter().map(|item| item.task_id.to_string()).collect();
    names.join(" ")
}
