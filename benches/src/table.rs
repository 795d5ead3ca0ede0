//! Series as text for people.

use std::fmt;

use crate::series::{Series, Unit};

/// The series of one contest as lines: for each its median and p99, and how it compares with the first one of the same
/// metric, round by round.
#[derive(Debug)]
pub struct Table<'a>(pub &'a [Series]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for series in self.0 {
            let same = |other: &&Series| other.key.metric == series.key.metric;
            let Some(first) = self.0.iter().find(same) else {
                continue;
            };
            let ratio = series.against(first);
            let line = format!(
                "  {:28} {:16} median {:>9}  p99 {:>9}  x {:.2} ({:.2} to {:.2})",
                series.key.contender,
                series.key.metric,
                amount(series.unit, series.quantile(0.5)),
                amount(series.unit, series.quantile(0.99)),
                ratio.median,
                ratio.low,
                ratio.high,
            );
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// A value with three digits and its unit, for instance `12.3 us`.
#[must_use]
pub fn amount(unit: Unit, value: f64) -> String {
    let (scale, names): (f64, &[&str]) = match unit {
        // From nanoseconds on.
        Unit::Seconds => (1e9, &["ns", "us", "ms", "s"]),
        Unit::Bytes => (1.0, &["B", "kB", "MB", "GB"]),
        Unit::Count => (1.0, &[""]),
    };
    let mut value = value * scale;
    let mut names = names.iter();
    let mut name = names.next().copied().unwrap_or_default();
    for next in names {
        if value.abs() < 999.5 {
            break;
        }
        value /= 1e3;
        name = next;
    }
    let digits = match value.abs() {
        _ if value == value.round() && value.abs() < 1e4 => 0,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {name}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        assert_eq!(amount(Unit::Seconds, 0.000_012_345), "12.3 us");
        assert_eq!(amount(Unit::Seconds, 1.5), "1.50 s");
        assert_eq!(amount(Unit::Bytes, 2_500_000.0), "2.50 MB");
        assert_eq!(amount(Unit::Count, 9.0), "9");
        assert_eq!(amount(Unit::Seconds, 0.0), "0 ns");
    }
}
