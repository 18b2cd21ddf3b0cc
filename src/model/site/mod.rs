//! The files `_redirects` and `_headers` of a static site, in the form that Netlify and Cloudflare
//! Pages gave them. A line that ship does not follow is a [`Problem`]; the others still hold.

mod headers;
mod pattern;
mod redirects;

pub use headers::{HeaderRule, Headers};
pub use pattern::{Captures, Pattern};
pub use redirects::{Answer, Redirect, Redirects};

/// The names of the two files, at the top of the folder that is served.
pub const FILES: [&str; 2] = [REDIRECTS, HEADERS];
/// Holds a [`Redirects`].
pub const REDIRECTS: &str = "_redirects";
/// Holds a [`Headers`].
pub const HEADERS: &str = "_headers";

/// The most of such a file that is read, bytes.
pub const MAX_FILE: usize = 1 << 20;
/// The longest line, bytes.
pub const MAX_LINE: usize = 2000;

/// A line that is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its number; the first line is 1.
    pub line: usize,
    /// Why it is not followed: a lower-case phrase.
    pub why: String,
}

impl Problem {
    fn new(line: usize, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { line, why }
    }
}

/// The lines of a file with their numbers, without those that are too long.
fn lines<'a>(
    text: &'a str,
    problems: &mut Vec<Problem>,
) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
    let too_long = |(_, line): &(usize, &str)| line.len() > MAX_LINE;
    let numbered = || (1..).zip(text.lines());
    let why = format!("longer than {MAX_LINE} bytes");
    problems.extend(
        numbered()
            .filter(too_long)
            .map(|(n, _)| Problem::new(n, &why)),
    );
    numbered().filter(move |line| !too_long(line))
}
