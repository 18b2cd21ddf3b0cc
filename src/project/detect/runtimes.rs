//! Which version of what the project needs: from its files in [`find`], and from this machine in
//! [`settle`] where the files leave the choice open.

use std::collections::BTreeMap;

use super::Detected;
use super::folder::Folder;
use super::guess::{Need, RuntimeGuess};
use super::image;
use super::managers;
use super::reason::{About, Reason};
use crate::model::version::{Grammar, Request, Version};
use crate::project::declared::{Declared, Role, declared};

/// Feature releases to choose when neither the project nor this machine tells which, the best
/// first: of Node and Java those with long-term support. A project that asks for a newer one gets
/// that.
const USUAL: &[(&str, &[&str])] = &[
    ("bun", &["1"]),
    ("bundler", &["2"]),
    ("composer", &["2"]),
    ("deno", &["2"]),
    ("go", &["1.25", "1.24", "1.23", "1.22", "1.21"]),
    ("java", &["21", "25", "17", "11", "8"]),
    ("node", &["24", "22", "20", "18"]),
    ("npm", &["10", "11"]),
    ("pdm", &["2"]),
    ("pipenv", &["2026", "2025", "2024", "2023"]),
    ("pnpm", &["10", "9", "8", "7"]),
    ("poetry", &["2", "1"]),
    ("python", &["3.13", "3.12", "3.11", "3.10", "3.9"]),
    (
        "uv",
        &[
            "0.13", "0.12", "0.11", "0.10", "0.9", "0.8", "0.7", "0.6", "0.5", "0.4",
        ],
    ),
    ("yarn", &["1", "4", "3", "2"]),
];

/// What the project needs, and which versions its files name; by name. The files that choose a
/// version count before those that only need one, and the first file before the others.
pub(super) fn find(folder: &Folder, needs: &[Need]) -> Vec<RuntimeGuess> {
    let mut found = declared(|name| folder.read(name));
    if let Some(home) = folder.home() {
        found.extend(declared(|name| home.root.read(name)));
    }
    found.retain(|found| found.request.is_some());
    found.sort_by_key(|found| found.role == Role::Constraint);
    let mut runtimes: BTreeMap<String, RuntimeGuess> = BTreeMap::new();
    for need in needs {
        let asks = need.asks.as_ref();
        let guess = asks
            .and_then(|(request, file)| asked(&need.name, request, file))
            .or_else(|| of_files(&need.name, &found))
            .or_else(|| managers::locked(folder.root(), &need.name))
            .or_else(|| unnamed(&need.name));
        let guess = match guess {
            Some(guess) if guess.version.is_some() => Some(guess),
            open => {
                let allows = open.as_ref().and_then(|guess| guess.allows.as_deref());
                image::named(folder, &need.name, allows).or(open)
            }
        };
        runtimes.extend(guess.map(|guess| (need.name.clone(), guess)));
    }
    // A version manager's file names what a detector may not have seen, such as the Node of a
    // Procfile.
    for chosen in &found {
        let name = &chosen.runtime;
        let brought = Grammar::of(name) != Grammar::Other && !managers::is_one(name);
        if chosen.role == Role::Choice && brought && !runtimes.contains_key(name) {
            let guess = of_files(name, &found);
            runtimes.extend(guess.map(|guess| (name.clone(), guess)));
        }
    }
    runtimes.into_values().collect()
}

/// Chooses a version for each runtime that has none: the feature release that this machine has
/// (`here`), else the usual one, of those that the project allows. A runtime that each machine
/// brings itself is chosen by the project alone; one that this machine cannot satisfy is marked.
pub fn settle(detected: &mut Detected, here: &BTreeMap<String, Version>) {
    settle_all(&mut detected.runtimes, here);
    let reasons = &mut detected.reasons;
    reasons.retain(|reason| reason.about != About::Runtime);
    reasons.extend(detected.runtimes.iter().filter_map(reason));
    let mut node = detected.runtimes.iter().filter(|it| it.name == "node");
    let version = node.next().and_then(|node| node.version.as_deref());
    let Some(builder) = detected.legacy_builder.filter(|_| has_openssl_3(version)) else {
        return;
    };
    let option = ("NODE_OPTIONS".to_owned(), LEGACY.to_owned());
    detected.build.env.extend([option]);
    detected.notes.push(format!(
        "this version of {builder} builds on Node 17 and later only with {LEGACY}: [build] sets that"
    ));
}

/// What makes Node load the algorithms that OpenSSL 3 left behind; older ones do not know it
/// (node(1)).
const LEGACY: &str = "--openssl-legacy-provider";

/// Whether the Node that a request asks for is 17 or later.
fn has_openssl_3(request: Option<&str>) -> bool {
    let digits = |text: &str| {
        let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        text.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    };
    request
        .and_then(digits)
        .is_some_and(|major: u32| major >= 17)
}

/// The runtimes about which [`settle`] wants to know what this machine has.
#[must_use]
pub fn unsettled(detected: &Detected) -> Vec<String> {
    let runtimes = detected.runtimes.iter();
    runtimes
        .filter(|runtime| runtime.version.is_none() || Grammar::of(&runtime.name) == Grammar::Other)
        .map(|runtime| runtime.name.clone())
        .collect()
}

impl Detected {
    /// Leaves the runtimes in `obstacles` to each machine; each with why.
    pub fn leave_open(&mut self, obstacles: &BTreeMap<String, String>) {
        for runtime in &mut self.runtimes {
            let Some(obstacle) = obstacles.get(&runtime.name) else {
                continue;
            };
            let (name, obstacle) = (&runtime.name, one_line(obstacle));
            let wanted = runtime.version.as_ref().zip(runtime.file.as_ref());
            let wanted = wanted.filter(|_| runtime.why.is_none());
            let must = wanted.map(|(version, file)| format!(", and {file} asks for {version}"));
            self.notes.push(format!(
                "{name} is not pinned: {obstacle}. Each machine's own is used{}; to pin it later, \
                 uncomment its line in ship.toml and run `ship pin`",
                must.unwrap_or_default()
            ));
            runtime.obstacle = Some(format!("not pinned: {obstacle}"));
        }
    }
}

/// Why a runtime's line says what it says.
pub(super) fn reason(runtime: &RuntimeGuess) -> Option<Reason> {
    let RuntimeGuess {
        name, version, why, ..
    } = runtime;
    let (subject, says) = match (&runtime.file, why) {
        (_, Some(why)) => (name.clone(), format!("{}: {why}", version.as_ref()?)),
        (Some(file), None) => (
            file.clone(),
            format!("asks for {name} {}", version.as_ref()?),
        ),
        (None, None) => return None,
    };
    Some(Reason::new(About::Runtime, subject, says).of(name).quiet())
}

fn settle_all(runtimes: &mut [RuntimeGuess], here: &BTreeMap<String, Version>) {
    for runtime in runtimes {
        let grammar = Grammar::of(&runtime.name);
        let here = here.get(&runtime.name);
        match (&runtime.version, here) {
            (Some(version), Some(here)) if grammar == Grammar::Other => {
                let fits = Request::parse(grammar, version).is_ok_and(|asked| asked.matches(here));
                if !fits {
                    runtime.obstacle = Some(format!(
                        "{} asks for {} {version}; this machine has {here}",
                        runtime.file.as_deref().unwrap_or("the project"),
                        runtime.name
                    ));
                }
            }
            (None, _) if grammar != Grammar::Other => choose(runtime, here),
            _ => {}
        }
    }
}

fn choose(runtime: &mut RuntimeGuess, here: Option<&Version>) {
    let grammar = Grammar::of(&runtime.name);
    let name = &runtime.name;
    let allows = runtime.allows.as_deref();
    let wanted = allows.and_then(|allows| Request::parse(grammar, allows).ok());
    let takes = |version: &Version| wanted.as_ref().is_none_or(|wanted| wanted.matches(version));
    let file = runtime.file.as_deref().unwrap_or("the project");
    let said = |reason: &str| match allows {
        Some(allows) => format!("{file} allows {}; {reason}", one_line(allows)),
        None => format!("nothing in the project says which; {reason}"),
    };
    if let Some(here) = here.filter(|here| takes(here) && !here.is_prerelease()) {
        let why = said(&format!("this machine has {here}"));
        runtime.version = Some(feature(name, here));
        runtime.why = Some(why);
        return;
    }
    let usual = usual(name).iter().copied();
    // The last patch of a feature release is not known here; any that is high enough will do.
    let mut fit = usual.filter(|feature| {
        ["9999.0", "9999", "0.0", "0"].iter().any(|rest| {
            Version::parse(&format!("{feature}.{rest}")).is_some_and(|version| takes(&version))
        })
    });
    let (version, why) = match fit.next() {
        Some(feature) => (Some(feature.to_owned()), said("the usual choice")),
        None => {
            let oldest = allows.and_then(first_version).map(|v| feature(name, &v));
            (oldest, said("the oldest that it allows"))
        }
    };
    runtime.version = version;
    runtime.why = Some(why);
}

fn usual(name: &str) -> &'static [&'static str] {
    USUAL
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(&[], |(_, features)| features)
}

/// A need without a version: to be chosen from this machine's, where ship brings it. npm comes with
/// Node, pip with Python.
fn unnamed(name: &str) -> Option<RuntimeGuess> {
    let brought = Grammar::of(name) != Grammar::Other && name != "npm";
    brought.then(|| RuntimeGuess {
        name: name.to_owned(),
        ..RuntimeGuess::default()
    })
}

/// The first of `found` that names a version of `name`.
fn of_files(name: &str, found: &[Declared]) -> Option<RuntimeGuess> {
    let of = found.iter().find(|found| found.runtime == name)?;
    asked(name, &of.asks, &of.source.name)
}

/// What `request`, which `file` makes, comes to; `None` for a runtime that no host needs (Rust only
/// builds) or that only each machine can choose.
pub(super) fn asked(name: &str, request: &str, file: &str) -> Option<RuntimeGuess> {
    let grammar = Grammar::of(name);
    let wanted = Request::parse(grammar, request).ok()?;
    let known = grammar != Grammar::Other;
    if name == "rust" || !known && (managers::is_one(name) || file == "package.json") {
        return None;
    }
    let mut guess = RuntimeGuess {
        name: name.to_owned(),
        file: Some(file.to_owned()),
        ..RuntimeGuess::default()
    };
    match pin(name, request, &wanted) {
        Some(version) => guess.version = Some(version),
        None if known => guess.allows = Some(request.to_owned()),
        None => return None,
    }
    Some(guess)
}

/// The request to write: a version, a named line, or a range that ends. `None` for one that would
/// be whatever is newest on the day.
fn pin(name: &str, request: &str, wanted: &Request) -> Option<String> {
    let asks = one_line(request);
    // `go 1.22` is what the module is written in, and `java.version` what the classes are made for.
    let asks = match (name, asks.strip_prefix(">=")) {
        ("go" | "java", Some(version)) => version.to_owned(),
        _ => asks,
    };
    let before = ["v", "go", "cpython-", "python-", "temurin-"];
    let plain = before.iter().find_map(|prefix| {
        let rest = asks.strip_prefix(prefix)?;
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then_some(rest)
    });
    let asks = plain.map_or_else(|| asks.clone(), str::to_owned);
    if asks.starts_with(|c: char| c.is_ascii_digit()) && Version::parse(&asks).is_some() {
        // The patch that a version manager installs is not the one that each host has.
        let exact = Version::parse(&asks).filter(|_| Grammar::of(name) == Grammar::Other);
        return Some(exact.map_or(asks, |version| first_numbers(&version, 2)));
    }
    let far = Version::parse(match name {
        "python" => "3.9999.0",
        "go" => "1.9999.0",
        _ => "9999999.0.0",
    })?;
    (!wanted.is_alias() && !wanted.matches(&far)).then_some(asks)
}

/// The feature release of a version: `20` of Node, `3.12` of Python.
fn feature(name: &str, version: &Version) -> String {
    let numbers = match name {
        "go" | "python" => 2,
        _ if version.number(0) == 0 => 2,
        _ => 1,
    };
    first_numbers(version, numbers)
}

fn first_numbers(version: &Version, count: usize) -> String {
    let numbers: Vec<String> = (0..count)
        .map(|place| version.number(place).to_string())
        .collect();
    numbers.join(".")
}

/// The first version in a request: `20.1` of `>=20.1 || >=22`.
fn first_version(request: &str) -> Option<Version> {
    let start = request.find(|c: char| c.is_ascii_digit())?;
    let rest = &request[start..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    Version::parse(rest[..end].trim_end_matches('.'))
}

/// A request without line breaks: it stands in a comment.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(name: &str, file: &str, text: &str) -> RuntimeGuess {
        let found = declared(|read| (read == file).then(|| text.to_owned()));
        of_files(name, &found).unwrap()
    }

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
            (".ruby-version", "3.3.0\n", Some("3.3")),
            ("go.mod", "module x\n\ngo 1.22\n", Some("1.22")),
            ("pom.xml", "<java.version>17</java.version>", Some("17")),
            ("package.json", r#"{"engines": {"node": ">=18"}}"#, None),
            (
                "package.json",
                r#"{"engines": {"node": "^20 || ^22"}}"#,
                Some("^20 || ^22"),
            ),
            (
                "package.json",
                r#"{"engines": {"node": "^20.19.0 || >=22.12.0"}}"#,
                None,
            ),
            (
                "pyproject.toml",
                "[project]\nrequires-python = \">=3.12,<3.14\"\n",
                Some(">=3.12,<3.14"),
            ),
            (
                "pyproject.toml",
                "[project]\nrequires-python = \">=3.12,<4\"\n",
                None,
            ),
        ] {
            let name = declared(|read| (read == file).then(|| text.to_owned()))[0]
                .runtime
                .clone();
            let guess = guessed(&name, file, text);
            assert_eq!(guess.version.as_deref(), pinned, "{file}: {text}");
        }
    }

    #[test]
    fn an_open_request_is_settled_by_this_machine_else_by_custom() {
        for (name, allows, here, version, why) in [
            (
                "node",
                Some(">=20"),
                Some("20.11.1"),
                Some("20"),
                "package.json allows >=20; this machine has 20.11.1",
            ),
            (
                "node",
                Some(">=20"),
                Some("18.20.8"),
                Some("24"),
                "package.json allows >=20; the usual choice",
            ),
            (
                "node",
                Some("^20.19.0 || >=22.12.0"),
                None,
                Some("24"),
                "package.json allows ^20.19.0 || >=22.12.0; the usual choice",
            ),
            (
                "node",
                Some(">= 99.1"),
                Some("20.11.1"),
                Some("99"),
                "package.json allows >= 99.1; the oldest that it allows",
            ),
            (
                "node",
                None,
                Some("20.11.1"),
                Some("20"),
                "nothing in the project says which; this machine has 20.11.1",
            ),
            (
                "python",
                Some(">=3.12,<4"),
                Some("3.12.4"),
                Some("3.12"),
                "package.json allows >=3.12,<4; this machine has 3.12.4",
            ),
            (
                "python",
                Some("<=3.10.4"),
                Some("3.12.4"),
                Some("3.10"),
                "package.json allows <=3.10.4; the usual choice",
            ),
        ] {
            let mut guess = [RuntimeGuess {
                name: name.to_owned(),
                allows: allows.map(str::to_owned),
                file: Some("package.json".to_owned()),
                ..RuntimeGuess::default()
            }];
            let here = here.map(|here| (name.to_owned(), Version::parse(here).unwrap()));
            settle_all(&mut guess, &here.into_iter().collect());
            assert_eq!(guess[0].version.as_deref(), version, "{name} {allows:?}");
            assert_eq!(guess[0].why.as_deref(), Some(why));
        }
    }

    #[test]
    fn what_this_machine_cannot_satisfy_is_said() {
        let mut guess = [guessed("ruby", ".ruby-version", "3.3.0")];
        settle_all(
            &mut guess,
            &[("ruby".to_owned(), Version::parse("3.1.2").unwrap())].into(),
        );
        assert_eq!(
            guess[0].obstacle.as_deref(),
            Some(".ruby-version asks for ruby 3.3; this machine has 3.1.2")
        );
    }
}
