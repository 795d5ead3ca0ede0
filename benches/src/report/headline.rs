//! What of the benchmarks stands in the README.

use meanwhile_benches::{
    BACKENDS, CAPTURE, EXIT, KEEPING_ALL, LAUNCH, MEMORY, PARENT_CPU, Role, SCALE, SMALL, STOP_ALL,
    Series, THROUGHPUT, amount,
};

use super::judgement::{Judgement, Verdict, count};
use super::machine::Machine;
use super::markdown::{picture, table};
use super::measurements::Measurements;
use super::plots::{FIRST, Plot};
use super::results::Results;
use super::targets::{MOST_LIVE, WHOLE_OUTPUT};

/// Between these the README shows the headline.
const MARKERS: (&str, &str) = ("<!-- benchmarks -->", "<!-- /benchmarks -->");

/// A plot and a table for whoever comes by.
pub(crate) fn headline(measured: &Measurements, judged: &[Judgement], plots: &[Plot]) -> String {
    let results = Results(&measured.series);
    let rows = [
        ("a launch returns", BACKENDS, (LAUNCH, SMALL, "time")),
        (
            "from the launch of `/bin/true` until its end is known",
            BACKENDS,
            (EXIT, "", "time"),
        ),
        (
            "2,000 short tasks, 64 at once",
            BACKENDS,
            (THROUGHPUT, "", "time"),
        ),
        (
            "256 MiB captured, all kept, processor time of the parent",
            KEEPING_ALL,
            (CAPTURE, WHOLE_OUTPUT, PARENT_CPU),
        ),
        (
            "256 MiB captured, ours keep 64 MiB, processor time of the parent",
            BACKENDS,
            (CAPTURE, WHOLE_OUTPUT, PARENT_CPU),
        ),
        (
            "10,000 live tasks, memory for each",
            BACKENDS,
            (SCALE, MOST_LIVE, MEMORY),
        ),
        (
            "10,000 live tasks, stop all",
            BACKENDS,
            (SCALE, MOST_LIVE, STOP_ALL),
        ),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(what, ours, (question, condition, metric))| {
            let group = results.group(question, condition, metric)?;
            let median = |series: &Series| amount(series.unit, series.quantile(0.5));
            let mut row = vec![what.to_owned()];
            for name in ours {
                row.push(group.contender(name).map(median).unwrap_or_default());
            }
            let best = |role| {
                let best = group.best(|series| series.role == role);
                let text = |best| format!("{} ({})", median(best), best.key.contender);
                best.map(text).unwrap_or_default()
            };
            row.extend([best(Role::Floor), best(Role::Peer)]);
            Some(row)
        });
    let mut head = vec!["median"];
    head.extend(BACKENDS);
    head.extend(["bare std", "the best peer"]);

    let picture = plots
        .iter()
        .find(|plot| plot.file == FIRST)
        .map(picture)
        .unwrap_or_default();
    let met = count(judged, Verdict::Met);
    let all = judged.len();
    let Machine {
        cores, processor, ..
    } = &measured.machine;
    format!(
        "{picture}\n\n{}\n\nOn {cores} cores ({processor}). [BENCHMARKS.md](BENCHMARKS.md) has all numbers, the method, our \
         bias, and where we lose: {met} of {all} targets are met.",
        table(&head, rows),
    )
}

/// `readme` with the headline of a run between its markers. `None` if it has none.
pub(crate) fn within(readme: &str, headline: &str) -> Option<String> {
    let (before, rest) = readme.split_once(MARKERS.0)?;
    let (_, after) = rest.split_once(MARKERS.1)?;
    let (begin, end) = MARKERS;
    Some(format!("{before}{begin}\n{headline}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let readme = "before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n";
        let changed = "before\n<!-- benchmarks -->\nnew\n<!-- /benchmarks -->\nafter\n";
        assert_eq!(within(readme, "new").as_deref(), Some(changed));
        assert_eq!(within(changed, "new").as_deref(), Some(changed));
        assert_eq!(within("no markers", "new"), None);
    }
}
