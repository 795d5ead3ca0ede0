//! A naive backend: a thread for each task, which looks every few milliseconds what has become of it.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{
    Action, Cancellation, Capabilities, EndedBy, Ending, Event, ExitStatus, JobContext, Lifecycle,
    Output, OutputFiles, Report, Spec, Stop, Supervision, Survivors, Sweep, Task, TaskId, Verdict,
    Work,
};

use nix::errno::Errno;

use super::files::Files;
use super::live::{Child, Live, RunningJob};

/// What is wrong with a backend. Most are a word in a condition; those that are more say so where they act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    SpawnsInLaunch,
    WaitsInLaunch,
    FeedsInputInLaunch,
    ForgetsTheReport,
    CallsAFailedStartACode,
    TellsBeforeTheEnd,
    CallsEveryCodeOne,
    CallsASignalCodeZero,
    SaysThatAllEndThemselves,
    CountsNoBytes,
    SaysNoStart,
    NamesNoLeader,
    NamesItselfForLeader,
    WaitsForHeldOutput,
    SeesTheGroupOnly,
    SeesTheLeaderOnly,
    StopsWithTheLeader,
    KillsAtOnce,
    SendsTheUsualSignal,
    KillsNever,
    TakesTheGraceOfTheSpecOnly,
    WakesNobody,
    KillsSurvivors,
    LeavesSurvivors,
    BelievesTheLastStop,
    HearsOneStop,
    HearsNoStopBeforeTheStart,
    HearsNoShutdown,
    HearsFewStops,
    InheritsStdin,
    GivesNoInput,
    WantsItsInputRead,
    SharesOurGroup,
    ForgetsTheEnvironment,
    ForgetsTheFolder,
    LooksUpInOurPath,
    LosesTheOrder,
    ManglesBytes,
    MergesAlways,
    ShowsOutputAtTheEnd,
    CallsTheOutputLimitAnEnd,
    PassesEveryLineAsArgument,
    TakesALineForOptions,
    WritesWithoutAppending,
    ForgetsTheTimeout,
    CutsTheTimeout,
    CallsATimeoutWithCodeAnEnd,
    ClearsOutputOnStop,
    LeaksADescriptor,
    LeavesAZombie,
    GivesUpWithoutDescriptors,
    CallsAJobErrorSuccess,
    DiesOfAPanic,
    DiesOfADrop,
    DiesOfAnError,
    AsksNoJob,
    LeavesJobsRunning,
}

#[derive(Debug)]
pub(crate) struct Naive {
    flaw: Flaw,
    home: PathBuf,
    stops: Arc<AtomicUsize>,
}

impl Naive {
    /// Keeps its files in `home`.
    pub(crate) fn new(flaw: Flaw, home: &Path) -> Self {
        Self {
            flaw,
            home: home.to_owned(),
            stops: Arc::default(),
        }
    }
}

impl Lifecycle for Naive {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        let (flaw, id) = (self.flaw, report.id());
        let (events, inbox) = mpsc::channel();
        let files = Arc::new(Files::new(self.home.join(id.as_str()), &spec, flaw));
        let control = Control {
            flaw,
            events,
            files: Arc::clone(&files),
            started: Arc::default(),
            stopped: AtomicBool::new(false),
            stops_of_all: Arc::clone(&self.stops),
        };
        let started = Arc::clone(&control.started);
        let in_launch = matches!(flaw, Flaw::SpawnsInLaunch | Flaw::FeedsInputInLaunch);
        let early = in_launch.then(|| start(&spec, &files, id, flaw));
        let thread = thread::spawn(move || {
            if flaw == Flaw::TellsBeforeTheEnd {
                report.exited(Ending::of(ExitStatus::Code(0)));
                return wait_for(start(&spec, &files, id, flaw));
            }
            let live = early.unwrap_or_else(|| start(&spec, &files, id, flaw));
            started.store(true, Ordering::Relaxed);
            match live {
                Ok(live) => Run {
                    spec,
                    files,
                    live,
                    flaw,
                }
                .supervise(&inbox, report),
                Err(ending) => report.exited(ending),
            }
        });
        if flaw == Flaw::WaitsInLaunch {
            let _ = thread.join();
        }
        Box::new(control)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
            .with_commands()
            .with_local_processes()
            .with_jobs()
            // Each has a thread that goes through all of /proc.
            .with_max_live(100)
    }
}

fn start(spec: &Spec, files: &Arc<Files>, id: TaskId, flaw: Flaw) -> Result<Box<dyn Live>, Ending> {
    if flaw == Flaw::LeaksADescriptor {
        mem::forget(files.open());
    }
    if let Work::Job(job) = spec.get_work() {
        let cancellation = Cancellation::default();
        let context = JobContext::new(id, files.clone(), cancellation.clone());
        return Ok(Box::new(RunningJob::new(
            Arc::clone(job),
            context,
            cancellation,
            flaw,
        )));
    }
    match Child::start(spec, files, id, flaw) {
        Ok(child) => Ok(Box::new(child)),
        Err(_) if flaw == Flaw::CallsAFailedStartACode => Err(Ending::of(ExitStatus::Code(127))),
        Err(error)
            if error.raw_os_error() == Some(Errno::EMFILE as i32)
                && flaw != Flaw::GivesUpWithoutDescriptors =>
        {
            thread::sleep(Duration::from_millis(5));
            start(spec, files, id, flaw)
        }
        Err(error) => Err(Ending::failed_to_start(
            error.to_string(),
            error.raw_os_error(),
        )),
    }
}

fn wait_for(mut live: Result<Box<dyn Live>, Ending>) {
    while live.as_mut().is_ok_and(|live| live.ended().is_none()) {
        thread::sleep(Duration::from_millis(5));
    }
}

struct Run {
    spec: Arc<Spec>,
    files: Arc<Files>,
    live: Box<dyn Live>,
    flaw: Flaw,
}

impl Run {
    fn supervise(mut self, events: &Receiver<Event>, report: Report) {
        match (self.flaw, self.live.named_leader()) {
            (Flaw::SaysNoStart, _) => {}
            (Flaw::NamesNoLeader, _) | (_, None) => report.started(),
            (_, Some(leader)) => report.started_as(leader),
        }
        let mut supervision = Supervision::new(&self.understood_spec());
        let mut last_stop = None;
        let mut event = Event::Started;
        let verdict = loop {
            last_stop = asker(&event).or(last_stop);
            if let Some(verdict) = self.on(event, &mut supervision) {
                break verdict;
            }
            event = self.next(events, supervision.timer());
        };
        // A stop that came while the leader was ending lies there unread.
        last_stop = events
            .try_iter()
            .fold(last_stop, |last, event| asker(&event).or(last));
        if self.flaw == Flaw::ForgetsTheReport {
            return mem::forget(report);
        }
        report.exited(self.ending(verdict, last_stop));
    }

    fn understood_spec(&self) -> Spec {
        let spec = Spec::clone(&self.spec);
        let timeout = spec.get_timeout();
        match (self.flaw, timeout) {
            (Flaw::ForgetsTheTimeout, _) => spec.timeout(Duration::MAX),
            (Flaw::CutsTheTimeout, Some(_)) => spec.timeout(Duration::from_millis(1)),
            (Flaw::LeavesSurvivors, _) => spec.survivors(Survivors::Leave),
            _ => spec,
        }
    }

    fn on(&mut self, event: Event, supervision: &mut Supervision) -> Option<Verdict> {
        let mut action = supervision.on(event, Instant::now())?;
        loop {
            match action {
                Action::Sweep(sweep, ticket) => {
                    let left = self.sweep(sweep);
                    action = supervision.on(Event::Swept(ticket, left), Instant::now())?;
                }
                Action::Finish(verdict) => return Some(verdict),
                _ => unreachable!("an action that this test does not know"),
            }
        }
    }

    fn sweep(&mut self, sweep: Sweep) -> u32 {
        let (polite, last) = (Sweep::Terminate, Sweep::Kill);
        match (self.flaw, sweep) {
            (Flaw::KillsAtOnce, Sweep::Terminate) => self.live.sweep(last),
            (Flaw::KillsNever, Sweep::Kill) => self.live.sweep(polite),
            (Flaw::SendsTheUsualSignal, Sweep::Signal(_)) => self.live.sweep(polite),
            (Flaw::KillsSurvivors, Sweep::Count) => self.live.sweep(last),
            (Flaw::StopsWithTheLeader, Sweep::Count) => 0,
            (_, sweep) => self.live.sweep(sweep),
        }
    }

    fn next(&mut self, events: &Receiver<Event>, timer: Option<Instant>) -> Event {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.live.ended() {
                return Event::Exited(status);
            }
            if timer.is_some_and(|timer| timer <= Instant::now()) {
                return Event::Tick;
            }
            let limit = self.spec.get_output_limit();
            if limit.stops() && self.files.size() > limit.total() {
                return Event::Stop(Stop::by(EndedBy::OutputLimit));
            }
            match events.recv_timeout(pause) {
                Ok(event) => return event,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(16));
        }
    }

    fn ending(&self, verdict: Verdict, last_stop: Option<EndedBy>) -> Ending {
        if self.flaw == Flaw::ClearsOutputOnStop && verdict.ended_by != EndedBy::Itself {
            self.files.clear();
        }
        let mut ended_by = verdict.ended_by;
        let status = match (self.flaw, verdict.status) {
            (Flaw::CallsEveryCodeOne, ExitStatus::Code(1..)) => ExitStatus::Code(1),
            (Flaw::CallsASignalCodeZero, ExitStatus::Signal(_)) => ExitStatus::Code(0),
            (Flaw::CallsATimeoutWithCodeAnEnd, ExitStatus::Code(code)) => {
                ended_by = EndedBy::Itself;
                ExitStatus::Code(code)
            }
            (_, status) => status,
        };
        match self.flaw {
            Flaw::CallsTheOutputLimitAnEnd if ended_by == EndedBy::OutputLimit => {
                ended_by = EndedBy::Itself;
            }
            Flaw::SaysThatAllEndThemselves => ended_by = EndedBy::Itself,
            Flaw::BelievesTheLastStop => ended_by = last_stop.unwrap_or(ended_by),
            _ => {}
        }
        let mut ending = Ending::of(status).ended_by(ended_by);
        ending.survivors = verdict.survivors;
        if self.flaw != Flaw::CountsNoBytes {
            ending.output.bytes = self.files.size();
        }
        self.files.end();
        ending
    }
}

fn asker(event: &Event) -> Option<EndedBy> {
    if let Event::Stop(stop) = event {
        Some(stop.by)
    } else {
        None
    }
}

#[derive(Debug)]
struct Control {
    flaw: Flaw,
    events: Sender<Event>,
    files: Arc<Files>,
    started: Arc<AtomicBool>,
    stopped: AtomicBool,
    stops_of_all: Arc<AtomicUsize>,
}

impl Task for Control {
    fn stop(&self, mut stop: Stop) {
        let again = self.stopped.swap(true, Ordering::Relaxed);
        let started = self.started.load(Ordering::Relaxed);
        let stops = self.stops_of_all.fetch_add(1, Ordering::Relaxed);
        match self.flaw {
            Flaw::HearsOneStop if again => return,
            Flaw::HearsNoStopBeforeTheStart if !started => return,
            Flaw::HearsNoShutdown if stop.by == EndedBy::Shutdown => return,
            // As one does whose mailbox has so many places.
            Flaw::HearsFewStops if stops >= 64 => return,
            Flaw::TakesTheGraceOfTheSpecOnly => stop.grace = None,
            _ => {}
        }
        // It may have ended.
        let _ = self.events.send(Event::Stop(stop));
    }

    fn output(&self) -> Arc<dyn Output> {
        self.files.clone()
    }
}

/// Where the output of a task with this spec goes.
pub(crate) fn is_split(spec: &Spec, flaw: Flaw) -> bool {
    match flaw {
        Flaw::LosesTheOrder => true,
        Flaw::MergesAlways => false,
        _ => spec.get_output_files() == OutputFiles::Split,
    }
}
