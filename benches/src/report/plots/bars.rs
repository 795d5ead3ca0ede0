//! Medians as bars, with a line from one end of the interval to the other.

use meanwhile_benches::{Role, amount};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::Drawn;
use super::style::{Area, INK, TEXT, TITLE, beside, bold, colour, text};
use crate::report::results::Group;

const WIDTH: u32 = 960;
/// Where bars begin, and where the longest ends.
const BARS: (i32, i32) = (240, 820);
const ROW: i32 = 28;
const HEAD: i32 = 48;

/// A picture with room for all `panels`.
pub(super) fn size(panels: &[(&str, Group<'_>)]) -> (u32, u32) {
    let height: i32 = panels.iter().map(|(_, group)| height(group)).sum();
    (WIDTH, height.unsigned_abs() + 12)
}

/// Draws `panels`, each with its title, below each other.
pub(super) fn draw(area: &Area<'_>, panels: &[(&str, Group<'_>)]) -> Drawn {
    let mut top = 0;
    for (title, group) in panels {
        draw_panel(area, top, title, group)?;
        top += height(group);
    }
    Ok(())
}

fn height(group: &Group<'_>) -> i32 {
    HEAD + ROW * group.series.len() as i32
}

fn draw_panel(area: &Area<'_>, top: i32, title: &str, group: &Group<'_>) -> Drawn {
    let title = format!("{title} (less is better)");
    area.draw(&Text::new(title, (20, top + 16), bold(TITLE)))?;

    let most = group
        .series
        .iter()
        .map(|series| series.estimate().high)
        .fold(f64::MIN_POSITIVE, f64::max);
    let end = |value: f64| BARS.0 + (f64::from(BARS.1 - BARS.0) * value / most) as i32;

    for (place, series) in group.best_first().into_iter().enumerate() {
        let estimate = series.estimate();
        let y = top + HEAD + ROW * place as i32 + ROW / 2;
        let label = match series.role {
            Role::Ours => bold(TEXT),
            Role::Peer | Role::Floor => text(TEXT),
        };
        let name = series.key.contender.clone();
        area.draw(&Text::new(
            name,
            (BARS.0 - 10, y),
            beside(label.clone(), HPos::Right),
        ))?;
        let corners = [(BARS.0, y - 9), (end(estimate.median), y + 9)];
        area.draw(&Rectangle::new(corners, colour(series).mix(0.6).filled()))?;
        let interval = [(end(estimate.low), y), (end(estimate.high), y)];
        area.draw(&PathElement::new(interval, INK.stroke_width(2)))?;
        let value = amount(series.unit, estimate.median);
        let right = end(estimate.high) + 8;
        area.draw(&Text::new(value, (right, y), beside(label, HPos::Left)))?;
    }
    Ok(())
}
