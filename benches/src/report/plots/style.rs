//! How plots look: the same everywhere.

use std::ops::Range;

use meanwhile_benches::{BACKENDS, Role, Series, Unit, amount};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Text};
use plotters::prelude::{RGBColor, SVGBackend, ShapeStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, IntoFont, TextStyle};

use super::Drawn;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
pub(super) const GRID: RGBColor = RGBColor(215, 215, 215);
pub(super) const FAINT_GRID: RGBColor = RGBColor(240, 240, 240);

/// How large text is. The library's points are larger than those of the picture.
pub(super) const TEXT: i32 = 16;
pub(super) const TITLE: i32 = 19;

/// Who is of which colour: those of Okabe and Ito, which the colour-blind can tell apart. A backend has
/// its own, whatever it keeps.
pub(super) fn colour(series: &Series) -> RGBColor {
    match series.key.contender.as_str() {
        name if name.starts_with(BACKENDS[0]) => RGBColor(0, 114, 178),
        name if name.starts_with(BACKENDS[1]) => RGBColor(213, 94, 0),
        name if name.starts_with(BACKENDS[2]) => RGBColor(0, 158, 115),
        "tokio::process" => RGBColor(230, 159, 0),
        "async-process" => RGBColor(86, 180, 233),
        "duct" => RGBColor(204, 121, 167),
        _ => match series.role {
            Role::Ours => RGBColor(0, 114, 178),
            Role::Peer => RGBColor(150, 150, 150),
            Role::Floor => RGBColor(0, 0, 0),
        },
    }
}

/// Ours are drawn with thick lines.
pub(super) fn line(series: &Series) -> ShapeStyle {
    let width = match series.role {
        Role::Ours => 4,
        Role::Peer | Role::Floor => 2,
    };
    colour(series).stroke_width(width)
}

/// In the order in which lines are drawn: the thick ones first, so that thin ones can be seen on top.
pub(super) fn thick_first<'a, T>(
    curves: &'a [T],
    series: impl Fn(&'a T) -> &'a Series,
) -> impl Iterator<Item = &'a T> {
    let (thick, thin): (Vec<_>, Vec<_>) = curves
        .iter()
        .partition(|curve| series(curve).role == Role::Ours);
    thick.into_iter().chain(thin)
}

pub(super) fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

pub(super) fn bold(size: i32) -> TextStyle<'static> {
    FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Bold).color(&INK)
}

/// Text whose middle is at the height of its point, to the right or to the left of it.
pub(super) fn beside(style: TextStyle<'static>, side: HPos) -> TextStyle<'static> {
    style.pos(Pos::new(side, VPos::Center))
}

/// The names of contenders in their colours, from `(left, top)` downwards, and a note to each.
pub(super) fn legend(
    area: &Area<'_>,
    (left, top): (i32, i32),
    entries: &[(&Series, String)],
) -> Drawn {
    const STEP: i32 = 26;
    const WIDTH: i32 = 250;
    for (place, (series, note)) in entries.iter().enumerate() {
        let y = top + STEP * place as i32;
        area.draw(&PathElement::new([(left, y), (left + 26, y)], line(series)))?;
        area.draw(&Circle::new((left + 13, y), 3, colour(series).filled()))?;
        let name = series.key.contender.clone();
        area.draw(&Text::new(
            name,
            (left + 36, y),
            beside(text(TEXT), HPos::Left),
        ))?;
        let end = (left + WIDTH, y);
        area.draw(&Text::new(
            note.clone(),
            end,
            beside(text(TEXT), HPos::Right),
        ))?;
    }
    Ok(())
}

/// From one power of ten to another, around all `values` that a logarithmic scale can show. `None` if it can show none.
pub(super) fn decades(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let logs: Vec<f64> = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .map(f64::log10)
        .collect();
    let low = logs.iter().copied().min_by(f64::total_cmp)?.floor();
    let high = logs.iter().copied().max_by(f64::total_cmp)?.ceil();
    // A little wider, so that rounding leaves no power of ten out.
    Some(10_f64.powf(low) * 0.999..10_f64.powf(high.max(low + 1.0)) * 1.001)
}

/// How many powers of ten a range has, both ends included.
pub(super) fn powers(range: &Range<f64>) -> usize {
    (range.end / range.start).log10().round() as usize + 1
}

/// What stands at a power of ten, which may be off by the rounding of floating point.
pub(super) fn power(unit: Unit, value: f64) -> String {
    let exponent = value.log10().round();
    match unit {
        Unit::Count if exponent >= 3.0 => format!("1{:0>1$},000", "", exponent as usize - 3),
        _ => amount(unit, 10_f64.powf(exponent))
            .replace(".00", "")
            .replace(".0", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_round() {
        assert_eq!(power(Unit::Count, 9.99), "10");
        assert_eq!(power(Unit::Count, 1e3), "1,000");
        assert_eq!(power(Unit::Count, 1e5), "100,000");
        assert_eq!(power(Unit::Seconds, 1e-4), "100 us");
        assert_eq!(power(Unit::Seconds, 1e-3), "1 ms");
    }

    #[test]
    fn ranges_go_from_power_to_power() {
        let range = decades([0.0, 3e-6, 5e-4].into_iter()).unwrap();
        assert!(range.contains(&1e-6) && range.contains(&1e-3));
        assert_eq!(powers(&range), 4);
        assert!(decades([0.0, f64::NAN].into_iter()).is_none());
    }
}
