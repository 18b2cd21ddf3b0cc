//! Durations as a person writes them: `30s`, `10m`, `1h30m`, `250ms`.

/// Units from the longest to the shortest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration that a manifest may hold: 365 days, in ms.
pub const LONGEST_MS: u64 = 365 * 86_400_000;

/// What is said where something else was found.
pub const EXPECTED: &str = "expected a duration such as `250ms`, `30s`, `10m` or `1h30m`";

/// Reads whole numbers with a unit each, from the longest unit to the shortest, without spaces;
/// gives milliseconds. `None` when `text` is something else.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        // A unit that came before, or a longer one after a shorter one, is not found any more.
        let (_, ms) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*ms)?)?;
        rest = tail;
    }
    Some(total)
}

/// Reads a duration that a person gives elsewhere, such as `--wait 10m`: milliseconds.
///
/// # Errors
/// What was expected, when `text` is no duration or longer than [`LONGEST_MS`].
pub fn duration_ms(text: &str) -> Result<u64, String> {
    match parse(text) {
        Some(ms) if ms <= LONGEST_MS => Ok(ms),
        Some(_) => Err(format!("expected at most `{}`", format(LONGEST_MS))),
        None => Err(EXPECTED.to_owned()),
    }
}

/// Writes `ms` milliseconds so that [`parse`] reads the same: `1m30s`, `250ms`, `0s`.
#[must_use]
pub fn format(ms: u64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut rest = ms;
    let mut text = String::new();
    for (name, unit) in UNITS {
        // Days read badly in settings that are minutes and hours: `1d` only when it is whole days.
        if name == "d" && !rest.is_multiple_of(unit) {
            continue;
        }
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, ms) in [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1s500ms", 1_500),
        ] {
            assert_eq!(parse(text), Some(ms), "{text}");
        }
        for bad in [
            "",
            "30",
            "s",
            "30 s",
            "-1s",
            "+1s",
            "1.5s",
            "30S",
            "30sec",
            "10s1m",
            "1s1s",
            "99999999999999999999s",
            "1m ",
            "١s",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ms in 0..=LONGEST_MS) {
            prop_assert_eq!(parse(&format(ms)), Some(ms));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse(&text);
        }
    }
}
