//! Rust: `Cargo.toml`, its binaries.

use super::folder::Folder;
use super::guess::{Guess, Include, ServiceGuess, Stack, Strength};

const TYPES: &[&str] = &["rs"];

/// Frameworks, and the port that they take by themselves.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("rocket", "Rocket", Some(8000)),
    ("axum", "axum", None),
    ("actix-web", "Actix Web", None),
    ("warp", "warp", None),
    ("poem", "Poem", None),
    ("tide", "Tide", None),
    ("salvo", "Salvo", None),
    ("hyper", "hyper", None),
];

/// Looks for a Rust program.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    if !folder.is_file("Cargo.toml") {
        return None;
    }
    let mut guess = Guess::new(Stack::Rust, TYPES);
    let Some(manifest) = folder.toml("Cargo.toml") else {
        guess.note("Cargo.toml is not valid TOML, so it was not used");
        return Some(guess);
    };
    guess.saw("Cargo.toml is there");
    let mut crates = vec![(String::new(), manifest.clone())];
    crates.extend(members(folder, &manifest));

    let mut build = "cargo build --release".to_owned();
    let mut test = "cargo test".to_owned();
    if folder.is_file("Cargo.lock") {
        guess.saw("Cargo.lock locks the dependencies");
        build.push_str(" --locked");
        test.push_str(" --locked");
    }
    guess.build.push(build);
    if has_tests(folder, &crates) {
        guess.saw("there are tests");
        guess.test.push(test);
    }
    let package =
        |table: &toml::Table, key: &str| Some(table.get("package")?.get(key)?.as_str()?.to_owned());
    let bins: Vec<String> = crates
        .iter()
        .flat_map(|(dir, table)| binaries(folder, dir, table))
        .collect();
    let name = package(&manifest, "name");
    let default = package(&manifest, "default-run");
    guess.name = name.clone();
    if let Some((_, framework, port)) = FRAMEWORKS.iter().find(|(dependency, ..)| {
        crates.iter().any(|(_, table)| {
            table
                .get("dependencies")
                .is_some_and(|d| d.get(*dependency).is_some())
        })
    }) {
        guess.saw(format!("Cargo.toml depends on {framework}"));
        guess.framework = port.map(|port| ((*framework).to_owned(), port));
    }
    let favourites = ["server", "web", "api", "app"];
    let main = default
        .filter(|name| bins.contains(name))
        .or_else(|| name.filter(|name| bins.contains(name)))
        .or_else(|| {
            favourites
                .iter()
                .find(|f| bins.iter().any(|b| b == *f))
                .map(|f| (*f).to_owned())
        })
        .or_else(|| {
            bins.iter()
                .find(|b| favourites.iter().any(|f| b.ends_with(&format!("-{f}"))))
                .cloned()
        })
        .or_else(|| bins.first().cloned());
    let Some(main) = main else {
        guess.saw("Cargo.toml has no binary");
        return Some(guess);
    };
    guess.saw(format!("Cargo.toml makes the binary {main}"));
    guess.name = guess.name.or_else(|| Some(main.clone()));
    guess.runs(Strength::Certain, format!("./target/release/{main}"));
    let mut include = vec![format!("target/release/{main}")];
    for other in bins.iter().filter(|bin| **bin != main) {
        let worker = ["worker", "scheduler", "jobs"]
            .iter()
            .find(|w| other.as_str() == **w || other.ends_with(&format!("-{w}")));
        let Some(worker) = worker else {
            guess.note(format!("the binary {other} is not shipped; add target/release/{other} to include if a host needs it"));
            continue;
        };
        include.push(format!("target/release/{other}"));
        guess.services.push(ServiceGuess {
            name: (*worker).to_owned(),
            command: Some(format!("./target/release/{other}")),
            ..ServiceGuess::default()
        });
    }
    guess.include = Include::Built(include);
    Some(guess)
}

/// The members of a workspace that can be read: `crates/*` and plain paths.
fn members(folder: &Folder, manifest: &toml::Table) -> Vec<(String, toml::Table)> {
    let list = manifest
        .get("workspace")
        .and_then(|w| w.get("members"))
        .and_then(|m| m.as_array());
    let mut dirs = Vec::new();
    for path in list.into_iter().flatten().filter_map(|path| path.as_str()) {
        match path.strip_suffix("/*") {
            Some(parent) => dirs.extend(
                folder
                    .names_in(parent)
                    .into_iter()
                    .map(|n| format!("{parent}/{n}")),
            ),
            None => dirs.push(path.to_owned()),
        }
    }
    dirs.into_iter()
        .take(100)
        .filter_map(|dir| {
            Some((
                format!("{dir}/"),
                folder.toml(&format!("{dir}/Cargo.toml"))?,
            ))
        })
        .collect()
}

/// The binaries of the crate in `dir` (empty, or ending in `/`), as Cargo finds them.
fn binaries(folder: &Folder, dir: &str, table: &toml::Table) -> Vec<String> {
    let Some(package) = table
        .get("package")
        .and_then(|p| p.get("name"))
        .and_then(|n| n.as_str())
    else {
        return Vec::new();
    };
    let declared = table.get("bin").and_then(|bins| bins.as_array());
    let mut found: Vec<String> = declared
        .into_iter()
        .flatten()
        .filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned()))
        .collect();
    let renamed = declared.is_some_and(|bins| {
        bins.iter()
            .any(|bin| bin.get("path").and_then(|p| p.as_str()) == Some("src/main.rs"))
    });
    if !renamed && folder.is_file(&format!("{dir}src/main.rs")) {
        found.push(package.to_owned());
    }
    for name in folder.names_in(&format!("{dir}src/bin")) {
        match name.strip_suffix(".rs") {
            Some(stem) => found.push(stem.to_owned()),
            None if folder.is_file(&format!("{dir}src/bin/{name}/main.rs")) => found.push(name),
            None => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found
}

fn has_tests(folder: &Folder, crates: &[(String, toml::Table)]) -> bool {
    crates.iter().any(|(dir, _)| {
        folder
            .names_in(&format!("{dir}tests"))
            .iter()
            .any(|n| n.ends_with(".rs"))
    }) || folder
        .sources(TYPES)
        .iter()
        .any(|source| source.text.contains("#[test]") || source.text.contains("::test]"))
}
