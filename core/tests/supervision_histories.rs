//! What holds of a supervision whatever happens, in whatever order and at whatever time.

use std::time::{Duration, Instant};

use meanwhile_core::{Action, EndedBy, Event, ExitStatus, Spec, Stop, Supervision};
use meanwhile_core::{Survivors, Sweep, Ticket, Verdict};
use proptest::prelude::*;

/// What the world does next.
#[derive(Debug, Clone)]
enum Happening {
    Start,
    Exit(i32),
    Stop(EndedBy, Option<Duration>),
    /// An answer to the sweep that was asked for so many sweeps ago.
    Answer {
        ago: usize,
        left: u32,
    },
    /// Time passes, and the tick comes or not.
    Pass(Duration),
    PassAndTick(Duration),
    /// The backend's timer fires.
    TickInTime,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::{Answer, Exit, Pass, PassAndTick, Start, Stop, TickInTime};
    let by = prop_oneof![Just(EndedBy::Agent), Just(EndedBy::User)];
    prop_oneof![
        2 => Just(Start),
        2 => (0..3).prop_map(Exit),
        2 => (by, prop::option::of(grace())).prop_map(|(by, grace)| Stop(by, grace)),
        4 => (0..3usize, 0..3u32).prop_map(|(ago, left)| Answer { ago, left }),
        1 => time().prop_map(Pass),
        1 => time().prop_map(PassAndTick),
        4 => Just(TickInTime),
    ]
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![0..20u64, 0..20_000u64].prop_map(Duration::from_millis)
}

fn grace() -> impl Strategy<Value = Duration> {
    prop_oneof![1 => Just(Duration::ZERO), 3 => (1..9000u64).prop_map(Duration::from_millis)]
}

fn spec() -> impl Strategy<Value = Spec> {
    let survivors = prop_oneof![Just(Survivors::Leave), Just(Survivors::Stop)];
    let timeout = prop::option::of((1..20_000u64).prop_map(Duration::from_millis));
    (timeout, grace(), survivors).prop_map(|(timeout, grace, survivors)| {
        let spec = Spec::shell("make").grace(grace).survivors(survivors);
        match timeout {
            Some(timeout) => spec.timeout(timeout),
            None => spec,
        }
    })
}

/// A supervision, the time, and all that was seen of it.
struct Witness {
    supervision: Supervision,
    now: Instant,
    asked: Vec<(Sweep, Ticket)>,
    exits: Vec<ExitStatus>,
    verdicts: Vec<Verdict>,
}

impl Witness {
    fn new(spec: &Spec) -> Self {
        Self {
            supervision: Supervision::new(spec),
            now: Instant::now(),
            asked: Vec::new(),
            exits: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    fn see(&mut self, happening: Happening) {
        match happening {
            Happening::Start => self.on(Event::Started),
            Happening::Exit(code) => {
                self.exits.push(ExitStatus::Code(code));
                self.on(Event::Exited(ExitStatus::Code(code)));
            }
            Happening::Stop(by, grace) => {
                let mut stop = Stop::by(by);
                stop.grace = grace;
                self.on(Event::Stop(stop));
            }
            Happening::Answer { ago, left } => {
                if let Some((_, ticket)) = self.asked.iter().nth_back(ago) {
                    self.on(Event::Swept(*ticket, left));
                }
            }
            Happening::Pass(time) => self.now += time,
            Happening::PassAndTick(time) => {
                self.now += time;
                self.tick();
            }
            Happening::TickInTime => self.tick_in_time(),
        }
    }

    fn tick_in_time(&mut self) {
        if let Some(at) = self.supervision.timer() {
            self.now = self.now.max(at);
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.on(Event::Tick);
        let is_due = self.supervision.timer().is_some_and(|at| at <= self.now);
        assert!(!is_due, "the same tick is due again: a backend would spin");
    }

    fn on(&mut self, event: Event) {
        match self.supervision.on(event, self.now) {
            Some(Action::Sweep(sweep, ticket)) => {
                assert!(self.verdicts.is_empty(), "{sweep:?} after the end");
                let killed = self.asked.iter().any(|(sweep, _)| *sweep == Sweep::Kill);
                assert!(!killed || sweep == Sweep::Kill, "{sweep:?} after the kill");
                self.asked.push((sweep, ticket));
            }
            Some(Action::Finish(verdict)) => self.finish(verdict),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
        self.check_timer();
    }

    fn finish(&mut self, verdict: Verdict) {
        match &verdict.status {
            // Nobody knows more than the first exit says, and nobody invents one.
            ExitStatus::Code(_) => assert_eq!(Some(&verdict.status), self.exits.first()),
            ExitStatus::NeverStarted | ExitStatus::Lost => assert!(self.exits.is_empty()),
            other => panic!("{other:?} was made up"),
        }
        self.verdicts.push(verdict);
        assert_eq!(self.verdicts.len(), 1, "it ended twice");
    }

    /// After a signal was sent, something is always to be waited for: the grace, or the giving up.
    fn check_timer(&self) {
        let signalled = self.asked.iter().any(|(sweep, _)| *sweep != Sweep::Count);
        let waits = signalled && self.verdicts.is_empty();
        assert!(!waits || self.supervision.timer().is_some(), "no timer");
        if !self.verdicts.is_empty() {
            assert_eq!(self.supervision.timer(), None);
        }
    }

    /// From now on the world does what it is asked to: the leader ends, and nobody is left.
    fn settle(&mut self) {
        if self.exits.is_empty() {
            self.see(Happening::Exit(0));
        }
        for _ in 0..10 {
            self.see(Happening::Answer { ago: 0, left: 0 });
            self.tick_in_time();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_task_ends_exactly_once(spec in spec(), history in prop::collection::vec(happening(), 0..40)) {
        let mut witness = Witness::new(&spec);
        for happening in history {
            witness.see(happening);
        }
        witness.settle();
        prop_assert_eq!(witness.verdicts.len(), 1);
        prop_assert!(witness.supervision.is_over());
    }

    #[test]
    fn a_task_whose_sweeps_are_never_empty_ends_all_the_same(spec in spec(), by_exit in any::<bool>()) {
        let mut witness = Witness::new(&spec);
        witness.see(Happening::Start);
        if by_exit {
            witness.see(Happening::Exit(0));
        }
        witness.see(Happening::Stop(EndedBy::Agent, None));
        for _ in 0..500 {
            witness.see(Happening::Answer { ago: 0, left: 1 });
            witness.tick_in_time();
        }
        prop_assert_eq!(witness.verdicts.len(), 1);
        prop_assert!(witness.verdicts[0].survivors > 0);
    }
}
