//! What is recorded of a task is read back, by whoever opens the store next.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use meanwhile_core::{
    EndedBy, Ending, EventId, Exit, ExitStatus, Milestone, Notification, NotificationQueue, Notify,
    Owner, ProcessId, Spec, Stop, TaskId, Tasks,
};
use meanwhile_queue::{Notice, Selection, StopSent, Store, StoreErrorKind};
use rusqlite::Connection;

use crate::child::me;
use crate::manual::Manual;
use crate::support::{
    LEASE, completed, drain, ending, ending_of, launch, launch_for, notice_of, open, record_of,
    take,
};

/// Closes the store and opens it again.
fn reopen(store: Store) -> Store {
    let folder = store.folder().to_owned();
    drop(store);
    open(&folder).0
}

/// A store in a new folder, which goes with the first of the pair.
fn new() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state")).0;
    (folder, store)
}

fn exit(status: ExitStatus, by: EndedBy) -> Exit {
    Exit::new(Ending::of(status).ended_by(by))
}

/// As the database has it: in microseconds.
fn rounded(time: SystemTime) -> u128 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_micros()
}

#[test]
fn every_milestone_is_read_back_after_a_reopen() {
    let (_folder, store) = new();
    let not_utf8 = Path::new(OsStr::from_bytes(b"/tmp/\xff\xfe x"));
    let spec = Spec::shell("make -j4")
        .description("build")
        .owner(me())
        .cwd(not_utf8)
        .env("TOKEN", "s3cr3t")
        .env_remove("HOME")
        .timeout(Duration::from_millis(90_500))
        .grace(Duration::from_secs(7));
    let before = SystemTime::now();
    let task = launch(&store, &spec);

    let record = record_of(&store, task);
    assert_eq!(record.status(), "queued");
    assert_eq!(record.command, spec.command());
    assert_eq!(record.description.as_deref(), Some("build"));
    assert_eq!(record.session, me());
    assert_eq!(record.cwd.as_deref(), Some(not_utf8));
    assert_eq!(record.env, ["TOKEN", "HOME"]);
    assert_eq!(record.timeout, Some(Duration::from_millis(90_500)));
    assert_eq!(record.grace, Duration::from_secs(7));
    assert!(rounded(record.launched_at) >= rounded(before));
    assert_eq!((record.started_at, record.leader), (None, None));
    assert_eq!((record.stdout, record.stderr), (None, None));
    assert_eq!((record.exit, record.notice), (None, Notice::None));

    let stderr = PathBuf::from("/tmp/err");
    store.record(
        task,
        Milestone::Accepted {
            stdout: Some(not_utf8),
            stderr: Some(&stderr),
        },
    );
    let at = SystemTime::now();
    // The number is of 64 bits on some systems, and SQLite's are signed.
    let leader = ProcessId {
        pid: 77,
        start: u64::MAX,
    };
    store.record(
        task,
        Milestone::Started {
            at,
            leader: Some(leader),
        },
    );
    let record = record_of(&store, task);
    assert_eq!(record.status(), "running");
    assert_eq!(record.stdout.as_deref(), Some(not_utf8));
    assert_eq!(record.stderr, Some(stderr));
    assert_eq!(record.leader, Some(leader));
    assert_eq!(rounded(record.started_at.unwrap()), rounded(at));

    let mut exit = exit(ExitStatus::Signal(9), EndedBy::Timeout);
    exit.started_at = Some(at);
    exit.duration = Duration::from_nanos(1_234_567_891);
    exit.output.bytes = u64::MAX;
    exit.survivors = 3;
    let notification = Notification::ended(task, me(), &spec.command(), exit.clone())
        .described(Some("build"))
        .with_output_path(Some("/tmp/out".into()));
    store.push(notification);
    let store = reopen(store);
    let record = record_of(&store, task);
    assert_eq!(record.status(), "timed_out");
    assert_eq!(record.exit, Some(exit));
    assert_eq!(record.notice, Notice::Pending);
    assert_eq!(record.elapsed(), Duration::from_nanos(1_234_567_891));
    assert_eq!(record.leader, Some(leader));
    let told = store.drain(&me(), 1, LEASE);
    assert_eq!(Some(&told[0]), record.notification().as_ref());
}

#[test]
fn values_of_the_environment_are_nowhere_in_the_folder() {
    let (_folder, store) = new();
    launch(&store, &Spec::shell("make").env("TOKEN", "hunter2hunter2"));
    let folder = store.folder().to_owned();
    drop(store);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let content = fs::read(&path).unwrap_or_default();
        let found = content.windows(14).any(|bytes| bytes == b"hunter2hunter2");
        assert!(!found, "in {}", path.display());
    }
}

#[test]
fn only_the_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, store) = new();
    launch_for(&store, &me());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.folder()), 0o700);
    for entry in fs::read_dir(store.folder()).unwrap() {
        let path = entry.unwrap().path();
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
}

#[test]
fn open_tasks_are_those_that_run_and_those_that_wait_to_be_told() {
    let (_folder, store) = new();
    let you = Owner::new("you");
    let running = launch_for(&store, &me());
    let waits = launch_for(&store, &me());
    let told = launch_for(&store, &me());
    let theirs = launch_for(&store, &you);
    store.push(ending_of(told, &me()));
    assert_eq!(take(&store, &me()), [told]);
    store.push(ending_of(waits, &me()));
    // Who has drained it may die before anybody is told.
    assert_eq!(drain(&store, &me()), [waits]);

    let store = &store;
    let listed = |selection, session: Option<&Owner>| {
        let tasks = store.tasks(selection, session).unwrap();
        tasks.iter().map(|task| task.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(Selection::Open, Some(&me())), [running, waits]);
    assert_eq!(listed(Selection::Open, None), [running, waits, theirs]);
    assert_eq!(listed(Selection::All, Some(&me())), [running, waits, told]);
    assert_eq!(listed(Selection::All, None), [running, waits, told, theirs]);
    assert_eq!(listed(Selection::All, Some(&Owner::new("nobody"))), []);
}

#[test]
fn what_a_holder_was_told_is_recorded_and_told_nobody_else() {
    let (_folder, store) = new();
    let tasks = Tasks::new(Manual, store.clone());
    let attached = tasks
        .launch_attached(Spec::shell("make").owner(me()))
        .unwrap();
    let id = attached.handle().id();
    attached.handle().stop(Stop::by(EndedBy::User));
    let record = record_of(&store, id);
    assert_eq!(
        (record.status(), record.notice),
        ("stopped", Notice::None),
        "its holder has it"
    );
    assert_eq!(store.pending(&me()), 0);
    drop(attached);
    assert_eq!(
        drain(&store, &me()),
        [id],
        "let go of after its end, it is told by the queue"
    );
    assert_eq!(notice_of(&store, id), Notice::Pending);
}

#[test]
fn a_success_that_nobody_wants_to_hear_of_is_recorded_and_not_told() {
    let (_folder, store) = new();
    let tasks = Tasks::new(Manual, store.clone());
    let spec = Spec::shell("make").owner(me()).notify(Notify::OnFailure);
    let completed = tasks.launch(spec.clone()).unwrap();
    completed.stop(Manual::completes());
    let failed = tasks.launch(spec).unwrap();
    failed.stop(Stop::by(EndedBy::Agent));
    assert_eq!(drain(&store, &me()), [failed.id()]);
    let record = record_of(&store, completed.id());
    assert_eq!(
        (record.status(), record.notice),
        ("completed", Notice::None)
    );
}

#[test]
fn a_command_takes_the_median_of_its_last_five_runs() {
    let (_folder, store) = new();
    let here = Path::new("/here");
    let run = |seconds: u64, status, by| {
        let task = launch(&store, &Spec::shell("make").owner(me()).cwd(here));
        let mut exit = exit(status, by);
        exit.duration = Duration::from_secs(seconds);
        store.push(Notification::ended(task, me(), "make", exit));
    };
    let usual = |cwd| {
        // Whatever was pushed is in the history once it can be drained.
        drain(&store, &me());
        let usual = store.usual("make", cwd).unwrap();
        usual.map(|usual| (usual.duration.as_secs(), usual.runs))
    };
    assert_eq!(usual(Some(here)), None);
    run(1000, ExitStatus::Code(0), EndedBy::Timeout);
    run(1000, ExitStatus::Code(0), EndedBy::Agent);
    run(1000, ExitStatus::Signal(11), EndedBy::Itself);
    run(1000, ExitStatus::Lost, EndedBy::Unknown);
    assert_eq!(usual(Some(here)), None, "none of them ended by itself");
    run(90, ExitStatus::Code(0), EndedBy::Itself);
    assert_eq!(usual(Some(here)), Some((90, 1)));
    for seconds in [1, 5, 2, 4] {
        run(seconds, ExitStatus::Code(1), EndedBy::Itself);
    }
    assert_eq!(usual(Some(here)), Some((4, 5)));
    run(3, ExitStatus::Code(0), EndedBy::Itself);
    assert_eq!(usual(Some(here)), Some((3, 5)), "the first is too long ago");
    let db = Connection::open(store.folder().join("store.db")).unwrap();
    let kept = "SELECT count(*) FROM durations";
    assert_eq!(db.query_one(kept, [], |row| row.get(0)), Ok(5));
    assert_eq!(usual(Some(Path::new("/there"))), None);
    assert_eq!(usual(None), None);
    drain(&store, &me());
    store.forget(Duration::ZERO).unwrap();
    assert_eq!(usual(Some(here)), Some((3, 5)));
}

#[test]
fn only_old_tasks_that_were_told_are_forgotten_with_their_files() {
    let (folder, store) = new();
    let spool = store.spool_dir();
    fs::create_dir_all(&spool).unwrap();
    let elsewhere = folder.path().join("precious");
    let hidden = spool.join("../../precious");
    let gone = spool.join("gone");
    let in_spool = |name: &str| spool.join(name);
    let ended = |at: SystemTime, files: [&Path; 2]| {
        let task = launch_for(&store, &me());
        store.record(
            task,
            Milestone::Accepted {
                stdout: Some(files[0]),
                stderr: Some(files[1]),
            },
        );
        let mut exit = completed();
        exit.ended_at = at;
        store.record(task, Milestone::Ended(&exit));
        task
    };
    for file in [
        &elsewhere,
        &in_spool("old"),
        &in_spool("err"),
        &in_spool("new"),
    ] {
        fs::write(file, [b'x'; 10_000]).unwrap();
    }
    let now = SystemTime::now();
    let long_ago = now - Duration::from_secs(1000);
    let old = ended(long_ago, [&in_spool("old"), &in_spool("err")]);
    let outside = ended(long_ago, [&elsewhere, &hidden]);
    let without = ended(long_ago, [&gone, &gone]);
    let new = ended(now, [&in_spool("new"), &gone]);
    let running = launch_for(&store, &me());
    let unread = launch_for(&store, &me());
    let mut exit = completed();
    exit.ended_at = long_ago;
    store.push(Notification::ended(unread, me(), "make", exit));

    let forgotten = store.forget(Duration::from_secs(500)).unwrap();
    assert_eq!(forgotten.tasks, 3);
    assert!(
        (20_000..100_000).contains(&forgotten.bytes),
        "{forgotten:?}"
    );
    for task in [old, outside, without] {
        assert_eq!(store.task(task).unwrap(), None);
    }
    for task in [new, running, unread] {
        record_of(&store, task);
    }
    assert!(!in_spool("old").exists() && !in_spool("err").exists());
    assert!(in_spool("new").exists());
    assert!(elsewhere.exists(), "not made by a task of this store");

    assert_eq!(take(&store, &me()), [unread]);
    assert_eq!(store.forget(Duration::MAX).unwrap().tasks, 0);
    assert_eq!(store.forget(Duration::ZERO).unwrap().tasks, 2);
    let left = store.tasks(Selection::All, None).unwrap();
    assert_eq!(left.len(), 1, "what runs is not forgotten");
}

#[test]
fn more_than_one_batch_is_forgotten() {
    let (_folder, store) = new();
    for _ in 0..1_203 {
        let task = launch_for(&store, &me());
        store.record(task, Milestone::Ended(&completed()));
    }
    assert_eq!(store.forget(Duration::ZERO).unwrap().tasks, 1_203);
}

#[test]
fn a_long_command_is_kept_whole_and_told_short() {
    let (_folder, store) = new();
    let command = format!("echo {}é", "x".repeat(300_000));
    let spec = Spec::shell(&command).owner(me());
    let task = launch(&store, &spec);
    let told = Notification::ended(task, me(), &spec.command(), completed());
    store.push(told.clone());
    let store = reopen(store);
    let record = record_of(&store, task);
    assert_eq!(record.command, spec.command());
    assert_eq!(record.notification().as_ref(), Some(&told));
    let drained = store.drain(&me(), 1, LEASE);
    assert_eq!(drained[0], told);
    assert!(drained[0].command.len() <= Notification::MAX_COMMAND);
    assert_eq!(store.usual(&spec.command(), None).unwrap(), None);
}

#[test]
fn sessions_of_any_name_are_apart() {
    let (_folder, store) = new();
    let names = [
        "",
        " ",
        "a",
        "A",
        "a%",
        "a_",
        "'; DROP TABLE tasks; --",
        "\0",
        "a\0b",
        "ünï",
        "\u{202e}\n",
    ];
    let tasks = names.map(|name| {
        let owner = Owner::new(name);
        let task = launch_for(&store, &owner);
        store.push(ending_of(task, &owner));
        task
    });
    let store = reopen(store);
    for (name, task) in names.iter().zip(tasks) {
        let owner = Owner::new(*name);
        assert_eq!(store.pending(&owner), 1, "{name:?}");
        assert_eq!(record_of(&store, task).session, owner);
        assert_eq!(take(&store, &owner), [task], "{name:?}");
    }
}

#[test]
fn an_ending_whose_launch_was_never_seen_is_told_and_recorded() {
    let (_folder, store) = new();
    let told = ending(&me()).described(Some("what for"));
    store.push(told.clone());
    let store = reopen(store);
    let record = record_of(&store, told.task_id);
    assert_eq!(record.exit.as_ref(), Some(&told.exit));
    assert_eq!(record.notification().as_ref(), Some(&told));
    assert_eq!(take(&store, &me()), [told.task_id]);
    assert_eq!(notice_of(&store, told.task_id), Notice::Told);
}

#[test]
fn an_ending_that_is_pushed_twice_is_told_once() {
    let (_folder, store) = new();
    let task = launch_for(&store, &me());
    let told = ending_of(task, &me());
    store.push(told.clone());
    store.push(told.clone());
    assert_eq!(take(&store, &me()), [task]);
    store.push(told);
    assert_eq!(store.pending(&me()), 0);
    assert_eq!(notice_of(&store, task), Notice::Told);
}

#[test]
fn milestones_of_a_task_that_is_not_there_are_ignored() {
    let (_folder, store) = new();
    let task = TaskId::random();
    let started = Milestone::Started {
        at: SystemTime::now(),
        leader: None,
    };
    store.record(task, started);
    store.record(task, Milestone::Ended(&completed()));
    store.consume(&me(), task);
    store.release(&me(), &[EventId::ended(task)]);
    assert_eq!(store.task(task).unwrap(), None);
    let error = store.stop(task, Stop::by(EndedBy::User)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::UnknownTask);
    assert!(error.to_string().contains(task.as_str()), "{error}");
}

#[test]
fn a_consumed_ending_is_not_told_and_its_record_stays() {
    let (_folder, store) = new();
    let task = launch_for(&store, &me());
    store.push(ending_of(task, &me()));
    store.consume(&Owner::new("you"), task);
    assert_eq!(store.pending(&me()), 1, "it is not theirs");
    store.consume(&me(), task);
    let store = reopen(store);
    assert_eq!(store.pending(&me()), 0);
    let record = record_of(&store, task);
    assert_eq!(
        (record.status(), record.notice),
        ("completed", Notice::Told)
    );
}

#[test]
fn words_for_each_state() {
    let (_folder, store) = new();
    let word = |status, by| {
        let task = launch_for(&store, &me());
        store.push(Notification::ended(task, me(), "make", exit(status, by)));
        record_of(&store, task).status()
    };
    assert_eq!(word(ExitStatus::Code(0), EndedBy::Itself), "completed");
    assert_eq!(word(ExitStatus::Code(3), EndedBy::Itself), "failed");
    assert_eq!(word(ExitStatus::Signal(15), EndedBy::Agent), "stopped");
    assert_eq!(word(ExitStatus::NeverStarted, EndedBy::User), "stopped");
    assert_eq!(word(ExitStatus::Lost, EndedBy::Unknown), "lost");
    let ending = Ending::failed_to_start("no such program: nmp", Some(2));
    assert_eq!(word(ending.status, ending.ended_by), "failed_to_start");
}

#[test]
fn a_wrong_clock_keeps_no_ending_from_being_told() {
    let (_folder, store) = new();
    let day = Duration::from_secs(86_400);
    let times = [
        SystemTime::UNIX_EPOCH - day,
        SystemTime::UNIX_EPOCH,
        SystemTime::now() + 400_000 * day,
    ];
    let tasks = times.map(|at| {
        let task = launch_for(&store, &me());
        let mut exit = completed();
        exit.started_at = Some(at);
        exit.ended_at = at;
        store.push(Notification::ended(task, me(), "make", exit));
        task
    });
    let store = reopen(store);
    assert_eq!(take(&store, &me()), tasks);
    // Who asks for all that is over means what ended in a wrong future, too.
    assert_eq!(store.forget(day).unwrap().tasks, 2);
    assert_eq!(store.forget(Duration::ZERO).unwrap().tasks, 1);
}

#[test]
fn what_ran_in_a_store_that_was_closed_is_lost_and_its_late_end_changes_nothing() {
    let (_folder, store) = new();
    let task = launch_for(&store, &me());
    let store = reopen(store);
    let record = record_of(&store, task);
    assert_eq!((record.status(), record.notice), ("lost", Notice::Pending));
    // Its program was not dead after all.
    store.record(task, Milestone::Ended(&completed()));
    assert_eq!(record_of(&store, task).status(), "lost");
    store.push(ending_of(task, &me()));
    assert_eq!(take(&store, &me()), [task]);
    store.push(ending_of(task, &me()));
    assert_eq!(store.pending(&me()), 0);
    assert_eq!(record_of(&store, task).status(), "lost");
}

#[test]
fn what_was_drained_and_not_acknowledged_comes_back_when_the_store_is_closed() {
    let (_folder, store) = new();
    let told = ending(&me());
    store.push(told.clone());
    assert_eq!(drain(&store, &me()), [told.task_id]);
    let store = reopen(store);
    assert_eq!(take(&store, &me()), [told.task_id]);
}

#[test]
fn a_task_that_is_over_is_not_stopped() {
    let (_folder, store) = new();
    let task = launch_for(&store, &me());
    store.push(ending_of(task, &me()));
    let sent = store.stop(task, Stop::by(EndedBy::User)).unwrap();
    assert_eq!(sent, StopSent::AlreadyEnded);
}

#[test]
fn sync_returns_when_all_is_safe() {
    let (_folder, store) = new();
    store.sync(Duration::ZERO).unwrap();
    for _ in 0..1000 {
        store.push(ending(&me()));
    }
    store.sync(crate::support::PATIENCE).unwrap();
}
