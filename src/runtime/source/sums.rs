//! Lists of checksums, as sha256sum(1) writes them.

use crate::model::runtime::Sha256;

/// The checksum of the file `name` in `list`: lines of a checksum, blanks, and a name that may have
/// a `*` (binary mode) or a folder before it. `None` when the name is not there, or has no SHA-256.
#[must_use]
pub fn checksum(list: &str, name: &str) -> Option<Sha256> {
    list.lines().find_map(|line| {
        let (sum, file) = line.trim().split_once([' ', '\t'])?;
        let file = file.trim_start().trim_start_matches('*');
        let file = file.rsplit('/').next().unwrap_or(file);
        (file == name).then(|| sum.to_ascii_lowercase().parse().ok())?
    })
}

/// The name of the file at an address: its last part, decoded (RFC 3986, section 2.1).
#[must_use]
pub fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        let decoded = digits
            .filter(|_| *first == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
