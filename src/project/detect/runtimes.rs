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

/// A version or a range that ends somewhere; `lts/*` says nothing, and `>=18` would be whatever is
/// newest on the day.
fn pin(found: &Declared) -> Option<String> {
    let asks = found.asks.as_str();
    // `go 1.22` is what the module is written in.
    let asks = match (found.runtime.as_str(), asks.strip_prefix(">=")) {
        ("go", Some(version)) => version,
        _ => asks,
    };
    let plain = ["v", "go"].iter().find_map(|prefix| {
        let rest = asks.strip_prefix(prefix)?;
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then_some(rest)
    });
    let asks = plain.unwrap_or(asks);
    let ends = asks.starts_with(|c: char| c.is_ascii_digit())
        || asks.starts_with(['^', '~', '='])
        || asks.contains('<') && !asks.contains("||");
    ends.then(|| asks.to_owned())
}
