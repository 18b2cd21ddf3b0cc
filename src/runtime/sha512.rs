//! SHA-512 (FIPS 180-4), as npm's registry and Corepack write it.

use ring::digest::{Digest, SHA512, digest};

/// The SHA-512 of an archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sha512(Digest);

impl Sha512 {
    /// Of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(digest(&SHA512, bytes))
    }

    /// Whether one of the checksums in `text` is this: `sha512-` and base64 (Subresource
    /// Integrity), or `sha512.` and hexadecimal digits (Corepack).
    pub(super) fn answers(&self, text: &str) -> bool {
        text.split_whitespace().any(|word| {
            word == self.integrity()
                || word
                    .strip_prefix("sha512.")
                    .is_some_and(|hex| hex.eq_ignore_ascii_case(&self.hex()))
        })
    }

    /// As npm writes it.
    pub(super) fn integrity(&self) -> String {
        format!("sha512-{}", base64(self.0.as_ref()))
    }

    /// As Corepack writes it, without the `sha512.` before it.
    pub(super) fn hex(&self) -> String {
        self.0.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, place| {
            bits << 8 | u32::from(three.get(place).copied().unwrap_or(0))
        });
        for place in 0..4 {
            let digit = bits >> (18 - 6 * place) & 63;
            text.push(match place <= three.len() {
                true => char::from(DIGITS[digit as usize]),
                false => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_the_rfc_says() {
        for (text, written) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), written);
        }
    }

    #[test]
    fn both_spellings_of_a_sum_are_known() {
        let sum = Sha512::of(b"abc");
        assert!(sum.hex().starts_with("ddaf35a193617aba"));
        assert!(sum.answers(&format!("sha1-x {}", sum.integrity())));
        assert!(sum.answers(&format!("sha512.{}", sum.hex().to_uppercase())));
        assert!(!sum.answers("sha512-AAAA") && !sum.answers(""));
    }
}
