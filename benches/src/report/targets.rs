//! What ours are to reach.

use meanwhile_benches::{
    AMONG_MANY, BACKENDS, BESIDE_BALLAST, BURST, CAPTURE, CROSSBEAM, DRAIN, EXIT, FLOOR,
    FOUR_PRODUCERS, GAP, KEEPING_ALL, LAUNCH, LONGEST_GAP, MEMORY, MEMORY_QUEUE, PARENT_CPU, QUEUE,
    REDIRECT, SCALE, SMALL, START, STD_LOOPS, STOP_ALL, THREADS, THROUGHPUT, TOKIO,
    TOKIO_UNBOUNDED,
};

/// A target of several of ours.
#[derive(Debug)]
pub(crate) struct Target {
    /// By which `causes.md` refers to it.
    pub(crate) name: &'static str,
    /// What is looked at.
    pub(crate) what: &'static str,
    /// What is wanted, for people.
    pub(crate) wanted: &'static str,
    pub(super) question: &'static str,
    /// The condition, or none where that is which a contender takes part in.
    pub(super) condition: Option<&'static str>,
    pub(super) metric: &'static str,
    pub(super) value: Value,
    pub(super) bound: Bound,
    /// Who is to reach it.
    pub(crate) of: &'static [&'static str],
}

/// How the value comes from what was measured.
#[derive(Debug)]
pub(super) enum Value {
    Median,
    P99,
    /// Divided, round by round, by that of the best of these who took part.
    Share(&'static [&'static str]),
    /// How many times the rate of the best of these: the time of that one, divided, round by round, by their own.
    Rate(&'static [&'static str]),
    /// Divided by their own under another condition.
    OwnShare(&'static str),
}

#[derive(Debug)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// Who hands a program over to the system on the caller's thread. A thread for each task does so on another, so that it
/// has no spawn to compare with.
const SPAWNERS: &[&str] = &[FLOOR, "tokio::process", "async-process", "duct"];
/// What people spawn with in the place of each backend: on tokio, on smol, and where there is no runtime.
const OWN_SPAWNS: &[&str] = &["tokio::process", "async-process", FLOOR];
const ASYNC_PEERS: &[&str] = &["tokio::process", "async-process"];
/// Bounded and not, taken one by one as their documentation shows first. In batches they are rows of the table.
const TOKIO_CHANNELS: &[&str] = &[TOKIO, TOKIO_UNBOUNDED];
/// How much output is captured.
pub(crate) const WHOLE_OUTPUT: &str = "256 MiB";
/// How many tasks are live at once, at most.
pub(crate) const MOST_LIVE: &str = "10,000 live";

/// All whom targets are for. Each line is the columns of a table.
pub(crate) const OURS: [&[&str]; 3] = [&BACKENDS, &KEEPING_ALL, &[MEMORY_QUEUE]];

/// All targets.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "launch",
        what: "launch returns, median",
        wanted: "at most 10 us",
        question: LAUNCH,
        condition: Some(SMALL),
        metric: "time",
        value: Value::Median,
        bound: Bound::AtMost(10e-6),
        of: &BACKENDS,
    },
    Target {
        name: "launch-against-spawn",
        what: "launch returns, against the fastest spawn",
        wanted: "at most 1/10",
        question: LAUNCH,
        condition: Some(SMALL),
        metric: "time",
        value: Value::Share(SPAWNERS),
        bound: Bound::AtMost(0.1),
        of: &BACKENDS,
    },
    Target {
        name: "launch-p99",
        what: "launch returns, p99",
        wanted: "at most 100 us",
        question: LAUNCH,
        condition: Some(SMALL),
        metric: "time",
        value: Value::P99,
        bound: Bound::AtMost(100e-6),
        of: &BACKENDS,
    },
    Target {
        name: "launch-large-parent",
        what: "launch returns, with 2 GiB resident against a small parent",
        wanted: "at most 1.5 x",
        question: LAUNCH,
        condition: Some(BESIDE_BALLAST),
        metric: "time",
        value: Value::OwnShare(SMALL),
        bound: Bound::AtMost(1.5),
        of: &BACKENDS,
    },
    Target {
        name: "launch-among-many",
        what: "launch returns, with 1,000 running against none",
        wanted: "at most 1.5 x",
        question: LAUNCH,
        condition: Some(AMONG_MANY),
        metric: "time",
        value: Value::OwnShare(SMALL),
        bound: Bound::AtMost(1.5),
        of: &BACKENDS,
    },
    Target {
        name: "gap",
        what: "runtime blocked by 200 launches, longest gap, against its own spawn",
        wanted: "at most 1/5",
        question: GAP,
        condition: None,
        metric: LONGEST_GAP,
        value: Value::Share(OWN_SPAWNS),
        bound: Bound::AtMost(0.2),
        of: &BACKENDS,
    },
    Target {
        name: "exit",
        what: "launch to drained notification of `/bin/true`, against bare spawn and wait",
        wanted: "at most 1.10 x",
        question: EXIT,
        condition: Some(""),
        metric: "time",
        value: Value::Share(&[FLOOR]),
        bound: Bound::AtMost(1.1),
        of: &BACKENDS,
    },
    Target {
        name: "throughput-against-std",
        what: "2,000 short tasks, rate against the best bare loop of up to 4 threads",
        wanted: "at least 1.0 x",
        question: THROUGHPUT,
        condition: Some(""),
        metric: "time",
        value: Value::Rate(&STD_LOOPS),
        bound: Bound::AtLeast(1.0),
        of: &BACKENDS,
    },
    Target {
        name: "throughput-against-async",
        what: "2,000 short tasks, rate against the best async peer",
        wanted: "at least 1.15 x",
        question: THROUGHPUT,
        condition: Some(""),
        metric: "time",
        value: Value::Rate(ASYNC_PEERS),
        bound: Bound::AtLeast(1.15),
        of: &BACKENDS,
    },
    Target {
        name: "queue-against-crossbeam",
        what: "queue, 4 producers, rate against crossbeam-channel, bounded",
        wanted: "at least 1.5 x",
        question: QUEUE,
        condition: Some(FOUR_PRODUCERS),
        metric: "time",
        value: Value::Rate(&[CROSSBEAM]),
        bound: Bound::AtLeast(1.5),
        of: &[MEMORY_QUEUE],
    },
    Target {
        name: "queue-against-tokio",
        what: "queue, 4 producers, rate against the faster of tokio's two mpsc",
        wanted: "at least 3 x",
        question: QUEUE,
        condition: Some(FOUR_PRODUCERS),
        metric: "time",
        value: Value::Rate(TOKIO_CHANNELS),
        bound: Bound::AtLeast(3.0),
        of: &[MEMORY_QUEUE],
    },
    Target {
        name: "queue-drain",
        what: "drain of 1,000, what the lease costs included",
        wanted: "at most 1 us",
        question: QUEUE,
        condition: Some(BURST),
        metric: DRAIN,
        value: Value::Median,
        bound: Bound::AtMost(1e-6),
        of: &[MEMORY_QUEUE],
    },
    Target {
        name: "capture-all-cpu",
        what: "256 MiB captured, all kept, processor time of the parent",
        wanted: "at most 2 ms",
        question: CAPTURE,
        condition: Some(WHOLE_OUTPUT),
        metric: PARENT_CPU,
        value: Value::Median,
        bound: Bound::AtMost(2e-3),
        of: &KEEPING_ALL,
    },
    Target {
        name: "capture-all-time",
        what: "256 MiB captured, all kept, against a bare redirect to a file",
        wanted: "at most 1.1 x",
        question: CAPTURE,
        condition: Some(WHOLE_OUTPUT),
        metric: "time",
        value: Value::Share(&[REDIRECT]),
        bound: Bound::AtMost(1.1),
        of: &KEEPING_ALL,
    },
    Target {
        name: "capture-limited-cpu",
        what: "256 MiB captured, within the default limit of 64 MiB, processor time of the parent",
        wanted: "at most 2 ms",
        question: CAPTURE,
        condition: Some(WHOLE_OUTPUT),
        metric: PARENT_CPU,
        value: Value::Median,
        bound: Bound::AtMost(2e-3),
        of: &BACKENDS,
    },
    Target {
        name: "capture-limited-time",
        what: "256 MiB captured, within the default limit of 64 MiB, against a bare redirect, which keeps all",
        wanted: "at most 1.1 x",
        question: CAPTURE,
        condition: Some(WHOLE_OUTPUT),
        metric: "time",
        value: Value::Share(&[REDIRECT]),
        bound: Bound::AtMost(1.1),
        of: &BACKENDS,
    },
    Target {
        name: "scale-threads",
        what: "10,000 live tasks, threads beside the runtime's own",
        wanted: "at most 8",
        question: SCALE,
        condition: Some(MOST_LIVE),
        metric: THREADS,
        value: Value::Median,
        bound: Bound::AtMost(8.0),
        of: &BACKENDS,
    },
    Target {
        name: "scale-memory",
        what: "10,000 live tasks, memory of the parent for each",
        wanted: "at most 4 KiB",
        question: SCALE,
        condition: Some(MOST_LIVE),
        metric: MEMORY,
        value: Value::Median,
        bound: Bound::AtMost(4096.0),
        of: &BACKENDS,
    },
    Target {
        name: "scale-rate",
        what: "10,000 live tasks, launch rate against a bare loop",
        wanted: "at least 0.95 x",
        question: SCALE,
        condition: Some(MOST_LIVE),
        metric: START,
        value: Value::Rate(&[FLOOR]),
        bound: Bound::AtLeast(0.95),
        of: &BACKENDS,
    },
    Target {
        name: "scale-stop",
        what: "10,000 live tasks, stop all against bare kill and reap",
        wanted: "at most 1.5 x",
        question: SCALE,
        condition: Some(MOST_LIVE),
        metric: STOP_ALL,
        value: Value::Share(&[FLOOR]),
        bound: Bound::AtMost(1.5),
        of: &BACKENDS,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use meanwhile_benches::{Effort, Gathering, SCALES, Series, scale_condition};

    use super::super::questions::QUESTIONS;
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: HashSet<_> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names.len(), TARGETS.len());
    }

    #[test]
    fn each_is_in_a_table() {
        for target in TARGETS {
            assert!(OURS.contains(&target.of), "{}", target.name);
        }
    }

    #[test]
    fn whoever_is_named_takes_part() {
        assert_eq!(scale_condition(SCALES[SCALES.len() - 1]), MOST_LIVE);

        let mut gathering = Gathering::new(Effort::Test);
        // Its contenders would be this program, which is not the one that they know how to run.
        let can_be_asked = |name: &str| name != SCALE;
        for question in QUESTIONS
            .iter()
            .filter(|question| can_be_asked(question.name))
        {
            (question.ask)(&mut gathering);
        }
        let series = gathering.into_series();
        for target in TARGETS
            .iter()
            .filter(|target| can_be_asked(target.question))
        {
            let others = match target.value {
                Value::Share(others) | Value::Rate(others) => others,
                Value::Median | Value::P99 | Value::OwnShare(_) => &[],
            };
            for name in target.of.iter().chain(others) {
                let is_his = |series: &Series| {
                    let key = &series.key;
                    (&*key.question, &*key.metric, &*key.contender)
                        == (target.question, target.metric, name)
                };
                assert!(
                    series.iter().any(is_his),
                    "{name} takes no part in {}",
                    target.name
                );
            }
        }
    }
}
