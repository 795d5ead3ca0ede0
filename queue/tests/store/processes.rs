//! Several processes share one store, and die.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use meanwhile_core::{
    EndedBy, Milestone, NotificationQueue, Orphan, Outcome, ProcessId, Spec, Stop, TaskId, Tasks,
};
use meanwhile_queue::{Notice, Selection, StopSent, StoreErrorKind, StoreOptions};
use rusqlite::Connection;

use crate::child::{Other, me, send};
use crate::manual::Manual;
use crate::support::{
    NOTHING, PATIENCE, database, drain, ending, launch, launch_for, new, notice_of, open,
    record_of, take, woken_until,
};

const NO_FILES: [PathBuf; 0] = [];

fn task(text: &str) -> TaskId {
    text.parse().unwrap_or_else(|_| panic!("a task: {text:?}"))
}

fn files_in_owners(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("owners")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn each_item_is_drained_by_one_process() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let mut others: Vec<_> = (0..4).map(|_| Other::new(&state)).collect();
    let mut pushed = BTreeSet::new();
    let mut drained = Vec::new();
    for _ in 0..20 {
        for _ in 0..10 {
            let told = ending(&me());
            pushed.insert(told.task_id);
            store.push(told);
        }
        store.sync(PATIENCE).unwrap();
        // All at once.
        others.iter_mut().for_each(|other| other.tell("drain"));
        for other in &others {
            drained.extend(other.answer().split_whitespace().map(task));
        }
    }
    assert_eq!(drained.len(), pushed.len(), "none of them twice");
    assert_eq!(BTreeSet::from_iter(drained), pushed);
}

#[test]
fn a_push_of_another_process_wakes_whoever_waits() {
    let (_folder, state) = new();
    let (store, warnings) = open(&state);
    let mut other = Other::new(&state);
    for _ in 0..20 {
        other.tell("push");
        woken_until(&store, || store.pending(&me()) == 1);
        assert_eq!(take(&store, &me()), [task(&other.answer())]);
    }
    assert_eq!(warnings.all(), NOTHING);
}

#[test]
fn the_death_of_another_process_wakes_whoever_waits() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    // Nobody looks for the dead here but the listener.
    let listener = store.listen_to_all();
    for _ in 0..5 {
        let mut other = Other::new(&state);
        let lost = task(&other.ask("launch"));
        other.kill();
        woken_until(&store, || store.pending(&me()) == 1);
        assert_eq!(take(&store, &me()), [lost]);
    }
    for _ in 0..5 {
        let mut other = Other::new(&state);
        let told = task(&other.ask("push"));
        assert_eq!(task(&other.ask("drain")), told);
        assert_eq!(store.pending(&me()), 0);
        other.kill();
        woken_until(&store, || store.pending(&me()) == 1);
        assert_eq!(take(&store, &me()), [told]);
    }
    drop(listener);
}

#[test]
fn deaths_shortly_after_one_another_are_all_heard() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let _listener = store.listen_to_all();
    let mut others: Vec<_> = (0..8).map(|_| Other::new(&state)).collect();
    for other in &mut others {
        other.ask("launch");
    }
    for other in &mut others {
        other.kill();
    }
    woken_until(&store, || store.pending(&me()) == 8);
}

#[test]
fn a_death_that_cannot_be_told_for_a_while_is_told_after_it() {
    let (_folder, state) = new();
    let looks = Arc::new(AtomicUsize::new(0));
    let store = {
        let looks = Arc::clone(&looks);
        let stop = move |orphans: &[Orphan]| {
            looks.fetch_add(1, Ordering::Relaxed);
            vec![0; orphans.len()]
        };
        StoreOptions::new(&state, stop).open().unwrap()
    };
    drop(store.listen_to_all());
    let mut other = Other::new(&state);
    let lost = task(&other.ask("launch"));
    let db = Connection::open(database(&state)).unwrap();
    db.execute_batch(
        "CREATE TRIGGER full BEFORE UPDATE ON tasks BEGIN SELECT raise(ABORT, 'full'); END",
    )
    .unwrap();
    other.kill();
    // Far more often than it is looked for one whose end can be told.
    let deadline = Instant::now() + PATIENCE;
    while looks.load(Ordering::Relaxed) < 6 {
        assert!(Instant::now() < deadline, "nobody tries it any more");
        thread::sleep(Duration::from_millis(10));
    }
    db.execute_batch("DROP TRIGGER full").unwrap();
    woken_until(&store, || store.pending(&me()) == 1);
    assert_eq!(take(&store, &me()), [lost]);
}

#[test]
fn what_a_killed_process_left_is_lost_once_and_what_it_drained_comes_back() {
    let (_folder, state) = new();
    let mut other = Other::new(&state);
    let told = task(&other.ask("push"));
    assert_eq!(task(&other.ask("drain")), told);
    let running = [task(&other.ask("launch")), task(&other.ask("launch"))];
    let ended = task(&other.ask("launch"));
    assert_eq!(task(&other.ask(&format!("push {ended}"))), ended);
    // What it pushed last may be lost with it, but is told as lost then.
    other.kill();

    let (store, _) = open(&state);
    let items = store.drain(&me(), usize::MAX, Duration::ZERO);
    let outcome = |task| {
        let mut items = items.iter().filter(|item| item.task_id == task);
        let outcome = items.next().map(|item| item.exit.outcome());
        assert_eq!(items.next(), None, "told once");
        outcome
    };
    assert_eq!(items.len(), 4);
    assert_eq!(outcome(told), Some(Outcome::Completed));
    assert_eq!(outcome(running[0]), Some(Outcome::Lost));
    assert_eq!(outcome(running[1]), Some(Outcome::Lost));
    assert!(outcome(ended).is_some());
    assert_eq!(take(&store, &me()).len(), 4);
    assert_eq!(store.recover().unwrap(), []);
    let (later, _) = open(&state);
    assert_eq!(later.pending(&me()), 0);
    assert_eq!(record_of(&later, running[0]).status(), "lost");
}

#[test]
fn orphans_are_named_with_their_leader_and_grace() {
    let (_folder, state) = new();
    let leader = ProcessId {
        pid: 4_000_000,
        start: 99,
    };
    let stopped = {
        let (store, _) = open(&state);
        let spec = Spec::shell("make")
            .owner(me())
            .grace(Duration::from_secs(3));
        let running = launch(&store, &spec);
        let started = Milestone::Started {
            at: SystemTime::now(),
            leader: Some(leader),
        };
        store.record(running, started);
        running
    };
    let mut other = Other::new(&state);
    let orphans = other.ask("orphans");
    for part in [
        stopped.to_string(),
        format!("{leader:?}"),
        "grace: 3s".into(),
    ] {
        assert!(orphans.contains(&part), "{part} in {orphans}");
    }
}

#[test]
fn survivors_of_the_stop_are_told() {
    let (_folder, state) = new();
    let task = {
        let (store, _) = open(&state);
        [launch_for(&store, &me()), launch_for(&store, &me())]
    };
    let store = StoreOptions::new(&state, |_| vec![0, 7]).open().unwrap();
    let survivors = |task| record_of(&store, task).exit.unwrap().survivors;
    assert_eq!(task.map(survivors), [0, 7]);
}

#[test]
fn whoever_exits_leaves_no_file_and_no_socket() {
    let (_folder, state) = new();
    let mut other = Other::new(&state);
    let running = task(&other.ask("serve"));
    assert_eq!(files_in_owners(&state).len(), 2);
    let (store, _) = open(&state);
    store.stop(running, Stop::by(EndedBy::User)).unwrap();
    other.exit();
    assert_eq!(files_in_owners(&state), NO_FILES);
    store.push(ending(&me()));
    drop(store);
    assert_eq!(files_in_owners(&state), NO_FILES);
}

#[test]
fn files_of_the_dead_are_removed_by_whoever_recovers() {
    let (_folder, state) = new();
    let mut others: Vec<_> = (0..5).map(|_| Other::new(&state)).collect();
    for other in &mut others {
        other.ask("serve");
        other.kill();
    }
    assert_eq!(files_in_owners(&state).len(), 10);
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()).len(), 5);
    drop(store);
    assert_eq!(files_in_owners(&state), NO_FILES);
}

#[test]
fn two_that_recover_at_once_tell_once() {
    let (_folder, state) = new();
    for _ in 0..10 {
        let mut dead = Other::new(&state);
        let lost: Vec<_> = (0..10).map(|_| task(&dead.ask("launch"))).collect();
        dead.kill();
        let mut others: Vec<_> = (0..3).map(|_| Other::closed(&state)).collect();
        others.iter_mut().for_each(|other| other.tell("open"));
        for other in &others {
            assert_eq!(other.answer(), "opened");
        }
        // Whoever came second may have found the first one at it, and left it to that one: which is done by now.
        let (store, _) = open(&state);
        assert_eq!(take(&store, &me()), lost);
    }
}

#[test]
fn a_recovery_that_is_killed_is_done_by_the_next() {
    let (_folder, state) = new();
    let mut dead = Other::new(&state);
    let lost = task(&dead.ask("launch"));
    dead.kill();
    let mut recoverer = Other::closed(&state);
    assert_eq!(recoverer.ask("open_and_hang"), "hangs");
    {
        let (store, _) = open(&state);
        assert_eq!(store.pending(&me()), 0, "somebody is at it");
        assert_eq!(record_of(&store, lost).exit, None);
    }
    // So that those who wait hear of its death as well.
    assert_eq!(files_in_owners(&state).len(), 2);
    recoverer.kill();
    let (store, _) = open(&state);
    assert_eq!(take(&store, &me()), [lost]);
    drop(store);
    assert_eq!(files_in_owners(&state), NO_FILES);
}

#[test]
fn a_task_is_stopped_by_the_process_that_has_it() {
    let (_folder, state) = new();
    let mut other = Other::new(&state);
    let running = task(&other.ask("serve"));
    let (store, _) = open(&state);
    let sent = store.stop(running, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::Passed);
    woken_until(&store, || record_of(&store, running).exit.is_some());
    let record = record_of(&store, running);
    assert_eq!(record.exit.unwrap().ended_by, EndedBy::User);
    let sent = store.stop(running, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::AlreadyEnded);
}

#[test]
fn the_grace_and_the_signal_of_a_stop_get_there() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let tasks = Tasks::new(Manual, store.clone());
    store.serve(&tasks).unwrap();
    let handle = tasks.launch(Spec::shell("make").owner(me())).unwrap();
    let mut other = Other::new(&state);
    assert_eq!(other.ask(&format!("stop {}", handle.id())), "Ok(Passed)");
    assert_eq!(handle.exit().unwrap().signal(), Some(15));
    let handle = tasks.launch(Spec::shell("make").owner(me())).unwrap();
    let stop = Stop::by(EndedBy::Agent).signal(2).grace(Duration::ZERO);
    assert_eq!(store.stop(handle.id(), stop).unwrap(), StopSent::Passed);
    assert_eq!(handle.exit().unwrap().signal(), Some(2));
}

#[test]
fn who_does_not_serve_cannot_be_asked() {
    let (_folder, state) = new();
    let mut other = Other::new(&state);
    let running = task(&other.ask("launch"));
    let (store, _) = open(&state);
    let error = store.stop(running, Stop::by(EndedBy::User)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    assert!(error.to_string().contains(running.as_str()), "{error}");
    assert_eq!(record_of(&store, running).exit, None);
}

#[test]
fn a_stop_finds_that_the_program_is_dead() {
    let (_folder, state) = new();
    let (store, _) = open(&state);
    let mut other = Other::new(&state);
    let running = task(&other.ask("serve"));
    other.kill();
    let sent = store.stop(running, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::AlreadyEnded);
    assert_eq!(record_of(&store, running).status(), "lost");
}

#[test]
fn a_process_that_cannot_be_looked_at_is_in_nobodys_way() {
    let (_folder, state) = new();
    let (mut dead, mut alive) = (Other::new(&state), Other::new(&state));
    let (lost, running) = (task(&dead.ask("launch")), task(&alive.ask("serve")));
    dead.kill();
    // The first and the last of all names.
    for name in ["0", "zzzzzzzz"] {
        let file = state.join(format!("owners/{name}.lock"));
        std::os::unix::fs::symlink(&file, &file).unwrap();
    }
    let (store, warnings) = open(&state);
    let warnings = warnings.all();
    assert!(warnings[0].contains("zzzzzzzz lives"), "{warnings:?}");
    assert_eq!(record_of(&store, lost).status(), "lost");
    let sent = store.stop(running, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::Passed);
}

#[test]
fn garbage_and_silence_do_not_keep_others_from_being_served() {
    let (_folder, state) = new();
    let mut other = Other::new(&state);
    let running = task(&other.ask("serve"));
    let socket = files_in_owners(&state)
        .into_iter()
        .find(|file| file.extension().is_some_and(|name| name == "sock"))
        .unwrap();
    let connect = || UnixStream::connect(&socket).unwrap();
    let silent: Vec<_> = (0..20).map(|_| connect()).collect();
    let mut half = connect();
    half.write_all(br#"{"stop":"#).unwrap();
    drop(connect());
    for garbage in [
        "",
        "{}",
        "\0\0",
        r#"{"stop":"../../x"}"#,
        &"x".repeat(100_000),
    ] {
        // The other end may have closed before all of it is sent.
        let answer = send(&socket, garbage);
        if let Ok(answer) = answer {
            assert!(answer.contains("refused"), "{garbage:.20} -> {answer}");
        }
    }
    connect().write_all(&[0xff; 10_000]).unwrap();
    let (store, _) = open(&state);
    let sent = store.stop(running, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::Passed);
    woken_until(&store, || record_of(&store, running).exit.is_some());
    drop((silent, half));
}

#[test]
fn another_user_is_refused() {
    let setpriv = ["--reuid", "65534", "--clear-groups", "--inh-caps=-all"];
    let possible = Command::new("setpriv")
        .args(setpriv)
        .args(["test", "-x"])
        .arg(std::env::current_exe().unwrap())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !possible {
        eprintln!("skipped: nobody else can be had here to run this program");
        return;
    }
    let (folder, state) = new();
    let mut other = Other::new(&state);
    let running = task(&other.ask("serve"));
    let open_to_all = |path: &Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    };
    for path in [folder.path(), &state, &state.join("owners")] {
        open_to_all(path);
    }
    let socket = files_in_owners(&state)
        .into_iter()
        .find(|file| file.extension().is_some_and(|name| name == "sock"))
        .unwrap();
    open_to_all(&socket);
    let mut nobody = {
        let mut command = Command::new("setpriv");
        command.args(setpriv);
        Other::under(command, &state)
    };
    let request = format!(r#"{{"stop":"{running}","by":"user","grace":null,"signal":null}}"#);
    let answer = nobody.ask(&format!("send {} {request}", socket.display()));
    assert!(answer.contains("only the user"), "{answer}");
    let (store, _) = open(&state);
    assert_eq!(record_of(&store, running).exit, None);
    assert!(send(&socket, &request).unwrap().contains("passed"));
}

#[test]
fn a_state_folder_with_a_long_path_works() {
    let (_folder, state) = new();
    let state = state.join("x".repeat(200)).join("y".repeat(200));
    let mut other = Other::new(&state);
    let running = task(&other.ask("serve"));
    let (store, _) = open(&state);
    assert_eq!(
        store.stop(running, Stop::by(EndedBy::User)).unwrap(),
        StopSent::Passed
    );
    woken_until(&store, || store.pending(&me()) == 1);
    other.exit();
    assert_eq!(files_in_owners(&state), NO_FILES);
}

#[test]
fn a_relative_folder_is_that_of_the_opening() {
    let (folder, _) = new();
    let mut command = Command::new("env");
    command.current_dir(folder.path());
    let mut other = Other::under(command, Path::new("state"));
    assert_eq!(other.ask("open"), "opened");
    let running = task(&other.ask("serve"));
    let (store, _) = open(&folder.path().join("state"));
    assert_eq!(
        store.stop(running, Stop::by(EndedBy::User)).unwrap(),
        StopSent::Passed
    );
    assert_eq!(other.ask("wait"), "woken");
    for _ in 0..10 {
        take(&store, &me());
        other.tell("wait");
        store.push(ending(&me()));
        assert_eq!(other.answer(), "woken");
    }
}

#[test]
fn many_may_make_the_store_at_once() {
    let (_folder, state) = new();
    let mut others: Vec<_> = (0..50).map(|_| Other::closed(&state)).collect();
    others.iter_mut().for_each(|other| other.tell("open"));
    for other in &others {
        assert_eq!(other.answer(), "opened");
    }
    others.iter_mut().for_each(|other| other.tell("launch"));
    let mut launched: Vec<_> = others.iter().map(|other| task(&other.answer())).collect();
    others.iter_mut().for_each(|other| other.tell("push"));
    launched.extend(others.iter().map(|other| task(&other.answer())));
    others.into_iter().for_each(Other::exit);
    let (store, warnings) = open(&state);
    let mut tasks: Vec<_> = store.tasks(Selection::All, None).unwrap();
    tasks.sort_by_key(|task| task.id);
    launched.sort();
    assert_eq!(
        tasks.iter().map(|task| task.id).collect::<Vec<_>>(),
        launched
    );
    assert!(tasks.iter().all(|task| task.notice == Notice::Pending));
    assert_eq!(warnings.all(), NOTHING);
}

#[test]
fn a_store_that_was_killed_while_it_was_made_is_made_by_the_next() {
    for cut in [0, 1, 2] {
        let (_folder, state) = new();
        fs::create_dir(&state).unwrap();
        match cut {
            0 => {}
            1 => fs::write(state.join("lock"), "").unwrap(),
            _ => fs::write(state.join("store.db"), "").unwrap(),
        }
        let (store, warnings) = open(&state);
        store.push(ending(&me()));
        assert_eq!(drain(&store, &me()).len(), 1);
        assert_eq!(warnings.all(), NOTHING);
    }
}

/// Workers are killed at random points of what they do. What they said they did holds.
#[test]
fn nothing_is_lost_or_told_again_however_processes_die() {
    let (_folder, state) = new();
    let rounds = 12;
    let mut random = Random::seeded();
    let mut said = Vec::new();
    let mut workers: Vec<Other> = Vec::new();
    for _ in 0..rounds {
        while workers.len() < 3 {
            let mut worker = Other::new(&state);
            worker.tell("work");
            workers.push(worker);
        }
        let victim = random.below(workers.len());
        for _ in 0..random.below(60) {
            said.push(workers[victim].answer());
        }
        let mut victim = workers.swap_remove(victim);
        victim.kill();
        said.extend(victim.rest());
    }
    for mut worker in workers {
        worker.kill();
        said.extend(worker.rest());
    }
    let (store, warnings) = open(&state);
    let left: BTreeSet<_> = take(&store, &me()).into_iter().collect();

    let mut launched = BTreeSet::new();
    let mut seen = left.clone();
    let mut acknowledged: BTreeMap<TaskId, u32> = BTreeMap::new();
    for line in &said {
        let (what, tasks) = line.split_once(' ').unwrap_or((line, ""));
        for task in tasks.split_whitespace().map(task) {
            match what {
                "launched" => drop(launched.insert(task)),
                "drained" => drop(seen.insert(task)),
                _ => *acknowledged.entry(task).or_default() += 1,
            }
        }
    }
    assert!(acknowledged.len() > rounds, "they did little: {said:?}");
    for task in &launched {
        // Acknowledged, and killed before that was said: the database knows.
        let is_told = seen.contains(task) || notice_of(&store, *task) == Notice::Told;
        assert!(is_told, "{task} was told to nobody");
    }
    for (task, times) in &acknowledged {
        assert_eq!(*times, 1, "{task} was told again");
        assert!(!left.contains(task), "{task} came back");
    }
    for task in store.tasks(Selection::All, None).unwrap() {
        assert_ne!(task.exit, None, "{} is not over", task.id);
    }
    assert_eq!(warnings.all(), NOTHING);
    drop(store);
    assert_eq!(files_in_owners(&state), NO_FILES);
}

/// Enough chance for tests, and the same again for the same seed.
struct Random(u64);

impl Random {
    /// With `$MEANWHILE_SEED`, or a new seed, which is printed.
    fn seeded() -> Self {
        let given = std::env::var("MEANWHILE_SEED").ok();
        let seed = given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap().as_nanos() as u64
        });
        println!("MEANWHILE_SEED={seed}");
        Self(seed | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        // Xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
