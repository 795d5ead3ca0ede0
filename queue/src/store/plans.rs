//! No statement looks at all tasks to find a few, however many there are.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_core::{
    Ending, EventId, Exit, ExitStatus, Milestone, Notification, NotificationQueue, Owner, Spec,
    TaskId,
};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::{Selection, StoreOptions, rows};

#[test]
fn every_statement_finds_its_tasks_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(folder.path(), |orphans| vec![0; orphans.len()]);
    let store = options.open().unwrap();
    let with = |mut work: Box<dyn FnMut(&mut Connection)>| {
        let work = |db: &mut Connection| {
            work(db);
            Ok(())
        };
        store.shared.with("cannot look", work).unwrap();
    };
    let statements = Arc::new(Mutex::new(Vec::new()));
    let run = Arc::clone(&statements);
    with(Box::new(move |db| {
        let run = Arc::clone(&run);
        let note = move |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(_, sql) = event {
                run.lock().unwrap().push(sql.to_owned());
            }
        };
        db.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note))
            .unwrap();
    }));

    let me = Owner::new("me");
    let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
    let ids = [TaskId::random(), TaskId::random(), TaskId::random()];
    for id in ids {
        let milestone = Milestone::Launched {
            spec: &Spec::shell("make").owner(me.clone()),
            command: "make",
            at: exit.ended_at,
        };
        store.record(id, milestone);
    }
    store.record(ids[0], Milestone::Ended(&exit));
    for id in [ids[1], TaskId::random()] {
        store.push(Notification::ended(id, me.clone(), "make", exit.clone()));
    }
    store.pending(&me);
    let drained = store.drain(&me, usize::MAX, Duration::ZERO);
    assert_eq!(drained.len(), 2);
    store.release(&me, &[EventId::ended(ids[1])]);
    store.consume(&me, ids[1]);
    store.task(ids[2]).unwrap();
    store.tasks(Selection::Open, Some(&me)).unwrap();
    store.usual("make", None).unwrap();
    store.forget(Duration::ZERO).unwrap();
    store.recover().unwrap();
    // What recovery does for a process that died, and how a stop finds the one that has a task.
    with(Box::new(move |db| {
        rows::running_under(db, "nobody").unwrap();
        rows::supervisor(db, ids[2]).unwrap();
    }));

    let statements = std::mem::take(&mut *statements.lock().unwrap());
    let is_ours = |sql: &String| !sql.starts_with("--") && sql.contains("tasks");
    let ours: Vec<String> = statements.into_iter().filter(is_ours).collect();
    assert!(ours.len() > 15, "{ours:#?}");
    with(Box::new(move |db| {
        for sql in &ours {
            for step in plan(db, sql) {
                // Each of these indexes has a few tasks alone.
                let is_short = ["tasks_running", "tasks_pending", "tasks_held"]
                    .iter()
                    .any(|index| step.contains(index));
                assert!(!step.starts_with("SCAN") || is_short, "{step}: {sql}");
            }
        }
    }));
}

fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = plan.raw_query().mapped(|row| row.get(3));
    steps.map(Result::unwrap).collect()
}
