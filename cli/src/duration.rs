//! Times as people write them: `5m`, `30s`, `300000ms`, `1h30m`.

use std::time::Duration;

const EXAMPLES: &str = "write it as 30s, 5m, 1h30m or 300000ms";

/// Reads numbers, each followed by a unit (`d`, `h`, `m`, `s`, `ms`), and adds them up.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text.is_empty() {
        return Err(format!("is empty: {EXAMPLES}"));
    }
    let mut sum = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = split(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(format!("{rest:?} does not begin with a number: {EXAMPLES}"));
        }
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" => {
                return Err(format!(
                    "{digits} has no unit: write {digits}s, {digits}m or {digits}ms"
                ));
            }
            "." | "," => return Err(format!("{text} is not a whole number: {EXAMPLES}")),
            _ => return Err(format!("{unit:?} is not a unit of time: {EXAMPLES}")),
        };
        let part = digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(milliseconds));
        sum = part
            .and_then(|part| sum.checked_add(Duration::from_millis(part)))
            .ok_or("is longer than any clock runs")?;
        rest = after;
    }
    Ok(sum)
}

fn split(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, milliseconds) in [
            ("5m", 300_000),
            ("30s", 30_000),
            ("300000ms", 300_000),
            ("1h30m", 5_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_bare_number_is_refused_with_what_would_be_right() {
        let said = parse("90").expect_err("no unit");
        assert!(said.contains("90s, 90m or 90ms"), "{said}");
        assert!(parse("1m30").is_err());
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "", " ", "s", "-5s", "+5s", "5 s", "5sec", "5M", "1.5h", "5m ", "5µs", "٣s", "\0",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse("99999999999999999999s").is_err());
        assert!(parse("18446744073709551615d").is_err());
    }
}
