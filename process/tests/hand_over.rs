//! Stops that come while a task is on its way to its loop.

use std::fmt;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use meanwhile_core::{
    Capabilities, EndedBy, Event, EventId, EventListener, Lifecycle, Milestone, Notification,
    NotificationQueue, Output, Owner, Report, Spec, Stop, Task, TaskId, Tasks, WakeUp,
};
use meanwhile_process::{LeaderExit, Local, LocalOptions, LocalTask, Post, Running};

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A backend whose loop is the test, and a queue that forgets everything.
#[derive(Clone)]
struct Stage(Arc<Parts>);

struct Parts {
    local: Local,
    task: OnceLock<Arc<LocalTask>>,
    /// Come when the task has started and is not handed over yet.
    early: Vec<Stop>,
    /// Comes as soon as the first of those was posted.
    late: Mutex<Option<Stop>>,
    posted: Mutex<Vec<EndedBy>>,
    supervise: Sender<(Running, LeaderExit)>,
}

/// Has `spec` started, up to where its loop would take it over.
fn hand_over(
    spec: Spec,
    early: &[Stop],
    late: Option<Stop>,
) -> (Stage, Tasks, Running, LeaderExit) {
    let (supervise, supervised) = mpsc::channel();
    let stage = Stage(Arc::new(Parts {
        local: Local::new(LocalOptions::default()),
        task: OnceLock::new(),
        early: early.to_vec(),
        late: Mutex::new(late),
        posted: Mutex::default(),
        supervise,
    }));
    let tasks = Tasks::new(stage.clone(), stage.clone());
    tasks.launch(spec).expect("a valid spec");
    let handed_over = supervised.recv_timeout(PATIENCE);
    let (running, exit) = handed_over.expect("nothing holds it up");
    (stage, tasks, running, exit)
}

#[test]
fn a_stop_overtakes_none_that_was_kept() {
    let [first, second, third] = [EndedBy::Agent, EndedBy::User, EndedBy::Shutdown];
    let early = [first, second].map(Stop::by);
    let sleep = Spec::shell("exec sleep 1000");
    let (stage, _tasks, ..) = hand_over(sleep, &early, Some(Stop::by(third)));
    assert_eq!(
        *stage.0.posted.lock().expect("nobody panics with it"),
        [first, second, third]
    );
}

#[test]
fn a_task_that_is_killed_past_its_loop_is_ended_by_whoever_asked_first() {
    let early = [Stop::by(EndedBy::Agent)];
    let sleep = Spec::shell("exec sleep 1000");
    let (stage, tasks, mut running, exit) = hand_over(sleep, &early, None);
    let LeaderExit::Process(leader) = exit else {
        panic!("a command has a process");
    };
    let task = stage.0.task.get().expect("it was launched");
    task.stop(Stop::by(EndedBy::User).grace(Duration::ZERO));
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = leader.status() {
            break status;
        }
        assert!(Instant::now() < deadline, "nobody kills it");
        std::thread::yield_now();
    };
    // The loop sees the end before it sees the stops.
    running.on(Event::Exited(status));
    drop(running);
    let handle = tasks.list().pop().expect("it was launched");
    let exit = handle.wait_timeout(PATIENCE).expect("it was killed");
    assert_eq!(exit.ended_by, EndedBy::Agent);
}

impl Lifecycle for Stage {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let stage = self.clone();
        let post: Post = Arc::new(move |event| stage.posted(event));
        let stage = self.clone();
        let task = self
            .0
            .local
            .launch(spec, report, post, move |running, exit| {
                // The test may have given up.
                let _ = stage.0.supervise.send((running, exit));
            });
        let task = Arc::clone(self.0.task.get_or_init(|| Arc::new(task)));
        Box::new(Control(task))
    }

    fn capabilities(&self) -> Capabilities {
        self.0.local.capabilities()
    }
}

impl Stage {
    fn posted(&self, event: Event) {
        let Event::Stop(stop) = event else {
            return;
        };
        self.0
            .posted
            .lock()
            .expect("nobody panics with it")
            .push(stop.by);
        let late = self.0.late.lock().expect("nobody panics with it").take();
        if let Some(late) = late {
            self.0.task.wait().stop(late);
        }
    }
}

#[derive(Debug)]
struct Control(Arc<LocalTask>);

impl Task for Control {
    fn stop(&self, stop: Stop) {
        self.0.stop(stop);
    }

    fn output(&self) -> Arc<dyn Output> {
        self.0.output()
    }
}

impl NotificationQueue for Stage {
    fn record(&self, _: TaskId, milestone: Milestone<'_>) {
        if let Milestone::Started { .. } = milestone {
            let task = self.0.task.wait();
            self.0.early.iter().for_each(|stop| task.stop(*stop));
        }
    }

    fn push(&self, _: Notification) {}

    fn drain(&self, _: &Owner, _: usize, _: Duration) -> Arc<Vec<Notification>> {
        Arc::default()
    }

    fn acknowledge(&self, _: &Owner, _: &[EventId]) {}

    fn release(&self, _: &Owner, _: &[EventId]) {}

    fn consume(&self, _: &Owner, _: TaskId) {}

    fn pending(&self, _: &Owner) -> usize {
        0
    }

    fn listen(&self, _: &Owner) -> EventListener {
        WakeUp::new().listen()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}
