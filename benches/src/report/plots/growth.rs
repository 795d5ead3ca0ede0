//! What grows with the number of live tasks, and how.

use meanwhile_benches::{
    MEMORY, SCALE, SCALES, START, STOP_ALL, Series, THREADS, Unit, scale_condition,
};
use plotters::chart::ChartBuilder;
use plotters::coord::combinators::IntoLogRange;
use plotters::element::{Circle, Text};
use plotters::series::LineSeries;
use plotters::style::Color;

use super::Drawn;
use super::style::{
    Area, FAINT_GRID, GRID, INK, TEXT, TITLE, bold, colour, decades, legend, line, power, powers,
    text, thick_first,
};
use crate::report::results::Results;

pub(super) const SIZE: (u32, u32) = (960, 960);

/// One metric over the number of live tasks.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    title: &'static str,
    unit: Unit,
    /// For each contender some series to tell him by, and his points.
    curves: Vec<(&'a Series, Vec<(f64, f64)>)>,
}

/// How the value to be drawn comes from that measured with so many tasks.
type Value = fn(f64, f64) -> f64;

const METRICS: [(&str, &str, Unit, Value); 5] = [
    (
        START,
        "Time to start a task, all together",
        Unit::Seconds,
        |time, live| time / live,
    ),
    (STOP_ALL, "Time to stop all", Unit::Seconds, |time, _| time),
    (
        MEMORY,
        "Memory of the parent for each task",
        Unit::Bytes,
        |bytes, _| bytes,
    ),
    (
        THREADS,
        "Threads of the parent, if any",
        Unit::Count,
        |count, _| count,
    ),
    (
        meanwhile_benches::DESCRIPTORS,
        "Descriptors of the parent, if any",
        Unit::Count,
        |count, _| count,
    ),
];

/// Those that were measured.
pub(super) fn panels(results: Results<'_>) -> Vec<Panel<'_>> {
    let panel = |&(metric, title, unit, value): &(_, _, _, Value)| {
        let mut curves: Vec<(&Series, Vec<(f64, f64)>)> = Vec::new();
        for live in SCALES {
            let group = results.group(SCALE, &scale_condition(live), metric);
            for series in group.into_iter().flat_map(|group| group.series) {
                let point = (live as f64, value(series.quantile(0.5), live as f64));
                let is_his =
                    |(known, _): &&mut (&Series, _)| known.key.contender == series.key.contender;
                match curves.iter_mut().find(is_his) {
                    Some((_, points)) => points.push(point),
                    None => curves.push((series, vec![point])),
                }
            }
        }
        Panel {
            title,
            unit,
            curves,
        }
    };
    let panels = METRICS.iter().map(panel);
    panels.filter(|panel| !panel.curves.is_empty()).collect()
}

/// Draws `panels`, of which there is at least one, two in a row, and the legend behind them.
pub(super) fn draw(area: &Area<'_>, panels: &[Panel<'_>]) -> Drawn {
    let places = area.margin(8, 8, 8, 8).split_evenly((3, 2));
    for (panel, place) in panels.iter().zip(&places) {
        draw_panel(place, panel)?;
    }
    let Some((most, place)) = panels.first().zip(places.get(panels.len())) else {
        return Ok(());
    };
    let entries: Vec<_> = most
        .curves
        .iter()
        .map(|(series, _)| (*series, String::new()))
        .collect();
    legend(place, (90, 60), &entries)
}

fn draw_panel(area: &Area<'_>, panel: &Panel<'_>) -> Drawn {
    area.draw(&Text::new(panel.title, (16, 10), bold(TITLE)))?;
    let points = || panel.curves.iter().flat_map(|(_, points)| points);
    let (Some(x), Some(y)) = (
        decades(points().map(|point| point.0)),
        decades(points().map(|point| point.1)),
    ) else {
        return Ok(());
    };
    let (columns, rows) = (powers(&x), powers(&y));
    let mut chart = ChartBuilder::on(&area.margin(36, 0, 0, 0))
        .margin_right(28)
        .x_label_area_size(46)
        .y_label_area_size(74)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(FAINT_GRID)
        .x_labels(columns)
        .y_labels(rows)
        .label_style(text(TEXT))
        .x_label_formatter(&|live| power(Unit::Count, *live))
        .y_label_formatter(&|value| power(panel.unit, *value))
        .x_desc("live tasks")
        .axis_desc_style(text(TEXT))
        .draw()?;
    for (series, points) in thick_first(&panel.curves, |(series, _)| series) {
        // Nothing at all has no place on a logarithmic scale.
        let points = points.iter().copied().filter(|point| point.1 > 0.0);
        chart.draw_series(LineSeries::new(points.clone(), line(series)))?;
        let dots = points.map(|point| Circle::new(point, 3, colour(series).filled()));
        chart.draw_series(dots)?;
    }
    Ok(())
}
