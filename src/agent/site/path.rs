//! The path of a request (RFC 3986, section 3.3) as a relative path of files.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Relative, of plain names only: no `..`, no hidden one. Empty for the folder itself.
    pub path: PathBuf,
    /// Whether it ended with a slash, and so names a folder.
    pub folder: bool,
}

/// Why a path names nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Not a path: bad percent-encoding, or a byte that no file name holds.
    Malformed,
    /// Hidden, or on its way out: as good as not there.
    Hidden,
}

impl Target {
    /// Reads the path of a URI, still percent-encoded. It is split at slashes before it is decoded,
    /// so that an encoded slash cannot make a name; empty names (`//`) are skipped.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn parse(path: &str) -> Result<Self, Refused> {
        let path = path.strip_prefix('/').ok_or(Refused::Malformed)?;
        let mut names = PathBuf::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let name = decode(segment)?;
            if name.contains(&0) || name.contains(&b'/') {
                return Err(Refused::Malformed);
            }
            // `Path::components` skips a single dot, so the name itself is asked.
            if is_hidden_name(&name, names.as_os_str().is_empty()) {
                return Err(Refused::Hidden);
            }
            names.push(OsString::from_vec(name));
        }
        let folder = path.is_empty() || path.ends_with('/');
        Ok(Self {
            path: names,
            folder,
        })
    }

    /// The same path, percent-encoded, with a slash at its end where it had none, and without where
    /// it had one. Never begins with `//`, which would name another host.
    #[must_use]
    pub fn other_slash(&self) -> String {
        let mut location = "/".to_owned();
        for name in &self.path {
            for &byte in name.as_bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    location.push(char::from(byte));
                } else {
                    let _ = write!(location, "%{byte:02X}");
                }
            }
            location.push('/');
        }
        if self.folder && location.len() > 1 {
            location.pop();
        }
        location
    }

    /// The decoded names; `None` where one is not UTF-8.
    #[must_use]
    pub fn names(&self) -> Option<Vec<&str>> {
        self.path.iter().map(OsStr::to_str).collect()
    }
}

/// Whether a relative path is not for visitors: it leads up, or through a name that begins with a
/// dot (`.ship` and `.git` among them) other than `.well-known` at the top (RFC 8615).
#[must_use]
pub fn is_hidden(path: &Path) -> bool {
    path.components()
        .enumerate()
        .any(|(depth, component)| match component {
            Component::Normal(name) => is_hidden_name(name.as_bytes(), depth == 0),
            Component::CurDir
            | Component::ParentDir
            | Component::RootDir
            | Component::Prefix(_) => true,
        })
}

fn is_hidden_name(name: &[u8], top: bool) -> bool {
    name.first() == Some(&b'.') && !(top && name == b".well-known")
}

fn decode(segment: &str) -> Result<Vec<u8>, Refused> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(Refused::Malformed),
            },
            _ => byte,
        });
    }
    Ok(decoded)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> Result<(String, bool), Refused> {
        let target = Target::parse(text)?;
        Ok((target.path.display().to_string(), target.folder))
    }

    #[test]
    fn paths_are_decoded_once_and_split_first() {
        assert_eq!(path("/"), Ok((String::new(), true)));
        assert_eq!(path("/a/b.html"), Ok(("a/b.html".to_owned(), false)));
        assert_eq!(path("//a//b/"), Ok(("a/b".to_owned(), true)));
        assert_eq!(path("/a%20b/%C3%A9"), Ok(("a b/é".to_owned(), false)));
        assert_eq!(path("/%252e%252e"), Ok(("%2e%2e".to_owned(), false)));
        assert_eq!(
            path("/.well-known/security.txt"),
            Ok((".well-known/security.txt".to_owned(), false))
        );
        for malformed in [
            "", "*", "/a%2Fb", "/%2f", "/a%00", "/%", "/%4", "/%zz", "/%+1",
        ] {
            assert_eq!(path(malformed), Err(Refused::Malformed), "{malformed}");
        }
        for hidden in [
            "/..",
            "/a/../b",
            "/%2e%2e/x",
            "/.%2E/x",
            "/.",
            "/a/./b",
            "/.ship/env",
            "/%2eship/env",
            "/.git/config",
            "/a/.env",
            "/a/.well-known/x",
            "/.well-known/.env",
            "/...",
        ] {
            assert_eq!(path(hidden), Err(Refused::Hidden), "{hidden}");
        }
    }

    #[test]
    fn a_location_stays_on_this_host() {
        let location = |text| Target::parse(text).map(|target| target.other_slash());
        assert_eq!(location("/docs"), Ok("/docs/".to_owned()));
        assert_eq!(location("//evil.example"), Ok("/evil.example/".to_owned()));
        assert_eq!(
            location("/%5Cevil.example/a%20b%0D%0A"),
            Ok("/%5Cevil.example/a%20b%0D%0A/".to_owned())
        );
        assert_eq!(location("/about/"), Ok("/about".to_owned()));
        assert_eq!(location("/"), Ok("/".to_owned()));
    }

    proptest! {
        #[test]
        fn a_parsed_path_never_leads_up_or_to_a_hidden_name(text in "/([./%a2eEfF0]|%2e|%2f|\\.\\.){0,24}") {
            if let Ok(target) = Target::parse(&text) {
                prop_assert!(target.path.is_relative());
                prop_assert!(!is_hidden(&target.path));
                prop_assert_eq!(Target::parse(&target.other_slash()).map(|again| again.path), Ok(target.path));
            }
        }
    }
}
