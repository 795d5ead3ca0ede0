//! The policy of one task, rule by rule, without a process or a clock.

use std::time::{Duration, Instant};

use meanwhile_core::EndedBy::{Agent, Itself, Timeout, User};
use meanwhile_core::ExitStatus::{self, Code, Lost, NeverStarted, Signal};
use meanwhile_core::{Action, EndedBy, Event, Spec, Stop, Supervision, Survivors};
use meanwhile_core::{Sweep, Ticket, Verdict};

const GRACE: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(1);

/// A supervision and the time, which passes when the test says so.
struct Task {
    supervision: Supervision,
    now: Instant,
}

impl Task {
    fn new(spec: &Spec) -> Self {
        Self {
            supervision: Supervision::new(spec),
            now: Instant::now(),
        }
    }

    fn started(spec: &Spec) -> Self {
        let mut task = Self::new(spec);
        task.nothing_after(Event::Started);
        task
    }

    fn pass(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    fn on(&mut self, event: Event) -> Option<Action> {
        self.supervision.on(event, self.now)
    }

    #[track_caller]
    fn nothing_after(&mut self, event: Event) {
        assert_eq!(self.on(event), None);
    }

    #[track_caller]
    fn sweep_after(&mut self, event: Event, expected: Sweep) -> Ticket {
        match self.on(event) {
            Some(Action::Sweep(sweep, ticket)) if sweep == expected => ticket,
            other => panic!("{expected:?} was due, not {other:?}"),
        }
    }

    #[track_caller]
    fn finish_after(&mut self, event: Event) -> Verdict {
        match self.on(event) {
            Some(Action::Finish(verdict)) => verdict,
            other => panic!("the end was due, not {other:?}"),
        }
    }

    /// How long until the next tick.
    #[track_caller]
    fn timer(&self) -> Duration {
        let at = self.supervision.timer().expect("a tick is due");
        at.saturating_duration_since(self.now)
    }
}

fn spec() -> Spec {
    Spec::shell("make").grace(GRACE).timeout(TIMEOUT)
}

fn stop_by(by: EndedBy) -> Event {
    Event::Stop(Stop::by(by))
}

fn stop_within(grace: Duration) -> Event {
    Event::Stop(Stop::by(Agent).grace(grace))
}

fn verdict(status: ExitStatus, ended_by: EndedBy, survivors: u32) -> Verdict {
    Verdict {
        status,
        ended_by,
        survivors,
    }
}

#[test]
fn a_task_that_ends_by_itself_is_reported_once_the_rest_is_counted() {
    let mut task = Task::started(&spec());
    let count = task.sweep_after(Event::Exited(Code(1)), Sweep::Count);
    assert!(!task.supervision.is_over());
    let end = task.finish_after(Event::Swept(count, 0));
    assert_eq!(end, verdict(Code(1), Itself, 0));
    assert!(task.supervision.is_over());
    assert_eq!(task.supervision.timer(), None);
}

#[test]
fn survivors_of_a_natural_end_are_left_alone_and_counted() {
    let mut task = Task::started(&spec());
    let count = task.sweep_after(Event::Exited(Code(0)), Sweep::Count);
    let end = task.finish_after(Event::Swept(count, 2));
    assert_eq!(end, verdict(Code(0), Itself, 2));
}

#[test]
fn survivors_are_stopped_where_the_spec_says_so() {
    let mut task = Task::started(&spec().survivors(Survivors::Stop));
    let polite = task.sweep_after(Event::Exited(Code(0)), Sweep::Terminate);
    task.nothing_after(Event::Swept(polite, 1));
    task.pass(GRACE);
    let last = task.sweep_after(Event::Tick, Sweep::Kill);
    let end = task.finish_after(Event::Swept(last, 0));
    assert_eq!(end, verdict(Code(0), Itself, 0));
}

#[test]
fn a_task_that_could_not_be_started_ends_by_itself() {
    let mut task = Task::new(&spec());
    let count = task.sweep_after(Event::Exited(Lost), Sweep::Count);
    let end = task.finish_after(Event::Swept(count, 0));
    assert_eq!(end, verdict(Lost, Itself, 0));
}

#[test]
fn the_deadline_counts_from_the_start_of_the_run() {
    let mut task = Task::new(&spec());
    assert_eq!(task.supervision.timer(), None);
    task.pass(TIMEOUT).nothing_after(Event::Tick);
    task.nothing_after(Event::Started);
    assert_eq!(task.timer(), TIMEOUT);
}

#[test]
fn at_the_deadline_the_tree_is_stopped_and_the_verdict_says_so() {
    let mut task = Task::started(&spec());
    task.pass(TIMEOUT - MOMENT).nothing_after(Event::Tick);
    task.pass(MOMENT).sweep_after(Event::Tick, Sweep::Terminate);
    let count = task.sweep_after(Event::Exited(Signal(15)), Sweep::Count);
    let end = task.finish_after(Event::Swept(count, 0));
    assert_eq!(end, verdict(Signal(15), Timeout, 0));
}

#[test]
fn a_deadline_or_a_grace_beyond_the_end_of_the_clock_is_none() {
    let mut task = Task::started(&Spec::shell("make").timeout(Duration::MAX));
    assert_eq!(task.supervision.timer(), None);
    task.sweep_after(stop_within(Duration::MAX), Sweep::Terminate);
    assert_eq!(task.supervision.timer(), None);
    task.nothing_after(stop_within(GRACE));
    assert_eq!(task.timer(), GRACE);
}

#[test]
fn the_last_signal_goes_out_when_the_grace_is_over() {
    let mut task = Task::started(&spec());
    let polite = task.sweep_after(stop_by(Agent), Sweep::Terminate);
    task.nothing_after(Event::Swept(polite, 0));
    assert_eq!(task.timer(), GRACE);
    task.pass(GRACE - MOMENT).nothing_after(Event::Tick);
    let last = task.pass(MOMENT).sweep_after(Event::Tick, Sweep::Kill);
    task.nothing_after(Event::Swept(last, 0));
    let last = task.sweep_after(Event::Exited(Signal(9)), Sweep::Kill);
    let end = task.finish_after(Event::Swept(last, 0));
    assert_eq!(end, verdict(Signal(9), Agent, 0));
}

#[test]
fn the_grace_of_the_stop_goes_before_that_of_the_spec() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_within(GRACE * 2), Sweep::Terminate);
    assert_eq!(task.timer(), GRACE * 2);
}

#[test]
fn a_grace_of_zero_kills_at_once() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_within(Duration::ZERO), Sweep::Kill);

    let mut task = Task::started(&spec().grace(Duration::ZERO));
    task.pass(TIMEOUT).sweep_after(Event::Tick, Sweep::Kill);
}

#[test]
fn a_stop_before_the_start_ends_it_at_once() {
    let mut task = Task::new(&spec());
    let end = task.finish_after(stop_by(User));
    assert_eq!(end, verdict(NeverStarted, User, 0));
    assert!(task.supervision.is_over());
    task.nothing_after(Event::Started);
    assert_eq!(task.supervision.timer(), None);
}

#[test]
fn a_second_stop_may_shorten_the_grace() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_by(Agent), Sweep::Terminate);
    task.nothing_after(stop_within(GRACE / 2));
    assert_eq!(task.timer(), GRACE / 2);
    task.sweep_after(stop_within(Duration::ZERO), Sweep::Kill);
}

#[test]
fn a_second_stop_does_not_lengthen_the_grace() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_by(Agent), Sweep::Terminate);
    task.pass(MOMENT).nothing_after(stop_within(GRACE * 2));
    assert_eq!(task.timer(), GRACE - MOMENT);
}

#[test]
fn a_leader_that_dies_of_the_polite_signal_does_not_save_its_group() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_by(Agent), Sweep::Terminate);
    let count = task.sweep_after(Event::Exited(Signal(15)), Sweep::Count);
    task.nothing_after(Event::Swept(count, 1));
    let last = task.pass(GRACE).sweep_after(Event::Tick, Sweep::Kill);
    let end = task.finish_after(Event::Swept(last, 0));
    assert_eq!(end, verdict(Signal(15), Agent, 0));
}

#[test]
fn members_that_end_within_the_grace_end_the_wait() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_by(Agent), Sweep::Terminate);
    let count = task.sweep_after(Event::Exited(Code(0)), Sweep::Count);
    task.nothing_after(Event::Swept(count, 1));
    let pause = task.timer();
    assert!(pause < GRACE);
    let count = task.pass(pause).sweep_after(Event::Tick, Sweep::Count);
    let end = task.finish_after(Event::Swept(count, 0));
    assert_eq!(end, verdict(Code(0), Agent, 0));
}

#[test]
fn whoever_is_left_is_looked_at_again_in_growing_pauses() {
    let mut task = Task::started(&spec());
    let mut sweep = task.sweep_after(stop_within(Duration::ZERO), Sweep::Kill);
    task.nothing_after(Event::Swept(sweep, 1));
    sweep = task.sweep_after(Event::Exited(Signal(9)), Sweep::Kill);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        task.nothing_after(Event::Swept(sweep, 1));
        let pause = task.timer();
        pauses.push(pause.as_millis());
        task.pass(pause - MOMENT / 2).nothing_after(Event::Tick);
        sweep = task.pass(MOMENT / 2).sweep_after(Event::Tick, Sweep::Kill);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 50, 50]);
}

#[test]
fn an_answer_that_has_been_overtaken_is_ignored() {
    let mut task = Task::started(&spec());
    let overtaken = task.sweep_after(stop_by(Agent), Sweep::Terminate);
    let latest = task.sweep_after(Event::Exited(Code(0)), Sweep::Count);
    task.nothing_after(Event::Swept(overtaken, 0));
    task.finish_after(Event::Swept(latest, 0));
}

#[test]
fn an_empty_group_is_no_end_while_the_leader_lives() {
    let mut task = Task::started(&spec());
    let last = task.sweep_after(stop_within(Duration::ZERO), Sweep::Kill);
    task.nothing_after(Event::Swept(last, 0));
    assert!(!task.supervision.is_over());
}

#[test]
fn a_leader_that_cannot_be_killed_is_reported_lost_and_waited_for() {
    let mut task = Task::started(&spec());
    let last = task.sweep_after(stop_within(Duration::ZERO), Sweep::Kill);
    task.nothing_after(Event::Swept(last, 2));
    assert_eq!(task.timer(), Supervision::GIVE_UP_AFTER);
    task.pass(Supervision::GIVE_UP_AFTER);
    let end = task.finish_after(Event::Tick);
    assert_eq!(end, verdict(Lost, Agent, 3));
    assert!(!task.supervision.is_over());
    task.nothing_after(Event::Exited(Signal(9)));
    assert!(task.supervision.is_over());
}

#[test]
fn members_that_cannot_be_killed_are_counted_when_it_gives_up() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_within(Duration::ZERO), Sweep::Kill);
    let last = task.sweep_after(Event::Exited(Signal(9)), Sweep::Kill);
    task.nothing_after(Event::Swept(last, 2));
    task.pass(Supervision::GIVE_UP_AFTER);
    let end = task.finish_after(Event::Tick);
    assert_eq!(end, verdict(Signal(9), Agent, 2));
    assert!(task.supervision.is_over());
}

#[test]
fn the_first_cause_wins() {
    let ends_by = |first: Event, second: Event| {
        let mut task = Task::started(&spec());
        task.pass(TIMEOUT - MOMENT).on(first);
        task.pass(MOMENT).on(second);
        // No second cause may have finished it; its polite signal ends the leader.
        let count = task.sweep_after(Event::Exited(Signal(15)), Sweep::Count);
        task.finish_after(Event::Swept(count, 0)).ended_by
    };
    assert_eq!(ends_by(stop_by(Agent), stop_by(User)), Agent);
    assert_eq!(ends_by(stop_by(User), Event::Tick), User);
    assert_eq!(ends_by(Event::Tick, Event::Tick), Timeout);

    let mut task = Task::started(&spec());
    task.pass(TIMEOUT)
        .sweep_after(Event::Tick, Sweep::Terminate);
    task.nothing_after(stop_by(User));
    let count = task.sweep_after(Event::Exited(Signal(15)), Sweep::Count);
    assert_eq!(task.finish_after(Event::Swept(count, 0)).ended_by, Timeout);
}

#[test]
fn a_stop_that_comes_while_the_rest_is_counted_is_too_late() {
    let mut task = Task::started(&spec());
    let count = task.sweep_after(Event::Exited(Code(0)), Sweep::Count);
    task.nothing_after(stop_within(Duration::ZERO));
    let end = task.finish_after(Event::Swept(count, 1));
    assert_eq!(end, verdict(Code(0), Itself, 1));
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let mut task = Task::started(&spec());
    let count = task.sweep_after(Event::Exited(Code(0)), Sweep::Count);
    task.finish_after(Event::Swept(count, 0));
    for event in [
        Event::Started,
        Event::Tick,
        Event::Swept(count, 3),
        stop_by(User),
        Event::Exited(Code(7)),
    ] {
        task.pass(TIMEOUT).nothing_after(event);
        assert!(task.supervision.is_over());
    }
}

#[test]
fn a_second_exit_does_not_change_the_first() {
    let mut task = Task::started(&spec());
    task.sweep_after(stop_by(Agent), Sweep::Terminate);
    let count = task.sweep_after(Event::Exited(Code(3)), Sweep::Count);
    task.nothing_after(Event::Exited(Lost));
    assert_eq!(task.finish_after(Event::Swept(count, 0)).status, Code(3));
}

#[test]
fn a_stop_may_name_its_polite_signal_and_ends_in_the_last_one_all_the_same() {
    let mut task = Task::started(&Spec::shell("make"));
    let stop = Stop::by(User).signal(2).grace(GRACE);
    task.sweep_after(Event::Stop(stop), Sweep::Signal(2));
    task.pass(GRACE).sweep_after(Event::Tick, Sweep::Kill);
}
