//! Whether a visitor needs all of a file, a part of it, or nothing new (RFC 9110, sections 13 and
//! 14).

use std::fs::Metadata;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;

use hyper::header::{
    HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// What tells one version of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// An entity tag, with its quotes: size and time of modification, ns.
    pub etag: String,
    /// The time of modification as an HTTP date, where it has one.
    pub modified: Option<String>,
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed {
    /// The whole file.
    All,
    /// These bytes of it, at least one.
    Part(Range<u64>),
    /// None of it: what the visitor has is this version.
    NotModified,
    /// None of it: the range lies outside.
    OutOfRange,
    /// None of it: the visitor wants another version only.
    OtherVersion,
}

impl Version {
    /// The version of a file.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self::at(metadata.len(), metadata.mtime(), metadata.mtime_nsec())
    }

    fn at(size: u64, seconds: i64, nanoseconds: i64) -> Self {
        Self {
            etag: format!("\"{size:x}-{seconds:x}.{nanoseconds:x}\""),
            modified: Timestamp::from_second(seconds).ok().and_then(|time| {
                DateTimePrinter::new()
                    .timestamp_to_rfc9110_string(&time)
                    .ok()
            }),
        }
    }

    /// The same version under a content coding. It is `weak` when it is encoded as it is asked for:
    /// another build of ship may then make other bytes of it.
    #[must_use]
    pub fn encoded(&self, coding: &str, weak: bool) -> Self {
        let weak = if weak { "W/" } else { "" };
        Self {
            etag: format!("{weak}\"{}-{coding}\"", self.etag.trim_matches('"')),
            modified: self.modified.clone(),
        }
    }

    /// What of this version, `size` bytes, a request with these headers needs.
    ///
    /// Dates are compared for equality: after a rollback the older file is the new one, and a visitor
    /// with the newer one must not hear that nothing was modified since.
    #[must_use]
    pub fn needed(&self, headers: &HeaderMap, size: u64, is_get: bool) -> Needed {
        if headers.contains_key(IF_MATCH) && !self.is_listed(headers, &IF_MATCH, false) {
            return Needed::OtherVersion;
        }
        let known = if headers.contains_key(IF_NONE_MATCH) {
            self.is_listed(headers, &IF_NONE_MATCH, true)
        } else {
            self.modified.is_some() && text(headers, &IF_MODIFIED_SINCE) == self.modified.as_deref()
        };
        if known {
            return Needed::NotModified;
        }
        // A date in If-Range is never taken: two versions can share a second.
        let same =
            !headers.contains_key(IF_RANGE) || text(headers, &IF_RANGE) == Some(self.etag.as_str());
        match text(headers, &RANGE) {
            Some(asked) if is_get && same => range(asked, size),
            _ => Needed::All,
        }
    }

    /// Whether the header `name` lists this version; a weak tag counts where `weak`.
    fn is_listed<'a>(&'a self, headers: &'a HeaderMap, name: &HeaderName, weak: bool) -> bool {
        let tags = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok());
        tags.flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| {
                let opaque = |tag: &'a str| tag.strip_prefix("W/").unwrap_or(tag);
                tag == "*"
                    || (weak && opaque(tag) == opaque(&self.etag))
                    || (tag == self.etag && !tag.starts_with("W/"))
            })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Reads `Range: bytes=…` of a file of `size` bytes. More than one range, another unit and what is
/// no range are ignored, as section 14.2 allows.
fn range(asked: &str, size: u64) -> Needed {
    let Some((unit, set)) = asked.split_once('=') else {
        return Needed::All;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Needed::All;
    }
    let Some((first, last)) = set.trim().split_once('-') else {
        return Needed::All;
    };
    let range = match (first, number(first), last, number(last)) {
        (_, Some(first), "", _) => first..size,
        (_, Some(first), _, Some(last)) if first <= last => first..size.min(last.saturating_add(1)),
        ("", _, _, Some(length)) => size.saturating_sub(length)..size,
        _ => return Needed::All,
    };
    if range.is_empty() {
        Needed::OutOfRange
    } else {
        Needed::Part(range)
    }
}

/// Digits only; a number that is too large is larger than any file.
fn number(digits: &str) -> Option<u64> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(headers: &[(HeaderName, &'static str)]) -> Needed {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        Version::at(100, 1_700_000_000, 5).needed(&map, 100, true)
    }

    #[test]
    fn a_version_is_its_size_and_its_time() {
        let version = Version::at(255, 1_700_000_000, 5);
        assert_eq!(version.etag, "\"ff-6553f100.5\"");
        assert_eq!(version.encoded("br", false).etag, "\"ff-6553f100.5-br\"");
        assert_eq!(
            version.encoded("gzip", true).etag,
            "W/\"ff-6553f100.5-gzip\""
        );
        assert_eq!(
            version.modified.as_deref(),
            Some("Tue, 14 Nov 2023 22:13:20 GMT")
        );
    }

    #[test]
    fn a_visitor_who_has_this_version_gets_nothing() {
        const TAG: &str = "\"64-6553f100.5\"";
        const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
        const LATER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";
        assert_eq!(needed(&[(IF_NONE_MATCH, TAG)]), Needed::NotModified);
        assert_eq!(
            needed(&[(IF_NONE_MATCH, "\"x\", W/\"64-6553f100.5\"")]),
            Needed::NotModified
        );
        assert_eq!(needed(&[(IF_NONE_MATCH, "*")]), Needed::NotModified);
        assert_eq!(needed(&[(IF_MODIFIED_SINCE, DATE)]), Needed::NotModified);
        assert_eq!(
            needed(&[(IF_MODIFIED_SINCE, LATER)]),
            Needed::All,
            "rolled back"
        );
        assert_eq!(
            needed(&[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, DATE)]),
            Needed::All
        );
        assert_eq!(needed(&[(IF_MATCH, "\"x\"")]), Needed::OtherVersion);
        assert_eq!(
            needed(&[(IF_MATCH, "W/\"64-6553f100.5\"")]),
            Needed::OtherVersion
        );
        assert_eq!(needed(&[(IF_MATCH, TAG)]), Needed::All);
        assert_eq!(
            needed(&[(RANGE, "bytes=0-0"), (IF_NONE_MATCH, TAG)]),
            Needed::NotModified
        );
        assert_eq!(
            needed(&[(RANGE, "bytes=0-0"), (IF_RANGE, TAG)]),
            Needed::Part(0..1)
        );
        assert_eq!(
            needed(&[(RANGE, "bytes=0-0"), (IF_RANGE, "\"x\"")]),
            Needed::All
        );
        assert_eq!(
            needed(&[(RANGE, "bytes=0-0"), (IF_RANGE, DATE)]),
            Needed::All
        );
    }

    #[test]
    fn one_range_of_bytes_is_taken_and_the_rest_is_ignored() {
        assert_eq!(range("bytes=0-9", 100), Needed::Part(0..10));
        assert_eq!(range("Bytes=90-", 100), Needed::Part(90..100));
        assert_eq!(range("bytes=90-1000", 100), Needed::Part(90..100));
        assert_eq!(range("bytes=-10", 100), Needed::Part(90..100));
        assert_eq!(range("bytes=-1000", 100), Needed::Part(0..100));
        assert_eq!(
            range("bytes=0-99999999999999999999999", 100),
            Needed::Part(0..100)
        );
        for outside in [
            "bytes=100-",
            "bytes=100-200",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(range(outside, 100), Needed::OutOfRange, "{outside}");
        }
        assert_eq!(range("bytes=-1", 0), Needed::OutOfRange);
        for ignored in [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=9-1",
            "bytes=0-1,5-6",
            "bytes=+1-2",
            "lines=0-1",
            "bytes=a-b",
            "bytes=--1",
        ] {
            assert_eq!(range(ignored, 100), Needed::All, "{ignored}");
        }
    }
}
