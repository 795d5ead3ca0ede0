//! How many of the rounds took no longer than a time, for each contender.

use meanwhile_benches::{Series, Unit, amount};
use plotters::chart::ChartBuilder;
use plotters::coord::combinators::IntoLogRange;
use plotters::element::Text;
use plotters::series::LineSeries;

use super::Drawn;
use super::style::{
    Area, FAINT_GRID, GRID, INK, TEXT, TITLE, bold, decades, legend, line, power, powers, text,
    thick_first,
};
use crate::report::results::Group;

pub(super) const SIZE: (u32, u32) = (960, 400);

/// Draws a curve for each of `group`, which is one of times.
pub(super) fn draw(area: &Area<'_>, title: &str, group: &Group<'_>) -> Drawn {
    let values = group
        .series
        .iter()
        .flat_map(|series| series.values.iter().copied());
    let Some(range) = decades(values) else {
        return Ok(());
    };
    area.draw(&Text::new(title.to_owned(), (20, 16), bold(TITLE)))?;
    let (left, right) = area.margin(44, 8, 8, 8).split_horizontally(660);

    let labels = powers(&range);
    let mut chart = ChartBuilder::on(&left)
        .margin_right(24)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(range.clone().log_scale(), 0.0..100.0)?;
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(FAINT_GRID)
        .y_max_light_lines(1)
        .x_labels(labels)
        .y_labels(6)
        .label_style(text(TEXT))
        .x_label_formatter(&|value| power(Unit::Seconds, *value))
        .y_label_formatter(&|share| format!("{share} %"))
        .x_desc("no longer than")
        .y_desc("share of all rounds")
        .axis_desc_style(text(TEXT))
        .draw()?;
    for series in thick_first(&group.series, |series| series) {
        let curve = (0..=200).map(|step| {
            let share = f64::from(step) / 200.0;
            (series.quantile(share).max(range.start), share * 100.0)
        });
        chart.draw_series(LineSeries::new(curve, line(series)))?;
    }

    let median = |series: &Series| amount(series.unit, series.quantile(0.5));
    let entries: Vec<_> = group
        .best_first()
        .into_iter()
        .map(|series| (series, median(series)))
        .collect();
    right.draw(&Text::new("median", (222, 2), text(TEXT)))?;
    legend(&right, (10, 36), &entries)
}
