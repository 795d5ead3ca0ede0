//! `BENCHMARKS.md`.

use super::judgement::{Judgement, Verdict, count};
use super::losses::{missed, slower};
use super::machine::Machine;
use super::markdown::{FOLDER, picture, table};
use super::measurements::{Depth, Measurements};
use super::numbers::numbers;
use super::plots::Plot;
use super::results::Results;
use super::targets::{OURS, TARGETS, Target};

/// The data, in the folder of the plots.
pub(crate) const DATA: &str = "measurements.json";

const METHOD: &str = include_str!("method.md");
const BIAS: &str = include_str!("bias.md");

/// The whole page.
pub(crate) fn page(measured: &Measurements, judged: &[Judgement], plots: &[Plot]) -> String {
    let results = Results(&measured.series);
    let sections = [
        head(measured),
        "## Targets".to_owned(),
        targets(judged),
        "## Where we lose".to_owned(),
        missed(judged),
        slower(results),
        "## Pictures".to_owned(),
        pictures(plots),
        "## Numbers".to_owned(),
        numbers(results),
        "## Method".to_owned(),
        METHOD.trim().to_owned(),
        "## Our bias".to_owned(),
        BIAS.trim().to_owned(),
    ];
    let sections = sections.into_iter().filter(|section| !section.is_empty());
    sections.collect::<Vec<_>>().join("\n\n") + "\n"
}

fn head(measured: &Measurements) -> String {
    let Measurements { machine, build, .. } = measured;
    let notes = match measured.depth {
        Depth::Trial => "\n\n**A trial: the numbers mean nothing.**",
        Depth::Quick => "\n\n**A quick run, with few rounds: a first look.**",
        Depth::Full if !measured.is_complete() => "\n\n**Not every question was asked.**",
        Depth::Full => "",
    };
    let rows = [
        ("machine", of_machine(machine)),
        (
            "load when it began",
            measured
                .load
                .map_or_else(unknown, |load| format!("{load:.2}")),
        ),
        ("commit", build.commit()),
        ("compiler", build.rustc.clone().unwrap_or_else(unknown)),
        ("command", format!("`{}`", measured.command)),
        (
            "when",
            format!("{}, in {}", measured.date, minutes(measured.seconds)),
        ),
        ("raw values", format!("[{DATA}]({FOLDER}/{DATA})")),
    ];
    let rows = rows.map(|(what, value)| vec![what.to_owned(), value]);
    format!(
        "# Benchmarks\n\n<!-- Written by the report of benches: what is changed by hand here is lost. -->\n\n\
         What background tasks cost with each backend, with what people would use instead, and with bare `std::process`, \
         which is the floor. What counts are the ratios within the run. How to run it is told in \
         [benches/README.md](benches/README.md).{notes}\n\n{}",
        table(&["", ""], rows.into_iter()),
    )
}

fn of_machine(machine: &Machine) -> String {
    let memory = machine
        .memory
        .map(|memory| format!(", {:.0} GiB", memory as f64 / f64::from(1 << 30)));
    let virtual_machine = if machine.is_virtual {
        ", a virtual machine"
    } else {
        ""
    };
    let governor = machine
        .governor
        .as_ref()
        .map(|governor| format!(", governor {governor}"));
    format!(
        "{}, {} cores{}{virtual_machine}; {}{}",
        machine.processor,
        machine.cores,
        memory.unwrap_or_default(),
        machine.system,
        governor.unwrap_or_default(),
    )
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn minutes(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{} min {} s", seconds / 60, seconds % 60)
}

/// A table for each line of ours.
fn targets(judged: &[Judgement]) -> String {
    let cell = |judgement: &Judgement| match judgement.verdict() {
        Verdict::Missed => format!("**missed**: {judgement}"),
        Verdict::Met | Verdict::NotMeasured => judgement.to_string(),
    };
    let row = |target: &Target| {
        let its = judged
            .iter()
            .filter(|judgement| judgement.target.name == target.name);
        let begin = [target.what.to_owned(), target.wanted.to_owned()];
        begin.into_iter().chain(its.map(cell)).collect()
    };
    let tables = OURS.map(|ours| {
        let its = TARGETS.iter().filter(|target| target.of == ours);
        table(&[&["what", "target"], ours].concat(), its.map(row))
    });
    let [met, missed, others] =
        [Verdict::Met, Verdict::Missed, Verdict::NotMeasured].map(|verdict| count(judged, verdict));
    format!(
        "{met} are met, {missed} are missed, {others} were not measured.\n\n{}",
        tables.join("\n\n"),
    )
}

fn pictures(plots: &[Plot]) -> String {
    let pictures = plots.iter().map(picture);
    pictures.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use meanwhile_benches::{BACKENDS, FLOOR, LAUNCH, Role, SMALL};

    use super::super::judgement::judge;
    use super::super::made_up::{measurements, noisy, series};
    use super::super::plots;
    use super::*;

    #[test]
    fn the_page_tells_what_is_met_and_what_is_missed() {
        let key = (LAUNCH, SMALL, "time");
        let measured = measurements(vec![
            series(key, Role::Floor, FLOOR, &noisy(200e-6, 100, 1)),
            series(key, Role::Ours, BACKENDS[0], &noisy(9e-6, 100, 2)),
            series(key, Role::Ours, BACKENDS[1], &noisy(15e-6, 100, 3)),
            series(key, Role::Peer, "duct", &noisy(10e-6, 100, 4)),
        ]);
        let results = Results(&measured.series);
        let page = page(&measured, &judge(results), &plots::all(results).unwrap());
        let line = |begin: &str| page.lines().find(|line| line.starts_with(begin)).unwrap();

        let cells: Vec<_> = line("| launch returns, median |").split(" | ").collect();
        assert_eq!(cells.len(), 5);
        assert!(cells[2].starts_with("9"), "{}", cells[2]);
        assert!(cells[3].starts_with("**missed**: 15"), "{}", cells[3]);
        assert!(cells[4].starts_with("not measured"));
        assert!(line("**launch returns, median,").contains(BACKENDS[1]));
        assert!(line("| launch, nothing running, time |").contains("| duct 1."));
        assert!(page.contains("](benches/report/launch.svg)"));
        for heading in ["Method", "Our bias", "Where we lose", "Numbers"] {
            assert!(
                page.contains(&format!("\n## {heading}\n")),
                "{heading} is missing"
            );
        }
    }
}
