//! Numbers for people.

use meanwhile_benches::Estimate;

/// A number with three digits.
pub(crate) fn digits(value: f64) -> String {
    let before = value.abs().log10().floor();
    let after = (2.0 - before).clamp(0.0, 5.0);
    match value {
        0.0 => "0".to_owned(),
        _ => format!("{value:.*}", after as usize),
    }
}

/// A ratio, for instance `1.25 x`.
pub(crate) fn times(ratio: f64) -> String {
    digits(ratio) + " x"
}

/// Those of `parts` that are not empty, with commas between.
pub(crate) fn joined(parts: &[&str]) -> String {
    let parts = parts.iter().copied().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// A median and its interval, for instance `12.9 us (12.2 to 15.1)`. A single value has none.
pub(crate) fn interval(estimate: Estimate, value: impl Fn(f64) -> String) -> String {
    let Estimate { median, low, high } = estimate;
    let [median, low, high] = [median, low, high].map(value);
    if median == low && median == high {
        return median;
    }
    let parts = |text: &str| {
        text.split_once(' ')
            .map(|(number, unit)| (number.to_owned(), unit.to_owned()))
    };
    match (parts(&median), parts(&low), parts(&high)) {
        (Some((_, unit)), Some((low, of_low)), Some((high, of_high)))
            if unit == of_low && unit == of_high =>
        {
            format!("{median} ({low} to {high})")
        }
        _ => format!("{median} ({low} to {high})"),
    }
}

#[cfg(test)]
mod tests {
    use meanwhile_benches::{Unit, amount};

    use super::*;

    #[test]
    fn a_unit_that_is_shared_stands_once() {
        let text = |median, low, high| {
            interval(Estimate { median, low, high }, |value| {
                amount(Unit::Seconds, value)
            })
        };
        assert_eq!(text(12e-6, 11e-6, 13e-6), "12 us (11 to 13)");
        assert_eq!(text(1e-6, 900e-9, 1.2e-6), "1 us (900 ns to 1.20 us)");
        assert_eq!(text(2.0, 2.0, 2.0), "2 s");
    }

    #[test]
    fn ratios_have_three_digits() {
        assert_eq!(times(0.0447), "0.0447 x");
        assert_eq!(times(1.249), "1.25 x");
        assert_eq!(times(31.42), "31.4 x");
        assert_eq!(times(1234.4), "1234 x");
        assert_eq!(times(0.0), "0 x");
    }
}
