//! What the store makes of disks, locks, files and clocks that are not as they should be.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use meanwhile_core::{NotificationQueue, Owner, TaskId};
use meanwhile_queue::{Notice, Selection, Store, StoreErrorKind, StoreOptions};
use rusqlite::Connection;

use crate::child::{Other, me};
use crate::support::{
    LEASE, NOTHING, PATIENCE, Warnings, drain, ending, ending_of, ids, launch_for, new, notice_of,
    open, record_of, take,
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

fn tasks_of(count: usize, store: &Store) -> Vec<TaskId> {
    (0..count).map(|_| launch_for(store, &me())).collect()
}

fn push_all(store: &Store, tasks: &[TaskId]) {
    for task in tasks {
        store.push(ending_of(*task, &me()));
    }
}

fn database(state: &Path) -> PathBuf {
    state.join("store.db")
}

fn said(warnings: &Warnings, what: &str) -> bool {
    warnings.all().iter().any(|line| line.contains(what))
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

/// A store with a thousand tasks, all of it in `store.db` and nothing in the log.
fn full_store(state: &Path) {
    let (store, _) = open(state);
    let tasks = tasks_of(1000, &store);
    push_all(&store, &tasks);
    take(&store, &me());
    drop(store);
    let db = Connection::open(database(state)).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// What was set aside, as the warning has it.
fn set_aside(state: &Path, warnings: &Warnings) -> PathBuf {
    let mut files = fs::read_dir(state)
        .unwrap()
        .map(|file| file.unwrap().path());
    let damaged = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("store.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    let kept = files.find(damaged).expect("something was set aside");
    let name = kept.display().to_string();
    assert!(said(warnings, &name), "{name} in {:?}", warnings.all());
    kept
}

/// Whether work goes on in it, and is found later.
fn works(store: &Store) {
    let folder = store.folder().to_owned();
    let [told, read] = [launch_for(store, &me()), launch_for(store, &me())];
    push_all(store, &[read]);
    assert!(take(store, &me()).contains(&read));
    push_all(store, &[told]);
    store.sync(PATIENCE).unwrap();
    let (again, warnings) = open(&folder);
    assert_eq!(
        warnings.all(),
        [""; 0],
        "it was opened again without a word"
    );
    assert_eq!(take(&again, &me()), [told]);
    assert_eq!(notice_of(&again, read), Notice::Told);
}

#[test]
fn what_is_no_database_is_set_aside() {
    let garbage: [&[u8]; 3] = [b"no", b"not a database at all", &[0xa5; 100_000]];
    for content in garbage {
        let (_folder, state) = new();
        fs::create_dir(&state).unwrap();
        fs::write(database(&state), content).unwrap();
        let (store, warnings) = open(&state);
        assert_eq!(fs::read(set_aside(&state, &warnings)).unwrap(), content);
        works(&store);
    }
}

#[test]
fn a_folder_in_its_place_is_set_aside() {
    let (_folder, state) = new();
    fs::create_dir_all(database(&state).join("precious")).unwrap();
    let (store, warnings) = open(&state);
    assert!(set_aside(&state, &warnings).join("precious").is_dir());
    works(&store);
}

#[test]
fn a_truncated_database_is_set_aside() {
    for part in [50, 4096, 20_000, 65_536] {
        let (_folder, state) = new();
        full_store(&state);
        let file = File::options().write(true).open(database(&state)).unwrap();
        file.set_len(part).unwrap();
        let (store, warnings) = open(&state);
        // It may be found at once, or only when the rest of it is looked at.
        store.tasks(Selection::All, None).unwrap();
        works(&store);
        let kept = set_aside(&state, &warnings);
        assert!(fs::metadata(kept).unwrap().len() <= part, "as it was");
    }
}

#[test]
fn damage_that_is_found_while_it_runs_is_set_aside_and_what_runs_is_told() {
    let (_folder, state) = new();
    full_store(&state);
    let (store, warnings) = open(&state);
    let [running, waits] = [launch_for(&store, &me()), launch_for(&store, &me())];
    push_all(&store, &[waits]);
    store.sync(PATIENCE).unwrap();
    let file = File::options().write(true).open(database(&state)).unwrap();
    let size = file.metadata().unwrap().len();
    for page in 4..size / 4096 {
        file.write_at(&[0xa5; 4096], page * 4096).unwrap();
    }
    let kept_size = size;
    push_all(&store, &[running]);
    store.tasks(Selection::All, None).unwrap();
    store.usual("make", None).unwrap();
    assert_eq!(take(&store, &me()), [waits, running]);
    works(&store);
    let kept = set_aside(&state, &warnings);
    assert_eq!(fs::metadata(kept).unwrap().len(), kept_size);
}

#[test]
fn another_process_goes_on_in_the_new_database() {
    let (_folder, state) = new();
    full_store(&state);
    let (store, _) = open(&state);
    let mut other = Other::new(&state);
    let theirs: TaskId = other.ask("launch").parse().unwrap();
    let file = File::options().write(true).open(database(&state)).unwrap();
    let size = file.metadata().unwrap().len();
    for page in 4..size / 4096 {
        file.write_at(&[0xa5; 4096], page * 4096).unwrap();
    }
    store.tasks(Selection::All, None).unwrap();
    other.ask(&format!("push {theirs}"));
    assert!(other.ask("drain").contains(theirs.as_str()));
    assert_eq!(record_of(&store, theirs).status(), "completed");
}

#[test]
fn a_database_that_is_removed_is_made_again() {
    for endings in [&["", "-wal", "-shm"][..], &[""], &["", "-wal"]] {
        let (_folder, state) = new();
        let (store, _) = open(&state);
        let mut other = Other::new(&state);
        let theirs: TaskId = other.ask("launch").parse().unwrap();
        let running = tasks_of(100, &store);
        let waits: TaskId = other.ask("push").parse().unwrap();
        other.ask("sync");
        store.sync(PATIENCE).unwrap();
        assert_eq!(store.pending(&me()), 1);
        for ending in endings {
            fs::remove_file(state.join(format!("store.db{ending}"))).unwrap();
        }
        push_all(&store, &running);
        other.ask(&format!("push {theirs}"));
        other.ask("sync");
        other.ask("launch");
        // What belonged to it is of no use to the new one, and may be to somebody. Either may have found it.
        let mut files = fs::read_dir(&state).unwrap().flatten();
        let is_kept = files.any(|file| file.file_name().to_string_lossy().contains(".damaged-"));
        assert_eq!(is_kept, endings.len() < 3, "without {endings:?}");
        let told: BTreeSet<_> = take(&store, &me()).into_iter().collect();
        let expected = running.iter().chain([&theirs, &waits]).copied();
        assert_eq!(told, expected.collect(), "without {endings:?}");
        store.sync(PATIENCE).unwrap();
        other.kill();
        drop(store);
        let (store, warnings) = open(&state);
        assert_eq!(warnings.all(), NOTHING, "without {endings:?}");
        let check = Connection::open(database(&state)).unwrap();
        let check: String = check
            .query_one("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        take(&store, &me());
        works(&store);
    }
}

#[test]
fn a_folder_that_is_removed_under_running_tasks_is_made_again_and_they_run_on() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let mut other = Other::new(&state);
    let theirs: TaskId = other.ask("launch").parse().unwrap();
    let [ours, waits] = [launch_for(&store, &me()), launch_for(&store, &me())];
    push_all(&store, &[waits]);
    store.sync(PATIENCE).unwrap();
    fs::remove_dir_all(&state).unwrap();
    assert_eq!(store.pending(&me()), 1);
    // Nobody can see any more that the two live. That is no reason to stop their tasks.
    let later = StoreOptions::new(&state, |orphans| panic!("they run: {orphans:?}"))
        .open()
        .unwrap();
    push_all(&store, &[ours]);
    other.ask(&format!("push {theirs}"));
    other.ask("sync");
    store.sync(PATIENCE).unwrap();
    let told: BTreeSet<_> = take(&later, &me()).into_iter().collect();
    assert_eq!(told, BTreeSet::from([waits, theirs, ours]));
}

#[test]
fn a_newer_store_is_refused_and_left_as_it_is() {
    let (_folder, state) = new();
    full_store(&state);
    let db = Connection::open(database(&state)).unwrap();
    db.pragma_update(None, "user_version", 4711).unwrap();
    drop(db);
    let before = fs::read(database(&state)).unwrap();
    let error = StoreOptions::new(&state, |_| Vec::new())
        .open()
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Newer);
    assert!(error.to_string().contains("4711"), "{error}");
    assert_eq!(fs::read(database(&state)).unwrap(), before);
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

#[test]
fn who_launches_in_a_folder_that_was_removed_is_known_to_live() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    launch_for(&store, &me());
    fs::remove_dir_all(&state).unwrap();
    let task = launch_for(&store, &me());
    let later = StoreOptions::new(&state, |orphans| panic!("it runs: {orphans:?}"))
        .open()
        .unwrap();
    assert_eq!(record_of(&later, task).exit, None);
}

#[test]
fn a_damaged_task_does_not_keep_others_from_being_taken_over() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let [damaged, waits] = [ending(&me()), ending(&me())];
    store.push(damaged.clone());
    store.push(waits.clone());
    store.sync(PATIENCE).unwrap();
    let db = Connection::open(database(&state)).unwrap();
    db.execute_batch(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '') WHERE name = 'tasks';
         PRAGMA writable_schema = RESET;",
    )
    .unwrap();
    db.execute(
        "UPDATE tasks SET launched_at = NULL WHERE id = ?1",
        [damaged.task_id.as_str()],
    )
    .unwrap();
    drop(db);
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(state.join(format!("store.db{ending}"))).unwrap();
    }
    assert_eq!(drain(&store, &me()), [waits.task_id]);
}

#[test]
fn an_exit_that_cannot_be_read_is_told_and_so_are_the_others() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let [damaged, whole] = [ending(&me()), ending(&me())];
    store.push(damaged.clone());
    store.push(whole.clone());
    store.sync(PATIENCE).unwrap();
    Connection::open(database(&state))
        .unwrap()
        .execute(
            "UPDATE tasks SET exit = substr(exit, 2), env = '' WHERE id = ?1",
            [damaged.task_id.as_str()],
        )
        .unwrap();
    assert_eq!(store.tasks(Selection::All, None).unwrap().len(), 2);
    assert_eq!(record_of(&store, damaged.task_id).status(), "lost");
    assert_eq!(take(&store, &me()), [damaged.task_id, whole.task_id]);
}

#[test]
fn a_store_that_was_put_back_without_its_log_has_one_again() {
    let (_folder, state) = new();
    drop(open(&state));
    // What is left of it in a copy that `VACUUM INTO` makes, say.
    let mode = |db: Connection, mode: &str| -> String {
        db.query_one(&format!("PRAGMA journal_mode{mode}"), [], |row| row.get(0))
            .unwrap()
    };
    let connect = || Connection::open(database(&state)).unwrap();
    assert_eq!(mode(connect(), " = DELETE"), "delete");
    let (store, warnings) = open(&state);
    store.push(ending(&me()));
    store.sync(Duration::from_secs(3)).unwrap();
    assert_eq!(warnings.all(), NOTHING);
    assert_eq!(mode(connect(), ""), "wal");
}
