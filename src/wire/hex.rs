//! Bytes in hexadecimal digits, two for each.

use serde::{Deserialize, Deserializer, Serializer};

/// The digits of `bytes`, lower case.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let of = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]));
    bytes.iter().flat_map(of).collect()
}

/// The bytes of `digits`; `None` when they are something else.
#[must_use]
pub fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |&[high, low]: &[u8; 2]| u8::try_from(digit(high)? << 4 | digit(low)?).ok();
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// For `#[serde(with = "hex")]`.
///
/// # Errors
/// When the serializer fails.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digits(bytes))
}

/// For `#[serde(with = "hex")]`.
///
/// # Errors
/// When there is no text, or it is something else than digits.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    bytes(&digits).ok_or_else(|| serde::de::Error::custom("not in hexadecimal digits"))
}
