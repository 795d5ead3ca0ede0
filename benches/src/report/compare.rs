//! What a change did: two runs, one before it and one after.
//!
//! Times drift from run to run with the machine, so they are not compared as such: what is compared is how they relate,
//! within each run, to those of a contender that the change did not touch. Memory and counts do not drift.

use std::fmt;

use meanwhile_benches::{Estimate, Key, Role, Series, Unit, amount};

use super::measurements::Measurements;
use super::results::{Group, Results, cautious, quotient};
use super::text::{digits, interval, joined, times};

/// Changes below this share are not told, however sure they are: code that did not change at all differs by as much when
/// it is laid out anew.
const LEAST: f64 = 0.03;

/// All that ours did before and after.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// In order of effect, the worst first.
    changes: Vec<Change>,
    /// Why the two runs may not be comparable.
    warnings: Vec<String>,
    /// The contests that were not held then, or had too few rounds then or now.
    left_out: Vec<String>,
}

/// One metric of one of ours.
#[derive(Debug)]
struct Change {
    key: Key,
    /// To whom it is put in relation, if it is.
    reference: Option<String>,
    unit: Unit,
    before: Estimate,
    after: Estimate,
    /// How many times worse it has become: below one it is better.
    effect: Estimate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Worse,
    Better,
    /// No change that could be told from noise.
    Same,
}

impl Comparison {
    /// Compares `now` with the `baseline`.
    pub(crate) fn of(now: &Measurements, baseline: &Measurements) -> Self {
        let (after, before) = (Results(&now.series), Results(&baseline.series));
        let mut changes = Vec::new();
        let mut left_out = Vec::new();
        for group in after.groups() {
            let earlier = before.group(group.question, group.condition, group.metric);
            let ours = |series: &&&Series| series.role == Role::Ours;
            for series in group.series.iter().filter(ours) {
                let change = earlier
                    .as_ref()
                    .and_then(|earlier| change(series, &group, earlier));
                match change {
                    Some(change) => changes.push(change),
                    None => left_out.push(joined(&[group.question, group.condition])),
                }
            }
        }
        left_out.dedup();
        changes.sort_by(|one, other| other.effect.median.total_cmp(&one.effect.median));
        let mut warnings = now.machine.differences(&baseline.machine);
        if now.build.rustc != baseline.build.rustc {
            let name =
                |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
            let (then, now) = (name(&baseline.build.rustc), name(&now.build.rustc));
            warnings.push(format!("not the same compiler: {then} then, {now} now"));
        }
        if now.depth != baseline.depth {
            warnings.push(format!(
                "not the same depth: {:?} then, {:?} now",
                baseline.depth, now.depth
            ));
        }
        for (run, when) in [(baseline, "then"), (now, "now")] {
            if let Some(load) = run.disturbance() {
                warnings.push(format!(
                    "other programs were at work {when}, with a load of {load:.1}"
                ));
            }
        }
        Self {
            changes,
            warnings,
            left_out,
        }
    }
}

/// What became of `series`. `None` if it was not in the `earlier` group, or one of the two has too few rounds.
fn change(series: &Series, group: &Group<'_>, earlier: &Group<'_>) -> Option<Change> {
    let old = earlier.contender(&series.key.contender)?;
    let reference = match series.unit {
        Unit::Seconds => group.reference(),
        Unit::Bytes | Unit::Count => None,
    };
    let references = reference.and_then(|new| Some((new, earlier.contender(&new.key.contender)?)));
    let (before, after) = match references {
        Some((new, earlier)) => (
            cautious(&old.ratios(earlier))?,
            cautious(&series.ratios(new))?,
        ),
        None => (cautious(&old.values)?, cautious(&series.values)?),
    };
    let effect = match before == after {
        // Nothing then and nothing now have no quotient.
        true => Estimate::of(vec![1.0]),
        false => quotient(after, before),
    };
    Some(Change {
        key: series.key.clone(),
        reference: references.map(|(new, _)| new.key.contender.clone()),
        unit: series.unit,
        before,
        after,
        effect,
    })
}

impl Change {
    fn verdict(&self) -> Verdict {
        // That the intervals of both runs are apart is that of their quotient being off one.
        if self.effect.low > 1.0 && self.effect.median >= 1.0 + LEAST {
            Verdict::Worse
        } else if self.effect.high < 1.0 && self.effect.median <= 1.0 / (1.0 + LEAST) {
            Verdict::Better
        } else {
            Verdict::Same
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        if !self.left_out.is_empty() {
            writeln!(
                f,
                "too few rounds, now or then: {}",
                self.left_out.join("; ")
            )?;
        }
        let of = |verdict| {
            self.changes
                .iter()
                .filter(move |change| change.verdict() == verdict)
        };
        for (verdict, title) in [
            (Verdict::Same, "no change that could be told from noise"),
            (Verdict::Worse, "worse"),
            (Verdict::Better, "better"),
        ] {
            writeln!(f, "{title}: {}", of(verdict).count())?;
            of(verdict).try_for_each(|change| writeln!(f, "  {change}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value| match self.reference {
            Some(_) => times(value),
            None => amount(self.unit, value),
        };
        write!(
            f,
            "x {}  {}: {} -> {}",
            interval(self.effect, digits),
            name(&self.key),
            value(self.before.median),
            value(self.after.median),
        )?;
        match &self.reference {
            Some(reference) => write!(f, " of {reference}"),
            None => Ok(()),
        }
    }
}

fn name(key: &Key) -> String {
    joined(&[&key.contender, &key.question, &key.condition, &key.metric])
}

#[cfg(test)]
mod tests {
    use meanwhile_benches::{BACKENDS, FLOOR, LAUNCH, MEMORY, SCALE, SMALL};

    use super::super::made_up::{measurements, noisy, series};
    use super::*;

    const TIME: (&str, &str, &str) = (LAUNCH, SMALL, "time");
    const ROUNDS: usize = 150;

    /// Launches of ours that take `ours` seconds beside a floor of `floor` seconds.
    fn run(ours: f64, floor: f64, seed: u64) -> Measurements {
        measurements(vec![
            series(TIME, Role::Floor, FLOOR, &noisy(floor, ROUNDS, seed)),
            series(
                TIME,
                Role::Ours,
                BACKENDS[0],
                &noisy(ours, ROUNDS, seed + 1_000),
            ),
        ])
    }

    fn verdicts(now: &Measurements, baseline: &Measurements) -> Vec<Verdict> {
        let comparison = Comparison::of(now, baseline);
        comparison.changes.iter().map(Change::verdict).collect()
    }

    #[test]
    fn a_change_is_told() {
        let baseline = run(10e-6, 200e-6, 1);
        assert_eq!(
            verdicts(&run(12e-6, 200e-6, 2), &baseline),
            [Verdict::Worse]
        );
        assert_eq!(
            verdicts(&run(8e-6, 200e-6, 3), &baseline),
            [Verdict::Better]
        );
    }

    #[test]
    fn noise_is_not_told() {
        let runs: Vec<_> = (0..20).map(|seed| run(10e-6, 200e-6, seed)).collect();
        for (now, baseline) in runs.iter().zip(&runs[1..]) {
            assert_eq!(verdicts(now, baseline), [Verdict::Same]);
        }
    }

    #[test]
    fn a_slower_machine_is_no_change() {
        let (before, after) = (run(10e-6, 200e-6, 4), run(20e-6, 400e-6, 5));
        assert_eq!(verdicts(&after, &before), [Verdict::Same]);
    }

    #[test]
    fn what_is_sure_but_small_is_not_told() {
        let exactly =
            |value| measurements(vec![series(TIME, Role::Ours, BACKENDS[0], &[value; 30])]);
        assert_eq!(verdicts(&exactly(1.02), &exactly(1.0)), [Verdict::Same]);
        assert_eq!(verdicts(&exactly(1.04), &exactly(1.0)), [Verdict::Worse]);
    }

    #[test]
    fn nothing_is_told_from_too_few_rounds() {
        let rounds =
            |values: &[f64]| measurements(vec![series(TIME, Role::Ours, BACKENDS[0], values)]);
        let comparison = Comparison::of(&rounds(&[2.0, 2.0]), &rounds(&[1.0; 9]));
        assert!(comparison.changes.is_empty());
        assert_eq!(comparison.left_out.len(), 1);
        assert_eq!(
            verdicts(&rounds(&[2.0, 2.5, 3.0]), &rounds(&[1.0; 9])),
            [Verdict::Same]
        );
        assert_eq!(
            verdicts(&rounds(&[2.0, 2.1, 2.2]), &rounds(&[1.0; 9])),
            [Verdict::Worse]
        );
    }

    #[test]
    fn less_memory_is_better_and_a_count_may_be_zero() {
        let of = |unit, value| {
            let mut series = series(
                (SCALE, "10 live", MEMORY),
                Role::Ours,
                BACKENDS[1],
                &[value; 9],
            );
            series.unit = unit;
            measurements(vec![series])
        };
        let verdict = |unit, before, after| verdicts(&of(unit, after), &of(unit, before));
        assert_eq!(verdict(Unit::Bytes, 2e3, 1e3), [Verdict::Better]);
        assert_eq!(verdict(Unit::Count, 0.0, 1.0), [Verdict::Worse]);
        assert_eq!(verdict(Unit::Count, 0.0, 0.0), [Verdict::Same]);
    }

    #[test]
    fn another_machine_and_a_busy_one_are_told() {
        let baseline = run(10e-6, 200e-6, 6);
        let mut now = baseline.clone();
        assert_eq!(Comparison::of(&now, &baseline).warnings, [""; 0]);
        now.machine.cores += 1;
        now.load = Some(7.0);
        let text = Comparison::of(&now, &baseline).to_string();
        assert!(text.contains("warning: not the same cores"), "{text}");
        assert!(text.contains("at work now, with a load of 7.0"), "{text}");
    }
}
