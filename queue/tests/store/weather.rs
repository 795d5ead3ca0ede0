//! What the store makes of disks, locks and clocks that are not as they should be.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use meanwhile_core::{NotificationQueue, Owner, TaskId};
use meanwhile_queue::{Notice, Selection, StoreErrorKind, StoreOptions};
use rusqlite::Connection;

use crate::child::{Other, me};
use crate::support::{
    LEASE, NOTHING, PATIENCE, Warnings, database, drain, ending, ids, launch_for, new, notice_of,
    open, push_all, record_of, remove, said, take, tasks_of, works,
};

/// Names the folder of a disk that a test may fill.
const DISK: &str = "MEANWHILE_TEST_DISK";

/// The mount point of a disk of 2 MiB that nobody else sees, in a run of the test `name` of its own. `None` in the
/// other run, which waits for that one.
fn own_disk(name: &str) -> Option<PathBuf> {
    if let Some(disk) = env::var_os(DISK) {
        return Some(disk.into());
    }
    let unshare = ["--map-root-user", "--mount"];
    let is_possible = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_possible {
        let is_demanded = cfg!(target_os = "linux") && env::var_os("CI").is_some();
        assert!(!is_demanded, "no disk can be mounted here");
        eprintln!("skipped: no disk can be mounted here");
        return None;
    }
    let disk = tempfile::tempdir().unwrap();
    let status = Command::new("unshare")
        .args(unshare)
        .args([
            "sh",
            "-c",
            r#"mount -t tmpfs -o size=2m tmpfs "$MEANWHILE_TEST_DISK" && exec "$@""#,
        ])
        .arg("sh")
        .arg(env::current_exe().unwrap())
        .args([&format!("weather::{name}"), "--exact", "--nocapture"])
        .env(DISK, disk.path())
        .status()
        .unwrap();
    assert!(status.success(), "{name}: {status}");
    None
}

/// Leaves no room.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).unwrap();
    for size in [65_536, 4096, 1] {
        while file
            .write(&vec![b'x'; size])
            .is_ok_and(|written| written > 0)
        {}
    }
    path
}

#[test]
fn a_full_disk_loses_no_ending_and_tells_none_twice() {
    let Some(disk) = own_disk("a_full_disk_loses_no_ending_and_tells_none_twice") else {
        return;
    };
    let state = disk.join("state");
    let (store, warnings) = open(&state);
    let before = tasks_of(20, &store);
    let early = ending(&me());
    store.push(early.clone());
    store.sync(PATIENCE).unwrap();

    let filler = fill(&disk);
    push_all(&store, &before);
    let during = tasks_of(500, &store);
    push_all(&store, &during);
    // The disk is still full, and nothing has waited for it.
    let mut expected = vec![early.task_id];
    expected.extend(before.iter().chain(&during));
    assert_eq!(store.pending(&me()), expected.len());
    assert_eq!(drain(&store, &me()), expected);
    assert_eq!(drain(&store, &me()), []);
    assert!(said(&warnings, "full"), "{:?}", warnings.all());
    let error = store.sync(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");

    let events: Vec<_> = expected
        .iter()
        .map(|task| meanwhile_core::EventId::ended(*task))
        .collect();
    store.acknowledge(&me(), &events[..200]);
    assert_eq!(drain(&store, &me()), []);
    store.release(&me(), &events[200..400]);
    assert_eq!(drain(&store, &me()), expected[200..400]);
    store.acknowledge(&me(), &events[200..300]);

    fs::remove_file(filler).unwrap();
    store.sync(PATIENCE).unwrap();
    assert!(
        said(&warnings, "takes writes again"),
        "{:?}",
        warnings.all()
    );
    assert_eq!(drain(&store, &me()), []);
    for task in &expected[..300] {
        assert_eq!(notice_of(&store, *task), Notice::Told);
    }
    drop(store);
    let (store, warnings) = open(&state);
    assert_eq!(take(&store, &me()), expected[300..]);
    for task in expected {
        assert_eq!(record_of(&store, task).status(), "completed");
    }
    assert_eq!(warnings.all(), NOTHING);
}

/// Holds what a process that makes the store does, until it is dropped.
fn guard(state: &Path) -> File {
    fs::create_dir_all(state).unwrap();
    let guard = File::create(state.join("lock")).unwrap();
    guard.lock().unwrap();
    guard
}

#[test]
fn a_store_that_is_being_made_for_too_long_is_not_waited_for() {
    let (_folder, state) = new();
    let _guard = guard(&state);
    let (opened, is_opened) = mpsc::channel();
    let options = StoreOptions::new(&state, |_| Vec::new());
    thread::spawn(move || opened.send(options.open().map(drop)));
    let opened = is_opened.recv_timeout(PATIENCE).expect("a bound");
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Busy);
    let lock = state.join("lock").display().to_string();
    assert!(error.to_string().contains(&lock), "{error}");
}

#[test]
fn while_a_removed_store_is_being_made_again_endings_stay_in_memory() {
    let (_folder, state) = new();
    let (warn, warnings) = mpsc::channel();
    let store = StoreOptions::new(&state, |_| Vec::new())
        .warn(move |problem| drop(warn.send(problem.to_owned())))
        .open()
        .unwrap();
    remove(&state);
    // Let go of before the store is dropped, whatever comes of this.
    let guard = guard(&state);
    let told = ending(&me());
    store.push(told.clone());
    let warning = warnings.recv_timeout(PATIENCE).expect("a bound");
    assert!(warning.contains("locked"), "{warning}");
    assert!(warning.contains("kept in memory"), "{warning}");
    assert_eq!(store.pending(&me()), 1);
    drop(guard);
    store.sync(PATIENCE).unwrap();
    let (later, _) = open(&state);
    assert_eq!(take(&later, &me()), [told.task_id]);
}

#[test]
fn threads_that_drain_while_the_disk_is_full_share_what_there_is() {
    let Some(disk) = own_disk("threads_that_drain_while_the_disk_is_full_share_what_there_is")
    else {
        return;
    };
    let (store, _) = open(&disk.join("state"));
    let filler = fill(&disk);
    for round in 0..20 {
        if round == 10 {
            // From now on room may be made while they drain.
            fs::remove_file(&filler).unwrap();
        }
        let pushed: BTreeSet<_> = (0..50)
            .map(|_| {
                let told = ending(&me());
                store.push(told.clone());
                told.task_id
            })
            .collect();
        let drained: Vec<_> = thread::scope(|scope| {
            let drains: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| drain(&store, &me())))
                .collect();
            drains
                .into_iter()
                .flat_map(|drain| drain.join().unwrap())
                .collect()
        });
        assert_eq!(drained.len(), pushed.len(), "none of them twice");
        assert_eq!(BTreeSet::from_iter(drained), pushed);
    }
}

#[test]
fn a_process_that_ends_while_the_disk_is_full_is_told_of_as_lost() {
    let Some(disk) = own_disk("a_process_that_ends_while_the_disk_is_full_is_told_of_as_lost")
    else {
        return;
    };
    let state = disk.join("state");
    let mut other = Other::new(&state);
    let running: TaskId = other.ask("launch").parse().unwrap();
    let filler = fill(&disk);
    other.ask(&format!("push {running}"));
    // It ends in bounded time, though it cannot write.
    other.exit();
    {
        let (store, _) = open(&state);
        assert!(!store.is_read_only());
        record_of(&store, running);
    }
    fs::remove_file(filler).unwrap();
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()), [running]);
    assert_eq!(record_of(&store, running).status(), "lost");
}

#[test]
fn a_folder_that_is_read_only_is_opened_for_reading() {
    let Some(disk) = own_disk("a_folder_that_is_read_only_is_opened_for_reading") else {
        return;
    };
    let state = disk.join("state");
    let (told, running) = {
        let (store, _) = open(&state);
        let tasks = tasks_of(2, &store);
        push_all(&store, &tasks[..1]);
        store.sync(PATIENCE).unwrap();
        (tasks[0], tasks[1])
    };
    let mount = |how| {
        let status = Command::new("mount").args(["-o", how]).arg(&disk).status();
        assert!(status.unwrap().success());
    };
    mount("remount,ro");
    {
        let warnings = Warnings::default();
        let store = StoreOptions::new(&state, |_| panic!("nobody is stopped for a look"))
            .warn(warnings.sink())
            .open()
            .unwrap();
        assert!(store.is_read_only());
        assert_eq!(store.tasks(Selection::All, None).unwrap().len(), 2);
        assert_eq!(record_of(&store, running).status(), "queued");
        assert_eq!(record_of(&store, told).status(), "completed");
        assert_eq!(store.pending(&me()), 1);
        assert_eq!(store.recover().unwrap(), []);
        let error = store.forget(Duration::MAX).map(|forgotten| forgotten.tasks);
        assert_eq!(error.unwrap(), 0);
        drop(store.listen_to_all());
        // Who asks is told, and told again by the next process: better than not at all.
        assert_eq!(take(&store, &me()), [told]);
        let late = ending(&me());
        store.push(late.clone());
        assert_eq!(take(&store, &me()), [late.task_id]);
        assert!(said(&warnings, "Read-only"), "{:?}", warnings.all());
    }
    let error = StoreOptions::new(disk.join("none"), |_| Vec::new())
        .open()
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly);
    mount("remount,rw");
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()), [told, running]);
}

#[test]
fn whoever_waits_without_inotify_is_woken_too() {
    let Some(disk) = own_disk("whoever_waits_without_inotify_is_woken_too") else {
        return;
    };
    // Of this namespace alone.
    if fs::write("/proc/sys/user/max_inotify_instances", "0").is_err() {
        eprintln!("skipped: this system has no such limit");
        return;
    }
    let (store, warnings) = open(&disk.join("state"));
    let inbox = meanwhile_core::Inbox::new(std::sync::Arc::new(store.clone()), me());
    let _listener = store.listen_to_all();
    assert!(said(&warnings, "cannot hear"), "{:?}", warnings.all());
    let mut other = Other::new(store.folder());
    let lost: TaskId = other.ask("launch").parse().unwrap();
    other.tell("push");
    inbox.wait_blocking();
    let told: TaskId = other.answer().parse().unwrap();
    assert_eq!(take(&store, &me()), [told]);
    other.kill();
    inbox.wait_blocking();
    assert_eq!(take(&store, &me()), [lost]);
}

#[test]
fn a_locked_database_delays_nobody_who_launches_or_ends() {
    let (_folder, state) = new();
    let (store, warnings) = open(&state);
    let before = launch_for(&store, &me());
    store.sync(PATIENCE).unwrap();
    let other = Connection::open(database(&state)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    // All of this returns while the database is locked.
    let during = tasks_of(20, &store);
    push_all(&store, &[before]);
    push_all(&store, &during);
    let mut expected = vec![before];
    expected.extend(&during);
    assert_eq!(take(&store, &me()), expected);
    assert!(said(&warnings, "locked"), "{:?}", warnings.all());

    other.execute_batch("COMMIT").unwrap();
    store.sync(PATIENCE).unwrap();
    for task in expected {
        assert_eq!(notice_of(&store, task), Notice::Told);
    }
    assert_eq!(store.tasks(Selection::Open, None).unwrap(), []);
}

#[test]
fn a_store_that_is_closed_writes_what_can_be_written_again() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let told = launch_for(&store, &me());
    let other = Connection::open(database(&state)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    push_all(&store, &[told]);
    // Returns when the store has found that it cannot write, and will wait before it tries again.
    assert_eq!(store.pending(&me()), 1);
    other.execute_batch("COMMIT").unwrap();
    drop(store);
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()), [told]);
    assert_eq!(record_of(&store, told).status(), "completed");
}

#[test]
fn a_lease_of_a_boot_before_comes_back_with_whoever_opens_it() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let told = ending(&me());
    store.push(told.clone());
    assert_eq!(drain(&store, &me()), [told.task_id]);
    drop(store);
    // The clock begins anew when the machine does, and nobody holds a lock.
    let db = Connection::open(database(&state)).unwrap();
    let lease = "UPDATE tasks SET holder = 'tdeadbeef0', leased_until = ?1";
    assert_eq!(db.execute(lease, [i64::MAX]).unwrap(), 1);
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()), [told.task_id]);
}

#[test]
fn a_hundred_thousand_old_tasks_are_in_nobodys_way() {
    let (_folder, state) = new();
    drop(open(&state));
    let mut db = Connection::open(database(&state)).unwrap();
    let transaction = db.transaction().unwrap();
    let exit = serde_json_of_exit();
    for _ in 0..100_000 {
        transaction
            .prepare_cached(
                "INSERT INTO tasks (id, session, command, launched_at, exit, ended_at, notice)
                 VALUES (?1, 'me', 'make', 0, ?2, 0, 2)",
            )
            .unwrap()
            .execute((TaskId::random().as_str(), &exit))
            .unwrap();
    }
    transaction.commit().unwrap();
    drop(db);

    let (store, _) = open(&state);
    works(&store);
    assert_eq!(store.tasks(Selection::Open, Some(&me())).unwrap(), []);
    assert_eq!(store.tasks(Selection::All, None).unwrap().len(), 100_002);
    assert_eq!(
        store.forget(Duration::from_secs(3600)).unwrap().tasks,
        100_000
    );
}

fn serde_json_of_exit() -> String {
    r#"{"status":{"code":0},"ended_by":"itself","started_at":null,
        "ended_at":{"secs_since_epoch":0,"nanos_since_epoch":0},"duration":{"secs":1,"nanos":0},
        "output":{"bytes":0,"dropped":0},"survivors":0}"#
        .to_owned()
}

#[test]
fn a_long_log_is_shortened() {
    let (_folder, state) = new();
    let (store, warnings) = open(&state);
    let log = || fs::metadata(state.join("store.db-wal")).unwrap().len();
    let mut longest = 0;
    // Moved into the database, and cut off by whoever writes next.
    let is_cut = (0..100).any(|_| {
        let owner = Owner::new("x".repeat(20_000));
        for _ in 0..10 {
            store.push(ending(&owner));
        }
        store.sync(PATIENCE).unwrap();
        let items = store.drain(&owner, usize::MAX, LEASE);
        store.acknowledge(&owner, &ids(&items));
        longest = longest.max(log());
        log() < longest
    });
    assert!(is_cut, "it is {longest} bytes long");
    assert!(longest < 32 << 20, "{longest}");
    assert_eq!(warnings.all(), NOTHING);
}

#[test]
fn a_log_that_could_not_be_synced_is_synced_later() {
    let (_folder, state) = new();
    let (said, warnings) = mpsc::channel();
    let store = StoreOptions::new(&state, |_| Vec::new())
        .warn(move |line| drop(said.send(line.to_owned())))
        .open()
        .unwrap();
    let task = launch_for(&store, &me());
    let (log, elsewhere) = (state.join("store.db-wal"), state.join("elsewhere"));
    fs::rename(&log, &elsewhere).unwrap();
    push_all(&store, &[task]);
    let warning = warnings.recv_timeout(PATIENCE).unwrap();
    assert!(warning.contains("cannot sync"), "{warning}");
    fs::rename(&elsewhere, &log).unwrap();
    store.sync(PATIENCE).unwrap();
}

#[test]
fn a_warning_that_panics_keeps_nothing_from_being_written() {
    let (_folder, state) = new();
    let (said, warnings) = mpsc::channel();
    let store = StoreOptions::new(&state, |_| Vec::new())
        .warn(move |line| {
            let _ = said.send(line.to_owned());
            panic!("as eprintln does when nobody reads stderr");
        })
        .open()
        .unwrap();
    // Where the folder of the owners belongs.
    fs::write(state.join("owners"), "").unwrap();
    store.push(ending(&me()));
    warnings.recv_timeout(PATIENCE).unwrap();
    fs::remove_file(state.join("owners")).unwrap();
    store.sync(PATIENCE).unwrap();
}

#[test]
fn where_no_thread_can_be_started_nobody_waits_and_what_ended_is_written_at_the_end() {
    const STATE: &str = "MEANWHILE_TEST_NO_THREADS";
    const NAME: &str =
        "where_no_thread_can_be_started_nobody_waits_and_what_ended_is_written_at_the_end";
    let Some(state) = env::var_os(STATE).map(PathBuf::from) else {
        let (_folder, state) = new();
        // A single test is run on the thread of the program, and each further one would get more stack than there is
        // memory.
        let status = Command::new(env::current_exe().unwrap())
            .args([&format!("weather::{NAME}"), "--exact", "--test-threads=1"])
            .env("RUST_MIN_STACK", (1_u64 << 47).to_string())
            .env(STATE, state)
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
        return;
    };
    let (store, warnings) = open(&state);
    let [first, second] = [ending(&me()), ending(&me())];
    store.push(first.clone());
    drop(store);
    assert!(said(&warnings, "cannot start"), "{:?}", warnings.all());
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()), [first.task_id]);
    store.push(second.clone());
    assert_eq!(store.pending(&me()), 1);
    assert_eq!(drain(&store, &me()), [second.task_id]);
    assert_eq!(drain(&store, &me()), []);
    store.sync(Duration::from_millis(1)).unwrap_err();
}
