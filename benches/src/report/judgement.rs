//! Whether ours reach their targets.

use std::fmt;

use meanwhile_benches::{Estimate, Role, Series, Unit, amount};

use super::measurements::{Depth, Measurements};
use super::results::{Group, Results, p99, quotient};
use super::targets::{Bound, TARGETS, Target, Value};
use super::text::{interval, times};

/// What came of a target for one of ours.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) target: &'static Target,
    pub(crate) contender: &'static str,
    measured: Option<Measured>,
}

#[derive(Debug)]
struct Measured {
    estimate: Estimate,
    /// Of the value itself. A ratio has none.
    unit: Option<Unit>,
    /// With whom it was compared, where there was a choice.
    best: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    NotMeasured,
}

/// Judges all targets, each for all whom it is for.
pub(crate) fn judge(results: Results<'_>) -> Vec<Judgement> {
    let of = |target: &'static Target| {
        let judge = move |&contender| Judgement {
            target,
            contender,
            measured: target.measure(results, contender),
        };
        target.of.iter().map(judge)
    };
    TARGETS.iter().flat_map(of).collect()
}

/// How many came to this.
pub(crate) fn count(judged: &[Judgement], verdict: Verdict) -> usize {
    let is_it = |judgement: &&Judgement| judgement.verdict() == verdict;
    judged.iter().filter(is_it).count()
}

/// The targets as lines for a terminal.
pub(crate) fn lines(judged: &[Judgement]) -> String {
    let line = |judgement: &Judgement| {
        let verdict = match judgement.verdict() {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::NotMeasured => "",
        };
        let Target { what, wanted, .. } = judgement.target;
        let contender = judgement.contender;
        format!("  {verdict:6}  {contender:27}  {what}: {wanted}; {judgement}\n")
    };
    judged.iter().map(line).collect()
}

/// Those that are missed. A full run must have measured all that it asked: what is not measured is not met.
pub(crate) fn missed<'a>(measured: &Measurements, judged: &'a [Judgement]) -> Vec<&'a Judgement> {
    let is_missed = |judgement: &&Judgement| match judgement.verdict() {
        Verdict::Met => false,
        Verdict::Missed => true,
        Verdict::NotMeasured => {
            measured.depth == Depth::Full && measured.has_asked(judgement.target.question)
        }
    };
    judged.iter().filter(is_missed).collect()
}

impl Target {
    fn measure(&self, results: Results<'_>, contender: &str) -> Option<Measured> {
        let group = results.groups().into_iter().find(|group| {
            let is_asked = self
                .condition
                .is_none_or(|condition| condition == group.condition);
            let is_it = (group.question, group.metric) == (self.question, self.metric);
            is_asked && is_it && group.contender(contender).is_some()
        })?;
        let series = group.contender(contender)?;
        let plain = |estimate| Measured {
            estimate,
            unit: Some(series.unit),
            best: None,
        };
        let ratio = |estimate, best| Measured {
            estimate,
            unit: None,
            best,
        };
        let measured = match self.value {
            Value::Median => plain(series.estimate()),
            Value::P99 => plain(p99(series)),
            Value::Share(others) => {
                let (best, name) = best_of(&group, others)?;
                ratio(series.against(best), name)
            }
            Value::Rate(others) => {
                let (best, name) = best_of(&group, others)?;
                ratio(best.against(series), name)
            }
            Value::OwnShare(condition) => {
                let other = results.group(self.question, condition, self.metric)?;
                let other = other.contender(contender)?.estimate();
                ratio(quotient(series.estimate(), other), None)
            }
        };
        measured.estimate.median.is_finite().then_some(measured)
    }
}

/// The best of `names` by the median, and who that is if it had to be found out.
fn best_of<'a>(group: &Group<'a>, names: &[&str]) -> Option<(&'a Series, Option<String>)> {
    let is_meant = |series: &Series| {
        series.role != Role::Ours && names.contains(&series.key.contender.as_str())
    };
    let best = group.best(is_meant)?;
    let name = (names.len() > 1).then(|| best.key.contender.clone());
    Some((best, name))
}

impl Judgement {
    /// Only the median decides: its interval stands beside it.
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(Measured { estimate, .. }) = self.measured else {
            return Verdict::NotMeasured;
        };
        let is_met = match self.target.bound {
            Bound::AtMost(most) => estimate.median <= most,
            Bound::AtLeast(least) => estimate.median >= least,
        };
        if is_met {
            Verdict::Met
        } else {
            Verdict::Missed
        }
    }
}

/// The value with its interval, for instance `8.12 us (7.90 to 8.31)`.
impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(measured) = &self.measured else {
            return write!(f, "not measured");
        };
        let value = |value| {
            measured
                .unit
                .map_or_else(|| times(value), |unit| amount(unit, value))
        };
        write!(f, "{}", interval(measured.estimate, value))?;
        match &measured.best {
            Some(best) => write!(f, " of {best}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use meanwhile_benches::{
        AMONG_MANY, BACKENDS, BESIDE_BALLAST, FLOOR, LAUNCH, SMALL, STD_LOOPS, THROUGHPUT,
    };

    use super::super::made_up::series;
    use super::*;

    /// What came of the target `name` for `contender`.
    fn judged(series: &[Series], name: &str, contender: &str) -> (Verdict, String) {
        let judgements = judge(Results(series));
        let is_it = |judgement: &&Judgement| {
            judgement.target.name == name && judgement.contender == contender
        };
        let judgement = judgements.iter().find(is_it).unwrap();
        (judgement.verdict(), judgement.to_string())
    }

    #[test]
    fn only_the_median_decides() {
        let ours = |values| {
            [series(
                (LAUNCH, SMALL, "time"),
                Role::Ours,
                BACKENDS[0],
                values,
            )]
        };
        let (verdict, text) = judged(&ours(&[9e-6, 10e-6, 30e-6]), "launch", BACKENDS[0]);
        assert_eq!((verdict, text.as_str()), (Verdict::Met, "10 us (9 to 30)"));
        let (verdict, _) = judged(&ours(&[9e-6, 11e-6, 11e-6]), "launch", BACKENDS[0]);
        assert_eq!(verdict, Verdict::Missed);
        let (verdict, text) = judged(&ours(&[9e-6]), "launch", BACKENDS[1]);
        assert_eq!(
            (verdict, text.as_str()),
            (Verdict::NotMeasured, "not measured")
        );
    }

    #[test]
    fn the_fastest_peer_is_compared_with() {
        let key = (LAUNCH, SMALL, "time");
        let all = [
            series(key, Role::Floor, FLOOR, &[200e-6, 200e-6]),
            series(key, Role::Ours, BACKENDS[2], &[11e-6, 11e-6]),
            series(key, Role::Peer, "duct", &[100e-6, 100e-6]),
            // It hands the spawn to another thread.
            series(key, Role::Peer, "thread + output()", &[20e-6, 20e-6]),
        ];
        let (verdict, text) = judged(&all, "launch-against-spawn", BACKENDS[2]);
        assert_eq!(verdict, Verdict::Missed);
        assert_eq!(text, "0.110 x of duct");
    }

    #[test]
    fn conditions_are_compared_with_each_other() {
        let all = [
            series((LAUNCH, SMALL, "time"), Role::Ours, BACKENDS[1], &[10e-6]),
            series(
                (LAUNCH, AMONG_MANY, "time"),
                Role::Ours,
                BACKENDS[1],
                &[15e-6],
            ),
            series(
                (LAUNCH, BESIDE_BALLAST, "time"),
                Role::Ours,
                BACKENDS[1],
                &[16e-6],
            ),
        ];
        assert_eq!(
            judged(&all, "launch-among-many", BACKENDS[1]).0,
            Verdict::Met
        );
        assert_eq!(
            judged(&all, "launch-large-parent", BACKENDS[1]).0,
            Verdict::Missed
        );
    }

    #[test]
    fn a_rate_is_the_greater_the_shorter_the_time() {
        let time = (THROUGHPUT, "", "time");
        let all = [
            series(time, Role::Floor, STD_LOOPS[0], &[2.0, 2.0]),
            series(time, Role::Floor, STD_LOOPS[1], &[1.0, 1.0]),
            series(time, Role::Ours, BACKENDS[0], &[0.8, 0.8]),
        ];
        let (verdict, text) = judged(&all, "throughput-against-std", BACKENDS[0]);
        assert_eq!(verdict, Verdict::Met);
        assert!(
            text.starts_with("1.25 x") && text.ends_with(STD_LOOPS[1]),
            "{text}"
        );
    }
}
