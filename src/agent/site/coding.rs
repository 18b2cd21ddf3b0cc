//! In which content coding a visitor takes a file (RFC 9110, section 12.5.3).

use hyper::header::{ACCEPT_ENCODING, HeaderMap};

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// The smallest first.
    const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// Its name in `Content-Encoding`.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The end of the name of a file in this coding.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }

    /// Those that a request takes rather than the file as it is, the most wanted first.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Vec<Self> {
        let values = headers.get_all(ACCEPT_ENCODING).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let asked: Vec<(String, u16)> = values
            .iter()
            .flat_map(|value| value.split(','))
            .map(weighed)
            .collect();
        let weight = |name: &str| asked.iter().find(|(have, _)| have == name).map(|(_, q)| *q);
        let any = weight("*").unwrap_or(0);
        let identity = weight("identity").unwrap_or(0);
        let mut wanted: Vec<(Self, u16)> = Self::ALL
            .into_iter()
            .map(|coding| {
                let token = coding.token();
                (
                    coding,
                    weight(token)
                        .or(weight(&format!("x-{token}")))
                        .unwrap_or(any),
                )
            })
            .filter(|(_, q)| *q > 0 && *q >= identity)
            .collect();
        wanted.sort_by_key(|(_, q)| std::cmp::Reverse(*q));
        wanted.into_iter().map(|(coding, _)| coding).collect()
    }
}

/// A list item in lower case with its weight in thousandths; one that is badly written counts as
/// not wanted.
pub(super) fn weighed(item: &str) -> (String, u16) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| {
        part.strip_prefix(['q', 'Q'])?
            .trim_start()
            .strip_prefix('=')
    });
    let thousandths = |text: &str| {
        let weight: f32 = text.trim().parse().ok()?;
        // Saturates: `as` on a float takes no other value than one of the type.
        (0.0..=1.0)
            .contains(&weight)
            .then_some((weight * 1000.0) as u16)
    };
    (
        name,
        weight.map_or(1000, |text| thousandths(text).unwrap_or(0)),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
        let tokens: Vec<&str> = Coding::accepted(&headers)
            .into_iter()
            .map(Coding::token)
            .collect();
        tokens.join(" ")
    }

    #[test]
    fn weights_decide_and_the_smallest_comes_first() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", "br zstd gzip"),
            ("gzip;q=1.0, br;q=0.5", "gzip br"),
            ("br;q=0, gzip", "gzip"),
            ("*", "br zstd gzip"),
            ("*;q=0.1, gzip;q=0", "br zstd"),
            ("identity, gzip;q=0.5", ""),
            ("identity;q=0, gzip;q=0.5", "gzip"),
            ("x-gzip", "gzip"),
            ("GZIP ; Q=0.7", "gzip"),
            ("gzip;q=x", ""),
            ("gzip;q=7", ""),
            ("deflate", ""),
            ("", ""),
        ] {
            assert_eq!(accepted(value), expected, "{value}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), []);
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in "[a-z*;=,.0-9 -]{0,40}") {
            let _ = accepted(&value);
        }
    }
}
