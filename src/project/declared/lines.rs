//! Files of lines: `.nvmrc` and its like, `.tool-versions`.

use super::{Found, Role, runtime_name, span_of};

/// A file whose first line is a version; `#` begins a comment.
pub(super) fn version(runtime: &str, text: &str) -> Vec<Found> {
    let mut lines = text.lines().map(without_comment);
    let Some(word) = lines.find(|line| !line.is_empty()) else {
        return Vec::new();
    };
    let implementation = format!("{runtime}-");
    let plain = word.strip_prefix(implementation.as_str()).unwrap_or(word);
    vec![Found {
        runtime: runtime.to_owned(),
        asks: plain.to_owned(),
        role: Role::Choice,
        span: span_of(text, word),
    }]
}

/// `nodejs 20.11.1 18`: a tool and its versions, of which the first is used where it can be.
pub(super) fn tool_versions(text: &str) -> Vec<Found> {
    let lines = text.lines().map(without_comment);
    let found = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let runtime = runtime_name(words.next()?)?;
        let version = words.next()?;
        Some(Found {
            runtime,
            asks: version.to_owned(),
            role: Role::Choice,
            span: span_of(text, version),
        })
    });
    found.collect()
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or(line).trim()
}
