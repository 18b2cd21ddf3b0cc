//! `package.json`: `volta`, `devEngines`, `packageManager` and `engines`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Found, Role, span_of};

/// What runs a package, and the package managers.
const RUNTIMES: [&str; 6] = ["node", "bun", "deno", "npm", "pnpm", "yarn"];

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// What a `package.json` names.
pub(super) fn read(text: &str) -> Vec<Found> {
    let Some(package) = object(text) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut add = |name: &str, raw: Option<&RawValue>, asks: Option<String>, role| {
        let known = RUNTIMES.contains(&name);
        if let (true, Some(raw), Some(asks)) = (known, raw, asks) {
            all.push(Found {
                runtime: name.to_owned(),
                asks,
                role,
                span: span_of(text, raw.get()),
            });
        }
    };
    for (name, version) in inner(&package, "volta") {
        add(&name, Some(version), string(version), Role::Choice);
    }
    let engines = inner(&package, "devEngines");
    for kind in ["runtime", "packageManager"] {
        for engine in engines.get(kind).map_or(Vec::new(), |raw| one_or_many(raw)) {
            let name = engine.get("name").and_then(|name| string(name));
            let version = engine.get("version").copied();
            let asks = version.and_then(string);
            add(&name.unwrap_or_default(), version, asks, Role::Constraint);
        }
    }
    let manager = package.get("packageManager").copied();
    if let Some((name, version)) = manager.and_then(string).as_deref().and_then(at_version) {
        add(name, manager, Some(version.to_owned()), Role::Choice);
    }
    for (name, range) in inner(&package, "engines") {
        add(&name, Some(range), string(range), Role::Constraint);
    }
    all
}

/// `bun@1.1.38+sha224.…` (Corepack).
fn at_version(text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.split_once('@')?;
    Some((name, version.split('+').next().unwrap_or(version)))
}

/// The SHA-512 that `packageManager` names for the archive of the package manager `name`: `sha512.` and
/// digits. Of later versions of Yarn, Corepack hashes another file than the archive.
pub(super) fn hash(text: &str, name: &str) -> Option<String> {
    let package = object(text)?;
    let manager = package.get("packageManager").copied().and_then(string)?;
    let (named, version) = at_version(&manager)?;
    let hash = manager.split_once('+')?.1;
    let of_archive = named != "yarn" || version.starts_with("1.");
    (named == name && of_archive && hash.starts_with("sha512.")).then(|| hash.to_owned())
}

fn object(text: &str) -> Option<Object<'_>> {
    serde_json::from_str(text).ok()
}

fn inner<'a>(package: &Object<'a>, key: &str) -> Object<'a> {
    let raw = package.get(key).copied();
    raw.and_then(|raw| object(raw.get())).unwrap_or_default()
}

/// A table, or a list of them.
fn one_or_many(raw: &RawValue) -> Vec<Object<'_>> {
    match object(raw.get()) {
        Some(one) => vec![one],
        None => serde_json::from_str(raw.get()).unwrap_or_default(),
    }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}
