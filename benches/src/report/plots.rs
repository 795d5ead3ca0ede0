//! Pictures of what was measured, as SVG. Text is drawn by whoever looks at them.

mod bars;
mod distribution;
mod growth;
mod style;

use meanwhile_benches::{
    BURST, CAPTURE, DRAIN, EXIT, FOUR_PRODUCERS, LAUNCH, PARENT_CPU, QUEUE, SCALE, SMALL,
    THROUGHPUT,
};
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::{SVGBackend, WHITE};

use self::style::Area;
use super::error::Error;
use super::results::{Group, Results};
use super::targets::WHOLE_OUTPUT;

/// A picture.
#[derive(Debug)]
pub(crate) struct Plot {
    /// The name of its file.
    pub(crate) file: String,
    /// What it shows, for those who cannot see it.
    pub(crate) shows: String,
    pub(crate) svg: String,
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The picture of how long launches take, which the README shows.
pub(crate) const FIRST: &str = "launch.svg";

/// All that the results are enough for.
pub(crate) fn all(results: Results<'_>) -> Result<Vec<Plot>, Error> {
    let mut plots = Vec::new();
    for (file, question, condition, title) in [
        (
            FIRST,
            LAUNCH,
            SMALL,
            "For how long a launch holds up its caller",
        ),
        (
            "exit.svg",
            EXIT,
            "",
            "From the launch of /bin/true until its caller knows of its end",
        ),
    ] {
        if let Some(group) = results.group(question, condition, "time") {
            plots.push(plot(file, title, distribution::SIZE, |area| {
                distribution::draw(area, title, &group)
            })?);
        }
    }
    let panels = growth::panels(results);
    if !panels.is_empty() {
        let title = format!("What live tasks cost, by their number ({SCALE})");
        let draw = |area: &Area<'_>| growth::draw(area, &panels);
        plots.push(plot("scale.svg", &title, growth::SIZE, draw)?);
    }
    for (file, of) in [
        (
            "throughput.svg",
            &[(THROUGHPUT, "", "time", "2,000 short tasks, 64 at once")][..],
        ),
        (
            "capture.svg",
            &[
                (
                    CAPTURE,
                    WHOLE_OUTPUT,
                    PARENT_CPU,
                    "256 MiB captured, processor time of the parent",
                ),
                (CAPTURE, WHOLE_OUTPUT, "time", "256 MiB captured, time"),
            ],
        ),
        (
            "queue.svg",
            &[
                (
                    QUEUE,
                    FOUR_PRODUCERS,
                    "time",
                    "40,000 endings from 4 producers to 1 consumer",
                ),
                (QUEUE, BURST, DRAIN, "Drain of 1,000"),
            ],
        ),
    ] {
        let panel = |&(question, condition, metric, title)| {
            let group = results.group(question, condition, metric)?;
            Some((title, group))
        };
        let panels: Vec<(&str, Group<'_>)> = of.iter().filter_map(panel).collect();
        if panels.is_empty() {
            continue;
        }
        let titles: Vec<&str> = panels.iter().map(|(title, _)| *title).collect();
        let draw = |area: &Area<'_>| bars::draw(area, &panels);
        plots.push(plot(file, &titles.join("; "), bars::size(&panels), draw)?);
    }
    Ok(plots)
}

fn plot(
    file: &str,
    shows: &str,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<Plot, Error> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    // Both of GitHub's themes show it the same.
    let drawn = area
        .fill(&WHITE)
        .and_then(|()| draw(&area))
        .and_then(|()| area.present());
    drop(area);
    drawn.map_err(|error| Error::because(format!("cannot draw {file}"), error.to_string()))?;
    Ok(Plot {
        file: file.to_owned(),
        shows: shows.to_owned(),
        svg,
    })
}

#[cfg(test)]
mod tests {
    use meanwhile_benches::{BACKENDS, FLOOR, Role, SCALES, START, STOP_ALL, scale_condition};

    use super::super::made_up::{noisy, series};
    use super::*;

    #[test]
    fn each_contender_is_in_the_picture() {
        let key = (LAUNCH, SMALL, "time");
        let all = [
            series(key, Role::Floor, FLOOR, &noisy(200e-6, 50, 1)),
            series(key, Role::Ours, BACKENDS[0], &noisy(8e-6, 50, 2)),
        ];
        let plots = super::all(Results(&all)).unwrap();
        assert_eq!(plots.len(), 1);
        assert_eq!(plots[0].file, FIRST);
        let svg = &plots[0].svg;
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in [FLOOR, BACKENDS[0], "10 us", "100 us"] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn growth_has_a_panel_for_each_metric_and_a_point_for_each_number() {
        let mut all = Vec::new();
        for live in SCALES {
            let condition = scale_condition(live);
            for metric in [START, STOP_ALL] {
                let time = live as f64 * 1e-4;
                all.push(series(
                    (SCALE, &condition, metric),
                    Role::Ours,
                    BACKENDS[1],
                    &[time],
                ));
            }
        }
        let plots = super::all(Results(&all)).unwrap();
        assert_eq!(plots.len(), 1);
        // One more each in the legend.
        assert_eq!(
            plots[0].svg.matches("<circle").count(),
            2 * SCALES.len() + 1
        );
    }

    #[test]
    fn bars_say_their_values() {
        let all = [series(
            (THROUGHPUT, "", "time"),
            Role::Ours,
            BACKENDS[2],
            &[1.25],
        )];
        let plots = super::all(Results(&all)).unwrap();
        assert!(plots[0].svg.contains("1.25 s"));
    }

    #[test]
    fn nothing_measured_is_nothing_drawn() {
        assert!(super::all(Results(&[])).unwrap().is_empty());
        // Times of zero have no place on a logarithmic scale.
        let zero = [series(
            (LAUNCH, SMALL, "time"),
            Role::Ours,
            BACKENDS[0],
            &[0.0],
        )];
        super::all(Results(&zero)).unwrap();
    }
}
