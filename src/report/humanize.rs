//! Numbers as a person says them.

use jiff::Timestamp;

/// A duration in milliseconds: `340 ms`, `3.2s`, `1m 04s`, `1h 02m`, `2d 3h`. Cut off, not
/// rounded, so that nothing is said to have taken longer than it did.
#[must_use]
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        _ => elapsed(ms),
    }
}

/// A duration in milliseconds that still grows: whole seconds, so that it reads calmly.
#[must_use]
pub fn elapsed(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {:02}s", seconds % 60),
        3_600..172_800 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// A size in bytes with SI units (1 kB is 1000 bytes): `0 B`, `48 kB`, `1.2 MB`, `812 MB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if n < 1_000 {
        return format!("{n} B");
    }
    // In tenths of the unit, in u128 so that rounding cannot overflow.
    let mut unit = 0;
    let mut scale: u128 = 1_000;
    loop {
        let tenths = (u128::from(n) * 10 + scale / 2) / scale;
        if tenths < 1_000 {
            return match tenths % 10 {
                0 => format!("{} {}", tenths / 10, UNITS[unit]),
                tenth => format!("{}.{tenth} {}", tenths / 10, UNITS[unit]),
            };
        }
        let whole = (u128::from(n) + scale / 2) / scale;
        if whole < 1_000 || unit + 1 == UNITS.len() {
            return format!("{whole} {}", UNITS[unit]);
        }
        unit += 1;
        scale *= 1_000;
    }
}

/// How fast `n` bytes travelled in `ms` milliseconds: `8 MB/s`; `None` before there is anything
/// to tell.
#[must_use]
pub fn rate(n: u64, ms: u64) -> Option<String> {
    let per_second = u128::from(n) * 1_000 / u128::from(ms.max(1));
    (n > 0 && ms > 0).then(|| format!("{}/s", bytes(u64::try_from(per_second).unwrap_or(u64::MAX))))
}

/// `1 host`, `2 hosts`, `10,000 lines`.
#[must_use]
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(n))
}

/// `10,000`.
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// When `then` (RFC 3339) was, seen from `now`: `just now`, `3 minutes ago`, `5 days ago`. A time
/// ahead of `now` (clocks differ) is `in 3 minutes`; what is not a time is given back as it is.
#[must_use]
pub fn ago(then: &str, now: Timestamp) -> String {
    let Ok(at) = then.parse::<Timestamp>() else {
        return then.to_owned();
    };
    let seconds = now.as_second() - at.as_second();
    let (n, noun) = match seconds.unsigned_abs() {
        0..10 => return "just now".to_owned(),
        n @ 10..60 => (n, "second"),
        n @ 60..3_600 => (n / 60, "minute"),
        n @ 3_600..86_400 => (n / 3_600, "hour"),
        n @ 86_400..1_209_600 => (n / 86_400, "day"),
        n @ 1_209_600..5_184_000 => (n / 604_800, "week"),
        n @ 5_184_000..63_072_000 => (n / 2_592_000, "month"),
        n => (n / 31_536_000, "year"),
    };
    match seconds {
        0.. => format!("{} ago", count(n, noun)),
        _ => format!("in {}", count(n, noun)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (ms, said) in [
            (0, "0 ms"),
            (340, "340 ms"),
            (999, "999 ms"),
            (1_000, "1.0s"),
            (3_249, "3.2s"),
            (59_999, "59.9s"),
            (60_000, "1m 00s"),
            (64_000, "1m 04s"),
            (3_599_999, "59m 59s"),
            (3_720_000, "1h 02m"),
            (183_600_000, "2d 3h"),
        ] {
            assert_eq!(duration(ms), said);
        }
        assert_eq!(elapsed(30_900), "30s");
        assert_eq!(elapsed(64_000), "1m 04s");
    }

    #[test]
    fn sizes() {
        for (n, said) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (48_000, "48 kB"),
            (48_310, "48.3 kB"),
            (99_960, "100 kB"),
            (812_400, "812 kB"),
            (999_499, "999 kB"),
            (999_500, "1 MB"),
            (1_234_567, "1.2 MB"),
            (40_000_000, "40 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(n), said);
        }
        assert_eq!(rate(16_000_000, 2_000).as_deref(), Some("8 MB/s"));
        assert_eq!(rate(0, 2_000), None);
        assert_eq!(rate(5, 0), None);
        assert!(rate(u64::MAX, 1).is_some());
    }

    #[test]
    fn counts() {
        assert_eq!(count(1, "host"), "1 host");
        assert_eq!(count(0, "host"), "0 hosts");
        assert_eq!(count(10_000, "line"), "10,000 lines");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn times_ago() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (then, said) in [
            ("2026-03-01T11:59:55Z", "just now"),
            ("2026-03-01T11:59:18Z", "42 seconds ago"),
            ("2026-03-01T11:57:00Z", "3 minutes ago"),
            ("2026-03-01T10:59:00Z", "1 hour ago"),
            ("2026-02-24T12:00:00Z", "5 days ago"),
            ("2026-02-08T12:00:00Z", "3 weeks ago"),
            ("2025-11-01T12:00:00Z", "4 months ago"),
            ("2023-11-01T12:00:00Z", "2 years ago"),
            ("2026-03-01T12:03:00Z", "in 3 minutes"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(ago(then, now), said);
        }
    }
}
