//! The manifest line by line, each value with the facts that it follows from.

use super::guess::Detected;
use super::reason::{About, Reason};

/// Lines of the manifest that belong together: a value, or a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The lines, as written.
    pub lines: Vec<String>,
    /// Why they say so, one sentence each; empty for headings and comments.
    pub because: Vec<String>,
}

/// Sections and keys of the manifest, and what their reasons are about. A `*` stands for any name,
/// which is then the part that a reason may be limited to.
const ABOUT: &[(&str, &str, About)] = &[
    ("app", "*", About::App),
    ("runtimes", "*", About::Runtime),
    ("build", "*", About::Build),
    ("test", "*", About::Test),
    ("release", "shared", About::Shared),
    ("release", "*", About::Release),
    ("services.*", "port", About::Port),
    ("services.*", "health", About::Health),
    ("services.*", "settle", About::Health),
    ("services.*", "env", About::Env),
    ("services.*", "*", About::Service),
    ("hooks", "*", About::Hook),
    ("environments.*", "hosts", About::Hosts),
    ("environments.*", "secrets", About::Secrets),
    ("environments.*", "*", About::Env),
];

/// Explains `manifest`, which [`super::render`] wrote for `detected`. A value that follows from
/// nothing in particular is what every project of this kind gets, and names the file that says so.
#[must_use]
pub fn explain(manifest: &str, detected: &Detected) -> Vec<Explained> {
    let mut section = String::new();
    let mut found = Vec::new();
    let mut lines = manifest.lines().peekable();
    while let Some(line) = lines.next() {
        let mut block = vec![line.to_owned()];
        // An environment without hosts, and secrets, are written as comments.
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = bare
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            section = name.to_owned();
            found.push(heading(block));
            continue;
        }
        let about = bare
            .split_once(" = ")
            .and_then(|(key, _)| about(&section, key));
        let Some((about, part)) = about else {
            found.push(heading(block));
            continue;
        };
        if bare.ends_with('[') {
            for line in lines.by_ref() {
                block.push(line.to_owned());
                if line.ends_with(']') && !line.starts_with([' ', '\t']) {
                    break;
                }
            }
        }
        found.push(Explained {
            lines: block,
            because: because(about, part.as_deref(), detected),
        });
    }
    found
}

fn heading(lines: Vec<String>) -> Explained {
    Explained {
        lines,
        because: Vec::new(),
    }
}

/// What the reasons of a key are about, and the part that it belongs to.
fn about(section: &str, key: &str) -> Option<(About, Option<String>)> {
    let plain = |name: &str| name.trim_matches('"').to_owned();
    if !key
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_\"".contains(c))
    {
        return None;
    }
    ABOUT.iter().find_map(|(section_is, key_is, about)| {
        let part = match section_is.strip_suffix('*') {
            Some(start) => Some(plain(section.strip_prefix(start)?)),
            None if *section_is == section => (section == "runtimes").then(|| plain(key)),
            None => return None,
        };
        (*key_is == "*" || *key_is == key).then_some((*about, part))
    })
}

/// The reasons of a value; else the file that says what kind of project it is.
fn because(about: About, part: Option<&str>, detected: &Detected) -> Vec<String> {
    let of = |reason: &&Reason| {
        reason.about == about && (reason.part.is_none() || reason.part.as_deref() == part)
    };
    let mut lines: Vec<String> = Vec::new();
    for reason in detected.reasons.iter().filter(of) {
        let line = reason.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.is_empty()
        && about != About::Hosts
        && let Some(stack) = detected.stack
    {
        let kind = stack.as_str();
        let mut of_app = detected.reasons.iter().filter(|r| r.about == About::App);
        let first = of_app.clone().next();
        let file = of_app.find(|reason| !reason.quiet).or(first);
        lines.push(match file {
            Some(file) => format!("{file}: {kind} projects get this"),
            None => format!("{kind} projects get this"),
        });
    }
    lines
}
