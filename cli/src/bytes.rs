//! Sizes as people write them: `65536`, `64K`, `64MiB`.

/// Reads a number of bytes, or of the binary units `K`, `M`, `G` (also `KiB`, `MiB`, `GiB`).
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let wrong = || format!("{text:?} is not a size: write it as 65536, 512K, 64M or 1GiB");
    let shift = match unit {
        "" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_binary() {
        for (text, bytes) in [
            ("65536", 65_536),
            ("8K", 8 << 10),
            ("64M", 64 << 20),
            ("64MiB", 64 << 20),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "",
            "M",
            "-1",
            "1.5M",
            "64 M",
            "64MB",
            "64m",
            "99999999999G",
            "18446744073709551616",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
