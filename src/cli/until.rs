//! A time to come, as a person writes it: `2h`, `2026-12-24`, `2026-12-24T18:00`, RFC 3339.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

use crate::project::{duration_ms, parse_duration};

/// How far away it may be: a year, as durations.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What is said where something else was found.
const EXPECTED: &str =
    "expected `2h`, `3d`, `2026-12-24`, `2026-12-24T18:00` or `2026-12-24T18:00:00Z`";

/// The time that `text` means at `now` in `zone`: a duration from now; a date, to its end; a date and
/// a time of that zone; or RFC 3339. Whole seconds.
///
/// # Errors
/// A lower-case sentence: it is none of these, not ahead of `now`, or more than a year away.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let until = read(text.trim(), now, zone, DayEnd::Last)?;
    let until = until.round(Unit::Second).unwrap_or(until);
    if until <= now {
        return Err("that time has already passed".to_owned());
    }
    if until.duration_since(now) > LONGEST {
        return Err("that is more than a year away".to_owned());
    }
    Ok(until)
}

/// Which end of a day a date without a time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayEnd {
    /// Its first moment.
    First,
    /// Its last moment.
    Last,
}

/// The time of a log that `text` means at `now` in `zone`: a duration before now; a date, at this
/// `end` of it; a date and a time of that zone; or RFC 3339.
///
/// # Errors
/// A lower-case sentence: it is none of these.
pub fn in_a_log(
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
    end: DayEnd,
) -> Result<Timestamp, String> {
    let expected =
        "expected `10m`, `2h`, `2026-12-24`, `2026-12-24 18:00` or `2026-12-24T18:00:00Z`";
    let text = text.trim();
    let time = match duration_ms(text) {
        Ok(ms) => {
            let ms = i64::try_from(ms).unwrap_or(i64::MAX);
            now.checked_sub(SignedDuration::from_millis(ms)).ok()
        }
        Err(_) => read(text, now, zone, end).ok(),
    };
    time.ok_or_else(|| expected.to_owned())
}

fn read(text: &str, now: Timestamp, zone: &TimeZone, end: DayEnd) -> Result<Timestamp, String> {
    let expected = |_| EXPECTED.to_owned();
    let is_date = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('-');
    if !is_date {
        let ms = duration_ms(text).map_err(|why| match parse_duration(text) {
            // It is one, and too long.
            Some(_) => why,
            None => EXPECTED.to_owned(),
        })?;
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        let until = now.checked_add(SignedDuration::from_millis(ms));
        return until.map_err(expected);
    }
    // An annotation such as `[Europe/Berlin]` would be passed over.
    if text.contains('[') {
        return Err(EXPECTED.to_owned());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let time: DateTime = match text.contains([':', 'T', 't', ' ']) {
        true => text.parse().map_err(expected)?,
        false => {
            let date: Date = text.parse().map_err(expected)?;
            let day = match end {
                DayEnd::First => date,
                DayEnd::Last => date.checked_add(1.day()).map_err(expected)?,
            };
            day.to_datetime(jiff::civil::Time::midnight())
        }
    };
    let zoned = time.to_zoned(zone.clone()).map_err(expected)?;
    Ok(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz;
    use proptest::prelude::*;

    /// Noon UTC, in a zone two hours ahead.
    fn parsed(text: &str) -> Result<String, String> {
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(tz::offset(2));
        parse(text, now, &zone).map(|until| until.to_string())
    }

    #[test]
    fn times_of_a_log_lie_behind() {
        let parsed = |text, end| {
            let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
            let zone = TimeZone::fixed(tz::offset(2));
            in_a_log(text, now, &zone, end).map(|time| time.to_string())
        };
        for (text, time) in [
            ("10m", "2026-06-01T11:50:00Z"),
            (" 2h ", "2026-06-01T10:00:00Z"),
            ("2026-05-30", "2026-05-29T22:00:00Z"),
            ("2026-05-30 10:00", "2026-05-30T08:00:00Z"),
            ("2026-05-30T10:00:30", "2026-05-30T08:00:30Z"),
            ("2026-05-30T10:00:00Z", "2026-05-30T10:00:00Z"),
            ("2026-05-30T10:00:00+01:00", "2026-05-30T09:00:00Z"),
        ] {
            assert_eq!(parsed(text, DayEnd::First).as_deref(), Ok(time), "{text}");
        }
        let last = parsed("2026-05-30", DayEnd::Last);
        assert_eq!(last.as_deref(), Ok("2026-05-30T22:00:00Z"));
        for text in ["", "yesterday", "10", "-5m", "2026-13-01", "10m[UTC]"] {
            assert!(parsed(text, DayEnd::First).is_err(), "{text}");
        }
    }

    #[test]
    fn times_that_are_meant() {
        for (text, until) in [
            ("2h", "2026-06-01T14:00:00Z"),
            ("3d", "2026-06-04T12:00:00Z"),
            ("1h30m", "2026-06-01T13:30:00Z"),
            // To the end of that day.
            ("2026-06-01", "2026-06-01T22:00:00Z"),
            ("2026-12-24", "2026-12-24T22:00:00Z"),
            ("2026-12-24T18:00", "2026-12-24T16:00:00Z"),
            ("2026-12-24 18:00", "2026-12-24T16:00:00Z"),
            ("2026-12-24T18:00:30", "2026-12-24T16:00:30Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:00-05:00", "2026-12-24T23:00:00Z"),
            ("365d", "2027-06-01T12:00:00Z"),
        ] {
            assert_eq!(parsed(text), Ok(until.to_owned()), "{text}");
        }
    }

    #[test]
    fn times_that_are_not() {
        for text in [
            "",
            "tomorrow",
            "18:00",
            "2026-13-01",
            "2026-12-24T25:00",
            "2026-12-24T",
            "2026-12-24T18:00[Europe/Berlin]",
            "2h ago",
            "-2h",
            "12",
        ] {
            assert_eq!(parsed(text), Err(EXPECTED.to_owned()), "{text}");
        }
        for text in [
            "0s",
            "2026-05-31",
            "2026-06-01T14:00",
            "2026-06-01T12:00:00Z",
        ] {
            let why = parsed(text).unwrap_err();
            assert_eq!(why, "that time has already passed", "{text}");
        }
        for text in ["2126-12-24", "9999-12-31"] {
            let why = parsed(text).unwrap_err();
            assert!(why.contains("year") || why == EXPECTED, "{text}: {why}");
        }
        assert!(parsed("400d").unwrap_err().contains("at most"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = parsed(&text);
        }

        #[test]
        fn what_is_taken_is_ahead_and_near(text in "20[2-9][0-9]-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9])?") {
            if let Ok(until) = parsed(&text) {
                let until: Timestamp = until.parse().unwrap();
                let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
                prop_assert!(until > now && until.duration_since(now) <= LONGEST);
            }
        }
    }
}
