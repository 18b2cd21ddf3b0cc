//! The files in which projects publish examples of their variables.

use super::super::folder::{Folder, Source};
use super::super::text::has_word;
use super::Needed;
use super::reads::is_name;

/// Their names, the most customary first.
pub(in crate::project::detect) const EXAMPLES: &[&str] = &[
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".example.env",
    ".sample.env",
    ".env-example",
    ".env-sample",
    "env.example",
    "env.sample",
    "env.template",
    "env.dist",
    "example.env",
    "sample.env",
];

/// Words of a comment about a variable that only some need.
const SPARED: &[&str] = &[
    "not required",
    "n't required",
    "optional",
    "only required",
    "required for",
    "required if",
    "required when",
    "required only",
    "required by",
    "if required",
];

/// The variables that a comment above their line, or behind it, calls required, and secrets without a
/// value, as far as `sources` read them.
pub(super) fn required(folder: &Folder, sources: &[&Source]) -> Vec<Needed> {
    let mut found = Vec::new();
    for file in EXAMPLES {
        let mut above = String::new();
        for line in folder.read(file).unwrap_or_default().lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix('#') {
                above.push_str(comment);
                continue;
            }
            let above = std::mem::take(&mut above);
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let name = name.trim();
            let behind = value.split_once('#').map_or("", |(_, comment)| comment);
            let is_read = || sources.iter().any(|source| has_word(&source.text, name));
            let is_wanted = insists(&format!("{above} {behind}")) || is_key(name, value);
            if is_name(name) && is_wanted && is_read() {
                found.push(Needed {
                    name: name.to_owned(),
                    file: (*file).to_owned(),
                });
            }
        }
    }
    found
}

/// Whether it is a secret of the app's own, such as what signs its cookies, whose value each has to
/// make: keys of other services are often for those alone who use them.
fn is_key(name: &str, value: &str) -> bool {
    let value = value.split('#').next().unwrap_or_default();
    let is_empty = value.trim().trim_matches(['"', '\'']).is_empty();
    is_empty && name.split('_').any(|word| word == "SECRET")
}

fn insists(comment: &str) -> bool {
    let comment = comment.to_ascii_lowercase();
    comment.contains("required") && !SPARED.iter().any(|words| comment.contains(words))
}
