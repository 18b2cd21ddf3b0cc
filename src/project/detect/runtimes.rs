//! The versions that the project asks for.

use std::collections::BTreeMap;

use super::folder::Folder;
use crate::project::declared::{Declared, Role, declared};

/// What each runtime is pinned to, by the files that name versions; the first that names one wins.
/// A toolchain that only builds is none: no host needs Rust.
pub(super) fn find(folder: &Folder) -> BTreeMap<String, String> {
    let mut declared = declared(|name| folder.read(name));
    declared.retain(|found| found.runtime != "rust");
    // What is chosen counts before what is merely enough.
    declared.sort_by_key(|found| found.role == Role::Constraint);
    let mut runtimes = BTreeMap::new();
    for found in declared {
        if let Some(version) = pin(&found) {
            runtimes.entry(found.runtime).or_insert(version);
        }
    }
    runtimes
}

/// A version, a named line or a range that ends somewhere; `lts/*` says nothing, and `>=18` would be
/// whatever is newest on the day.
fn pin(found: &Declared) -> Option<String> {
    let asks = found.asks.as_str();
    // `go 1.22` is what the module is written in.
    let asks = match (found.runtime.as_str(), asks.strip_prefix(">=")) {
        ("go", Some(version)) => version,
        _ => asks,
    };
    let before = ["v", "go", "cpython-", "python-", "temurin-"];
    let plain = before.iter().find_map(|prefix| {
        let rest = asks.strip_prefix(prefix)?;
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then_some(rest)
    });
    let asks = plain.unwrap_or(asks);
    let ends = asks.starts_with(|c: char| c.is_ascii_digit())
        || asks.starts_with(['^', '~', '='])
        || asks.strip_prefix("lts/").is_some_and(|line| line != "*")
        || asks.contains('<') && !asks.contains("||");
    ends.then(|| asks.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_is_what_ends_somewhere() {
        for (file, text, pinned) in [
            (".nvmrc", "v20.11.1\n", Some("20.11.1")),
            (".nvmrc", "lts/iron\n", Some("lts/iron")),
            (".nvmrc", "lts/*\n", None),
            (".python-version", "cpython-3.12.1\n", Some("3.12.1")),
            (
                ".tool-versions",
                "java temurin-21.0.2+13.0.LTS\n",
                Some("21.0.2+13.0.LTS"),
            ),
            ("go.mod", "module x\n\ngo 1.22\n", Some("1.22")),
            ("package.json", r#"{"engines": {"node": ">=18"}}"#, None),
            (
                "package.json",
                r#"{"engines": {"node": "^20 || ^22"}}"#,
                Some("^20 || ^22"),
            ),
            (
                "pyproject.toml",
                "[project]\nrequires-python = \">=3.12,<4\"\n",
                Some(">=3.12,<4"),
            ),
        ] {
            let found = declared(|name| (name == file).then(|| text.to_owned()));
            assert_eq!(pin(&found[0]).as_deref(), pinned, "{file}: {text}");
        }
    }
}
