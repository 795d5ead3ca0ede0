//! What the store makes of a database that is damaged, gone, somebody else's, or from another time.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use meanwhile_core::{EndedBy, NotificationQueue, Stop, TaskId};
use meanwhile_queue::{Selection, StopSent, StoreErrorKind, StoreOptions};
use rusqlite::Connection;

use crate::child::{Other, me};
use crate::support::{
    NOTHING, PATIENCE, Warnings, database, drain, ending, launch_for, new, open, push_all,
    record_of, remove, said, take, tasks_of, woken_until, works,
};

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
    remove(&state);
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
fn after_the_folder_was_removed_tasks_can_be_stopped_from_outside() {
    let (_folder, state) = new();
    let mut other = Other::new(&state);
    let running: TaskId = other.ask("serve").parse().unwrap();
    remove(&state);
    // It notices when it has something to write.
    other.ask("push");
    other.ask("sync");
    let (later, _) = open(&state);
    let sent = later.stop(running, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::Passed);
}

#[test]
fn after_the_folder_was_moved_away_whoever_lives_is_not_taken_for_dead() {
    let (folder, state) = new();
    let (store, _) = open(&state);
    let before = launch_for(&store, &me());
    let moved = folder.path().join("moved");
    fs::rename(&state, &moved).unwrap();
    let after = launch_for(&store, &me());
    for (state, task) in [(state, after), (moved, before)] {
        let later = StoreOptions::new(&state, |orphans| panic!("it runs: {orphans:?}"));
        let later = later.open().unwrap();
        assert_eq!(record_of(&later, task).exit, None);
    }
}

#[test]
fn after_the_folder_was_removed_whoever_waits_hears_of_changes_and_deaths() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let mut other = Other::new(&state);
    other.ask("push");
    drop(store.listen_to_all());
    remove(&state);
    let (later, _) = open(&state);
    let mut another = Other::new(&state);
    // By their names: what was pending in the folder that was removed comes back on the way.
    for (waits, pushes) in [(&store, &mut another), (&later, &mut other)] {
        let pushed: TaskId = pushes.ask("push").parse().unwrap();
        woken_until(waits, || waits.task(pushed).unwrap().is_some());
    }
    let lost: TaskId = another.ask("launch").parse().unwrap();
    another.kill();
    woken_until(&store, || record_of(&store, lost).status() == "lost");
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
fn who_launches_in_a_folder_that_was_removed_is_known_to_live() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    launch_for(&store, &me());
    remove(&state);
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
