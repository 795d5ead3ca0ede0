//! What a queue that keeps records is told, and when.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::backend::Backend;
use common::queue::List;
use meanwhile_core::{
    Ending, EventId, EventListener, Milestone, Notification, NotificationQueue, Notify, Owner,
    ProcessId, Report, Spec, TaskId, Tasks,
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Launched(String),
    Accepted(Option<PathBuf>),
    Started(Option<ProcessId>),
    Ended,
    Pushed,
}

/// A queue that remembers what it was told of all tasks.
#[derive(Debug, Clone)]
struct Diary {
    list: List,
    told: Arc<Mutex<Vec<Told>>>,
    /// Of a task that ends just when it is told that a backend has it.
    ends: Arc<Mutex<Option<Report>>>,
}

impl Diary {
    fn new() -> Self {
        Self {
            list: List::new(),
            told: Arc::default(),
            ends: Arc::default(),
        }
    }

    fn note(&self, told: Told) {
        self.told.lock().unwrap().push(told);
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

impl NotificationQueue for Diary {
    fn push(&self, notification: Notification) {
        self.note(Told::Pushed);
        self.list.push(notification);
    }

    fn drain(&self, owner: &Owner, max: usize, lease: Duration) -> Arc<Vec<Notification>> {
        self.list.drain(owner, max, lease)
    }

    fn acknowledge(&self, owner: &Owner, events: &[EventId]) {
        self.list.acknowledge(owner, events);
    }

    fn release(&self, owner: &Owner, events: &[EventId]) {
        self.list.release(owner, events);
    }

    fn consume(&self, owner: &Owner, task: TaskId) {
        self.list.consume(owner, task);
    }

    fn pending(&self, owner: &Owner) -> usize {
        self.list.pending(owner)
    }

    fn listen(&self, owner: &Owner) -> EventListener {
        self.list.listen(owner)
    }

    fn record(&self, _: TaskId, milestone: Milestone<'_>) {
        if matches!(milestone, Milestone::Accepted { .. })
            && let Some(report) = self.ends.lock().unwrap().take()
        {
            report.exited(Ending::lost());
        }
        self.note(match milestone {
            Milestone::Launched { command, .. } => Told::Launched(command.to_owned()),
            Milestone::Accepted { stdout, .. } => Told::Accepted(stdout.map(ToOwned::to_owned)),
            Milestone::Started { leader, .. } => Told::Started(leader),
            Milestone::Ended(_) => Told::Ended,
            _ => panic!("a milestone that this test does not know"),
        });
    }
}

fn tasks() -> (Tasks, Backend, Diary) {
    let (backend, diary) = (Backend::new(), Diary::new());
    (Tasks::new(backend.clone(), diary.clone()), backend, diary)
}

fn spool_of(task: TaskId) -> Option<PathBuf> {
    Some(PathBuf::from(format!("/spool/{task}")))
}

#[test]
fn a_task_in_the_background_is_told_from_its_launch_to_its_end() {
    let (tasks, backend, diary) = tasks();
    let handle = common::launch(&tasks, "make");
    let launched = Told::Launched("make".to_owned());
    let accepted = Told::Accepted(spool_of(handle.id()));
    assert_eq!(diary.told(), [launched, accepted], "before launch returns");

    let leader = ProcessId { pid: 7, start: 11 };
    let report = backend.report(&handle);
    report.started_as(leader);
    report.started();
    assert_eq!(diary.told()[2..], [Told::Started(Some(leader))], "once");
    report.exited(Ending::lost());
    assert_eq!(diary.told()[3..], [Told::Pushed]);
}

#[test]
fn a_task_is_told_before_any_backend_has_it() {
    let diary = Diary::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (told, by_then) = (diary.clone(), Arc::clone(&seen));
    let backend = Backend::with(move |_, report| {
        *by_then.lock().unwrap() = told.told();
        Some(report)
    });
    let tasks = Tasks::new(backend, diary);
    common::launch(&tasks, "make");
    assert_eq!(*seen.lock().unwrap(), [Told::Launched("make".to_owned())]);
}

#[test]
fn an_end_is_told_after_the_files_of_the_output_however_soon_it_comes() {
    let diary = Diary::new();
    let ends = Arc::clone(&diary.ends);
    let backend = Backend::with(move |_, report| {
        *ends.lock().unwrap() = Some(report);
        None
    });
    let tasks = Tasks::new(backend, diary.clone());
    let handle = common::launch(&tasks, "make");
    let accepted = Told::Accepted(spool_of(handle.id()));
    assert_eq!(diary.told()[1..], [accepted, Told::Pushed]);
}

#[test]
fn an_end_that_the_holder_tells_is_recorded_and_not_pushed() {
    let (tasks, backend, diary) = tasks();
    let attached = tasks.launch_attached(Spec::shell("make")).unwrap();
    backend.end(attached.handle());
    assert!(attached.told().is_ok());
    assert_eq!(diary.told()[2..], [Told::Ended]);
}

#[test]
fn an_end_that_the_holder_does_not_tell_is_recorded_and_pushed() {
    let (tasks, backend, diary) = tasks();
    let attached = tasks.launch_attached(Spec::shell("make")).unwrap();
    backend.end(attached.handle());
    attached.detach();
    assert_eq!(diary.told()[2..], [Told::Ended, Told::Pushed]);
}

#[test]
fn a_success_that_nobody_wants_to_know_of_is_recorded() {
    let (tasks, backend, diary) = tasks();
    let spec = Spec::shell("make").notify(Notify::OnFailure);
    let handle = tasks.launch(spec).unwrap();
    backend.end(&handle);
    assert_eq!(diary.told()[2..], [Told::Ended]);
}

#[test]
fn weak_tasks_do_not_keep_what_runs() {
    let (tasks, backend, diary) = tasks();
    let handle = common::launch(&tasks, "make");
    let weak = tasks.downgrade();
    let same = weak.upgrade().expect("the tasks are there");
    assert!(same.get(handle.id()).is_some());
    drop((same, tasks));
    assert!(weak.upgrade().is_none());
    assert_eq!(backend.stops(&handle).len(), 1, "nobody is left to stop it");
    drop(diary);
}
