//! Where we lose.

use std::iter;

use meanwhile_benches::{Role, Series};

use super::judgement::{Judgement, Verdict};
use super::markdown::table;
use super::results::{Group, Results, cautious};
use super::targets::{OURS, TARGETS, Target};
use super::text::{joined, times};

const CAUSES: &str = include_str!("causes.md");

/// What is missed, with its cause.
pub(crate) fn missed(judged: &[Judgement]) -> String {
    let about = |target: &&'static Target| {
        let is_its = |judgement: &&Judgement| {
            judgement.target.name == target.name && judgement.verdict() == Verdict::Missed
        };
        let by: Vec<_> = judged
            .iter()
            .filter(is_its)
            .map(|judgement| judgement.contender)
            .collect();
        let cause = cause(CAUSES, target.name).unwrap_or("Its cause is not known yet.");
        (!by.is_empty()).then(|| {
            format!(
                "**{}, {}**: missed by {}. {cause}",
                target.what,
                target.wanted,
                by.join(", ")
            )
        })
    };
    let missed: Vec<_> = TARGETS.iter().filter_map(|target| about(&target)).collect();
    if missed.is_empty() {
        return "No target is missed.".to_owned();
    }
    format!("### Targets that are missed\n\n{}", missed.join("\n\n"))
}

/// Every comparison in which a peer is better, as far as it can be told from noise: a table for each line of ours.
pub(crate) fn slower(results: Results<'_>) -> String {
    let tables = OURS.map(|ours| {
        let groups = results.groups();
        let rows: Vec<_> = groups.iter().filter_map(|group| row(group, ours)).collect();
        let head: Vec<_> = iter::once("where").chain(ours.iter().copied()).collect();
        (!rows.is_empty()).then(|| table(&head, rows.into_iter()))
    });
    let tables: Vec<_> = tables.into_iter().flatten().collect();
    if tables.is_empty() {
        return "Nowhere is a peer better by more than noise.".to_owned();
    }
    format!(
        "### Where peers are better\n\nBehind each peer stands how many times worse ours is. What could be noise is left \
         out.\n\n{}",
        tables.join("\n\n")
    )
}

/// Who of the peers is better than whom of `ours`. `None` if nobody is.
fn row(group: &Group<'_>, ours: &[&str]) -> Option<Vec<String>> {
    let better_than = |mine: &Series| {
        let peers = group.series.iter().filter(|peer| peer.role == Role::Peer);
        let better = peers.filter_map(|peer| {
            let worse = cautious(&mine.ratios(peer)).filter(|worse| worse.low > 1.0)?;
            let name = &peer.key.contender;
            Some(match worse.median.is_finite() {
                true => format!("{name} {}", times(worse.median)),
                false => format!("{name} has none"),
            })
        });
        better.collect::<Vec<_>>().join(", ")
    };
    let cells = ours
        .iter()
        .map(|name| group.contender(name).map(better_than).unwrap_or_default());
    let cells: Vec<_> = cells.collect();
    let place = joined(&[group.question, group.condition, group.metric]);
    let is_there = cells.iter().any(|cell| !cell.is_empty());
    is_there.then(|| iter::once(place).chain(cells).collect())
}

/// What stands in `causes` below the heading `name`.
fn cause<'a>(causes: &'a str, name: &str) -> Option<&'a str> {
    let mut sections = causes.split("\n## ").skip(1);
    let section = sections.find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'))?;
    Some(section.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_what_stands_below_the_name() {
        let causes =
            "# Causes\n\nOf what.\n\n## launch\n\nOne cause.\n\n## launch-p99\n\nAnother.\n";
        assert_eq!(cause(causes, "launch"), Some("One cause."));
        assert_eq!(cause(causes, "launch-p99"), Some("Another."));
        assert_eq!(cause(causes, "exit"), None);
    }

    #[test]
    fn causes_are_of_targets() {
        for heading in CAUSES.lines().filter_map(|line| line.strip_prefix("## ")) {
            let is_named = |target: &Target| target.name == heading;
            assert!(TARGETS.iter().any(is_named), "there is no target {heading}");
        }
    }
}
