use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use meanwhile_core::{
    Ending, Exit, ExitStatus, Milestone, Notification, NotificationQueue, Owner, Spec,
};
use meanwhile_queue::StoreOptions;
use tempfile::TempDir;

use super::*;

struct Trial {
    folder: TempDir,
    store: Store,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreOptions::new(folder.path().join("state"), |_| Vec::new());
        Self {
            store: store.open().unwrap(),
            folder,
        }
    }

    fn looker(&self, scope: Scope) -> Looker {
        Looker::new(self.store.clone(), scope)
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    fn launch(&self, session: &str) -> TaskId {
        let id = TaskId::random();
        let spec = Spec::shell("make").owner(Owner::new(session));
        let launched = Milestone::Launched {
            spec: &spec,
            command: "make",
            at: SystemTime::now(),
        };
        self.store.record(id, launched);
        let output = self.output();
        let accepted = Milestone::Accepted {
            stdout: Some(&output),
            stderr: None,
        };
        self.store.record(id, accepted);
        id
    }

    fn start(&self, session: &str) -> TaskId {
        let id = self.launch(session);
        let started = Milestone::Started {
            at: SystemTime::now(),
            leader: None,
        };
        self.store.record(id, started);
        id
    }

    fn end(&self, id: TaskId, session: &str) {
        let exit = Exit::new(Ending::of(ExitStatus::Code(0)));
        let ended = Notification::ended(id, Owner::new(session), "make", exit);
        self.store.push(ended);
    }

    fn read(&self, session: &str) {
        let owner = Owner::new(session);
        let told = self
            .store
            .drain(&owner, usize::MAX, Duration::from_secs(60));
        let events: Vec<_> = told.iter().map(|item| item.event_id).collect();
        self.store.acknowledge(&owner, &events);
    }
}

fn ids(rows: &Rows) -> Vec<TaskId> {
    rows.rows.iter().map(|row| row.id).collect()
}

#[test]
fn what_runs_comes_first_and_what_ended_last_the_newest_first() {
    let trial = Trial::new();
    let early = trial.start("a");
    let queued = trial.launch("a");
    let running = trial.start("b");
    let late = trial.start("a");
    trial.end(early, "a");
    trial.end(late, "a");
    let rows = trial
        .looker(Scope::default())
        .look(Occasion::Change)
        .unwrap();
    assert_eq!(ids(&rows), [running, queued, late, early]);
    assert_eq!((rows.running, rows.queued, rows.unread), (1, 1, 2));

    let scope = Scope {
        session: Some(Owner::new("b")),
        ..Scope::default()
    };
    let rows = trial.looker(scope).look(Occasion::Change).unwrap();
    assert_eq!(ids(&rows), [running]);
}

#[test]
fn the_last_line_is_what_a_terminal_would_show() {
    let trial = Trial::new();
    let id = trial.start("a");
    let last_line = |output: &str| {
        fs::write(trial.output(), output).unwrap();
        let mut looker = trial.looker(Scope::default());
        let rows = looker.look(Occasion::Time).unwrap().rows;
        assert_eq!(rows[0].id, id);
        match &rows[0].state {
            State::Running(running) => running.last_line.clone(),
            other => panic!("{other:?}"),
        }
    };
    for (output, shown) in [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("10 %\r20 %\r", "20 %"),
        ("\x1b[31mred\x1b[0m", "red"),
    ] {
        assert_eq!(last_line(output), shown, "{output:?}");
    }
}

#[test]
fn those_that_were_told_are_there_on_request_and_stay_until_a_change() {
    let trial = Trial::new();
    let id = trial.start("a");
    trial.end(id, "a");
    trial.read("a");
    let mut looker = trial.looker(Scope::default());
    assert_eq!(ids(&looker.look(Occasion::Change).unwrap()), []);
    looker.set_scope(Scope {
        ended: EndedTasks::All,
        ..Scope::default()
    });
    for occasion in [Occasion::Change, Occasion::Time, Occasion::Time] {
        let rows = looker.look(occasion).unwrap();
        assert_eq!(ids(&rows), [id]);
        assert_eq!(rows.unread, 0);
    }
    looker.set_scope(Scope::default());
    assert_eq!(ids(&looker.look(Occasion::Change).unwrap()), []);
}

#[test]
fn no_more_is_kept_than_anybody_reads() {
    let trial = Trial::new();
    let ended: Vec<TaskId> = (0..KEPT + 7).map(|_| trial.start("a")).collect();
    for id in &ended {
        trial.end(*id, "a");
    }
    for _ in 0..KEPT + 5 {
        trial.launch("a");
    }
    let rows = trial
        .looker(Scope::default())
        .look(Occasion::Change)
        .unwrap();
    assert_eq!(rows.rows.len(), 2 * KEPT);
    assert_eq!(rows.left_out, 12);
    assert_eq!((rows.queued, rows.unread), (KEPT + 5, KEPT + 7));
    assert_eq!(rows.rows[KEPT].id, ended[KEPT + 6], "the newest");
}
