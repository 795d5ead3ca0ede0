//! What it costs that endings and launches outlive the process.

#![forbid(unsafe_code)]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_benches::{Contest, Panel, Printer, Role, is_asked_for_tests, is_measured};
use meanwhile_core::{
    Ending, Exit, ExitStatus, Notification, NotificationQueue, Owner, Spec, TaskId, Tasks,
};
use meanwhile_process::{LocalOptions, stop_orphans};
use meanwhile_queue::{MemoryQueue, Store, StoreOptions};
use meanwhile_thread::ThreadBackend;
use rusqlite::Connection;

/// Longer than any disk takes.
const BOUND: Duration = Duration::from_secs(60);

fn main() {
    if is_asked_for_tests() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let count = if is_measured() { 320 } else { 32 };
    push(folder.path(), 1, count);
    push(folder.path(), 32, count);
    launch(folder.path());
    drain(folder.path());
}

/// Endings on their way to the disk, by so many threads; the time until the last is safe from a power cut.
fn push(folder: &Path, producers: usize, count: usize) {
    let question = match producers {
        1 => "push, one producer, until all is safe on the disk",
        _ => "push, 32 producers, until all is safe on the disk",
    };
    let store = open(&folder.join(format!("push-{producers}")));
    let path = folder.join(format!("bare-{producers}.db"));
    let share = count / producers;
    let together = |work: &(dyn Fn() + Sync)| {
        let before = Instant::now();
        thread::scope(|scope| {
            for _ in 0..producers {
                scope.spawn(work);
            }
        });
        before
    };
    let contest = Contest::new(question, "")
        .contender(Role::Floor, "bare rusqlite, a row each", || {
            bare(&path);
            together(&|| insert(&path, share)).elapsed()
        })
        .contender(Role::Ours, "store, synced at the end", || {
            let before = together(&|| (0..share).for_each(|_| store.push(ending())));
            store.sync(BOUND).expect("a disk that takes writes");
            before.elapsed()
        })
        .contender(Role::Ours, "store, synced after each", || {
            let push_one = || {
                store.push(ending());
                store.sync(BOUND).expect("a disk that takes writes");
            };
            together(&|| (0..share).for_each(|_| push_one())).elapsed()
        })
        .rounds(7);
    Printer.ask(contest);
}

/// The floor: one table, one row of about 200 bytes a transaction.
fn bare(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a new database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS items (seq INTEGER PRIMARY KEY, id TEXT, owner TEXT, body TEXT)",
        )
        .expect("a new database takes writes");
    connection
}

fn insert(path: &Path, count: usize) {
    let connection = bare(path);
    connection
        .busy_timeout(BOUND)
        .expect("a timeout is a number");
    let mut insert = connection
        .prepare("INSERT INTO items (id, owner, body) VALUES (?1, ?2, ?3)")
        .expect("the table is there");
    for _ in 0..count {
        let id = TaskId::random();
        insert
            .execute((id.as_str(), "default", "x".repeat(180)))
            .expect("a disk that takes writes");
    }
}

/// How long whoever launches is held up.
fn launch(folder: &Path) {
    let spool = LocalOptions::default().spool_dir(folder.join("spool"));
    let in_memory = Tasks::new(
        ThreadBackend::with_options(spool.clone()),
        MemoryQueue::new(),
    );
    let store = open(&folder.join("launch"));
    let in_store = Tasks::new(ThreadBackend::with_options(spool), store.clone());
    let returns = |tasks: &Tasks| {
        let before = Instant::now();
        let handle = tasks.launch(Spec::program("true")).expect("a valid spec");
        let held_up = before.elapsed();
        let exit = handle.wait_blocking();
        assert_eq!(exit.code(), Some(0), "a backend must not win by failing");
        held_up
    };
    Printer.ask(
        Contest::new("launch returns", "")
            .contender(Role::Ours, "in memory", || returns(&in_memory))
            .contender(Role::Ours, "in the store", || returns(&in_store))
            .rounds(2_000),
    );
}

/// What a turn costs.
fn drain(folder: &Path) {
    let (memory, store) = (MemoryQueue::new(), open(&folder.join("drain")));
    let turn = |queue: &dyn NotificationQueue, count: usize| {
        (0..count).for_each(|_| queue.push(ending()));
        // What was pushed is written first, and that was measured above.
        assert_eq!(queue.pending(&Owner::default()), count);
        let before = Instant::now();
        let items = queue.drain(&Owner::default(), usize::MAX, BOUND);
        let events: Vec<_> = items.iter().map(|item| item.event_id).collect();
        queue.acknowledge(&Owner::default(), &events);
        let time = before.elapsed();
        assert_eq!(items.len(), count);
        time
    };
    Printer.ask(
        Contest::new("a turn with nothing pending", "")
            .contender(Role::Ours, "in memory", || turn(&memory, 0))
            .contender(Role::Ours, "in the store", || turn(&store, 0))
            .rounds(1_000),
    );
    Printer.ask(
        Contest::new("drain and acknowledge 1,000", "")
            .contender(Role::Ours, "in memory", || turn(&memory, 1_000))
            .contender(Role::Ours, "in the store", || turn(&store, 1_000))
            .rounds(20),
    );
}

fn open(folder: &Path) -> Store {
    StoreOptions::new(folder, stop_orphans)
        .warn(|problem| eprintln!("{problem}"))
        .open()
        .expect("a new store")
}

/// About 200 bytes.
fn ending() -> Notification {
    let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
    let command = "cargo test --workspace --all-features -- --nocapture";
    Notification::ended(TaskId::random(), Owner::default(), command, exit)
}
