//! `go.mod`: the directives `toolchain` and `go` (Go Modules Reference, "go.mod files").

use super::{Found, Role, span_of};

/// What a `go.mod` names: the toolchain to use, and the oldest Go that the module takes.
pub(super) fn read(text: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for (directive, role) in [("toolchain", Role::Choice), ("go", Role::Constraint)] {
        let version = text.lines().find_map(|line| {
            let line = line.split("//").next().unwrap_or(line);
            let mut words = line.split_whitespace();
            (words.next()? == directive).then(|| words.next())?
        });
        let Some(word) = version else {
            continue;
        };
        let asks = match role {
            Role::Choice => word.to_owned(),
            Role::Constraint => format!(">={word}"),
        };
        all.push(Found {
            runtime: "go".to_owned(),
            asks,
            role,
            span: span_of(text, word),
        });
    }
    all
}
