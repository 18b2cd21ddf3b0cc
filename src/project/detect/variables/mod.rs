//! The environment variables that the project itself says it needs: to start, or to be built.

mod building;
mod committed;
mod examples;
mod fallbacks;
mod keys;
mod known;
mod levels;
mod models;
mod options;
mod reads;
mod schemas;

use std::collections::BTreeMap;

pub(super) use examples::EXAMPLES;
pub(super) use known::{PUBLIC, is_plain};
pub(super) use reads::is_name;

use super::constants;
use super::database;
use super::files::is_secret;
use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::reason::About;

/// A variable without which the app does not start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Needed {
    name: String,
    /// The file that says so.
    file: String,
}

/// Folders of what people run by hand, and files that only such commands read.
const BY_HAND: &[&str] = &[
    "scripts",
    "script",
    "tools",
    "contrib",
    "extra",
    "extras",
    "hack",
    "bin",
    "seed",
    "seeds",
    "notebooks",
    "alembic",
    "benchmarks",
    "__mocks__",
    "stories",
    "support",
];
const BY_HAND_FILES: &[&str] = &[
    "seed", "build", "setup", "manage", "noxfile", "fabfile", "tasks",
];

/// Says in `guess` which variables the app needs: a secret, a setting to fill in, or the file of a
/// database; and what its build needs.
pub(super) fn apply(folder: &Folder, guess: &mut Guess) {
    if guess.stack == Stack::Static {
        return;
    }
    let sources = folder.sources(guess.types);
    building::apply(folder, &sources, guess);
    if guess
        .services
        .iter()
        .all(|service| service.command.is_none())
    {
        return;
    }
    let commands: Vec<&str> = commands(guess).collect();
    let aside = guess.aside.clone();
    let runs = |source: &&&Source| is_run(&source.path, &commands, &aside);
    let settings = models::settings(&sources);
    let names = constants::of_variables(&sources);
    let mut needed = Vec::new();
    for source in sources.iter().filter(runs) {
        let known = constants::read_by_name(source, &names);
        let source = known.as_ref().unwrap_or(source);
        let names = reads::needed(source)
            .into_iter()
            .chain(fallbacks::needed(source))
            .chain(schemas::needed(source).start)
            .chain(models::needed(source, &sources, &settings));
        needed.extend(names.map(|name| Needed {
            name,
            file: source.path.clone(),
        }));
    }
    let keys = sources.iter().filter(runs).flat_map(|source| {
        let names = keys::replaced(source).into_iter();
        names.map(|name| (name, source.path.clone()))
    });
    let keys: Vec<(String, String)> = keys.collect();
    needed.extend(in_properties(folder));
    let running: Vec<&Source> = sources.iter().filter(runs).copied().collect();
    needed.extend(examples::required(folder, &running));
    // Symfony's own file of that kind is released under another name.
    if !guess.released().iter().any(|path| path == ".env.dist") {
        needed.extend(committed::read(folder, &running));
    }
    let any = !needed.is_empty();
    if guess.stack == Stack::Node && !guess.test.run.is_empty() {
        let names = needed.iter().map(|it| it.name.as_str());
        let values = tested(folder, guess, names);
        guess.test.env.extend(values);
    }
    for Needed { name, file } in needed {
        guess.secret(name, &file);
    }
    sort_out(folder, guess);
    if any {
        let notes = [building::loads(guess), tests(guess)];
        guess.notes.extend(notes.into_iter().flatten());
    }
    for (name, file) in keys {
        if !guess.env.contains_key(&name) && !guess.service_env.contains_key(&name) {
            guess.secret(name, &file);
        }
    }
    if guess.stack == Stack::Node && !guess.build.run.is_empty() {
        // A build loads the app's modules, and nobody has a `.env` in CI.
        let files = guess.env.iter();
        let files = files.filter(|(_, value)| database::path(value).is_some());
        let files: BTreeMap<String, String> = files
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        guess.build.env.extend(files);
    }
}

/// The published examples of what tests need that load the app's modules, for a folder where no
/// `.env` has the values, as in CI.
fn tested<'a>(
    folder: &Folder,
    guess: &Guess,
    names: impl Iterator<Item = &'a str>,
) -> BTreeMap<String, String> {
    if [OWN, ".env.test"].iter().any(|file| folder.is_file(file)) {
        return BTreeMap::new();
    }
    let names = names.filter(|name| !guess.env.contains_key(*name) && !known::is_given(name));
    names
        .filter_map(|name| Some((name.to_owned(), published(folder, name)?.0)))
        .collect()
}

/// What to know where the tests of a Python project import modules that need variables.
fn tests(guess: &Guess) -> Option<String> {
    let names = guess.secrets.iter().chain(guess.settings.keys());
    let names: Vec<&str> = names.map(String::as_str).collect();
    let tells = guess.stack == Stack::Python && !guess.test.run.is_empty() && !names.is_empty();
    tells.then(|| {
        format!(
            "steps do not see the variables of your shell: if the tests stop for want of {}, give \
             them values in `env` of [test]",
            names.join(", ")
        )
    })
}

fn commands(guess: &Guess) -> impl Iterator<Item = &str> {
    let services = guess.services.iter();
    services.filter_map(|service| service.command.as_deref())
}

/// Whether a source is part of what the services of `guess` run.
pub(super) fn runs(source: &Source, guess: &Guess) -> bool {
    let commands: Vec<&str> = commands(guess).collect();
    is_run(&source.path, &commands, &guess.aside)
}

/// Whether a source is part of what the services run, by its place: none of those `aside`.
fn is_run(path: &str, commands: &[&str], aside: &[String]) -> bool {
    let is_aside = |other: &String| match other.ends_with('/') {
        true => path.starts_with(other.as_str()),
        false => path == other,
    };
    if aside.iter().any(is_aside) {
        return false;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let named = |word: &str| commands.iter().any(|command| command.contains(word));
    let is_main = |dir: &str, at: usize| {
        // `cmd/migrate/main.go` is a program of its own.
        dir == "cmd" && parts.get(at + 1).is_some_and(|name| !named(name)) && parts.len() > 1
    };
    let by_hand = |(at, dir): (usize, &&str)| {
        BY_HAND.contains(dir) && !named(&parts[..=at].join("/")) || is_main(dir, at)
    };
    let is_other = BY_HAND_FILES.contains(&stem) && !named(stem);
    // Django's commands: `manage.py backup`.
    let is_command = path.contains("management/commands/");
    let is_test = parts
        .iter()
        .any(|dir| dir.starts_with("tests_") || dir.ends_with("_tests"));
    !is_other && !is_command && !is_test && !parts.iter().enumerate().any(by_hand)
}

/// `${NAME}` in the settings of Spring Boot and the like, without a value to fall back on, or with a
/// developer's database.
fn in_properties(folder: &Folder) -> Vec<Needed> {
    const FILES: &[&str] = &[
        "application.properties",
        "application.yml",
        "application.yaml",
    ];
    let mut found = Vec::new();
    for file in FILES
        .iter()
        .map(|name| format!("src/main/resources/{name}"))
    {
        let text = folder.read(&file).unwrap_or_default();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        for part in lines.flat_map(|line| line.split("${").skip(1)) {
            let Some((name, _)) = part.split_once('}') else {
                continue;
            };
            let name = match name.split_once(':') {
                Some((name, value)) if fallbacks::is_developers(value) => name,
                _ => name,
            };
            if reads::is_name(name) && !found.iter().any(|have: &Needed| have.name == name) {
                found.push(Needed {
                    name: name.to_owned(),
                    file: file.clone(),
                });
            }
        }
    }
    found
}

/// Of the secrets, what is none: what ship sets, the file of a database, a setting.
fn sort_out(folder: &Folder, guess: &mut Guess) {
    for name in std::mem::take(&mut guess.secrets) {
        let has = |env: &BTreeMap<String, String>| env.contains_key(&name);
        let is_set = has(&guess.env)
            || has(&guess.service_env)
            || guess.services.iter().any(|service| has(&service.env))
            || known::is_given(&name);
        if is_set {
            forget(guess, &name);
        } else if let Some((value, path)) = database_of(folder, guess, &name) {
            let says = format!("keeps the database in {path}");
            for steps in [&mut guess.build, &mut guess.test] {
                if let Some(had) = steps.env.get_mut(&name) {
                    had.clone_from(&value);
                }
            }
            guess.env.insert(name.clone(), value);
            forget(guess, &name);
            let file = address(folder, &name).map_or(OWN, |(_, file)| file);
            guess.because(About::Env, file, format!("sets {name}"));
            guess.because(About::Shared, file, says);
            if !guess.shared.contains(&path) {
                guess.shared.push(path);
            }
        } else if known::is_setting(&name) && !is_secret(&name) {
            let value = published(folder, &name);
            let all_use = committed::value(folder, &name).map(|value| (value, committed::FILE));
            let choice = value.clone().filter(|_| known::is_choice(&name));
            if let Some((value, file)) = all_use.or(choice) {
                forget(guess, &name);
                guess.because(About::Env, file, format!("sets {name}"));
                guess.env.insert(name, value);
                continue;
            }
            let value = value.map(|(value, _)| value).unwrap_or_default();
            let says = needs(&name);
            let reasons = guess.reasons.iter_mut();
            for reason in reasons.filter(|reason| reason.says == says) {
                reason.about = About::Env;
            }
            guess.settings.insert(name, value);
        } else if let Some(value) = committed::value(folder, &name).filter(|_| !is_secret(&name)) {
            forget(guess, &name);
            guess.because(About::Env, committed::FILE, format!("sets {name}"));
            guess.env.insert(name, value);
        } else {
            guess.secrets.push(name);
        }
    }
}

/// Takes back what was said about a secret that is none.
fn forget(guess: &mut Guess, name: &str) {
    let says = needs(name);
    guess.reasons.retain(|reason| reason.says != says);
}

/// The sentence about a variable that the app needs, without its subject.
pub(super) fn needs(name: &str) -> String {
    format!("needs {name}")
}

/// What a developer has set; nobody else may see the values, but for the path of a database.
const OWN: &str = committed::FILE;

/// The example of a variable's value in the first of `files` that has one, and that file.
fn example<'a>(
    folder: &Folder,
    name: &str,
    mut files: impl Iterator<Item = &'a str>,
) -> Option<(String, &'a str)> {
    files.find_map(|file| {
        let text = folder.read(file)?;
        let value = text.lines().find_map(|line| {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| plain(value))
        })?;
        (!value.is_empty()).then_some((value, file))
    })
}

/// The example that the project publishes of a variable's value, with the examples of the variables
/// that it is made of.
pub(super) fn published(folder: &Folder, name: &str) -> Option<(String, &'static str)> {
    let of = |name: &str| example(folder, name, EXAMPLES.iter().copied());
    let (mut value, file) = of(name)?;
    while let Some((before, rest)) = value.split_once("${") {
        let (inner, after) = rest.split_once('}')?;
        let (plain, _) = of(inner).filter(|(plain, _)| !plain.contains("${"))?;
        value = format!("{before}{plain}{after}");
    }
    Some((value, file))
}

/// What stands for the project's own folder in a value.
const HERE: &[&str] = &[
    "${CARGO_MANIFEST_DIR}/",
    "$CARGO_MANIFEST_DIR/",
    "${PWD}/",
    "$PWD/",
    "$(pwd)/",
];

/// The address of a database: the one that the project publishes, or the developer's own.
pub(super) fn address(folder: &Folder, name: &str) -> Option<(String, &'static str)> {
    let files = EXAMPLES.iter().copied().chain([OWN]);
    let (value, file) = example(folder, name, files)?;
    let here = HERE.iter().find(|here| value.contains(*here));
    Some((
        here.map_or(value.clone(), |here| value.replace(here, "")),
        file,
    ))
}

/// The value of a line in a file of variables: without quotes, and without a comment behind it.
fn plain(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some((inner, _)) = value
            .strip_prefix(quote)
            .and_then(|it| it.split_once(quote))
        {
            return inner.to_owned();
        }
    }
    let end = value.find(" #").unwrap_or(value.len());
    value[..end].trim().to_owned()
}

/// The value and the path of a SQLite database that the example of a variable names.
pub(super) fn database_file(folder: &Folder, name: &str) -> Option<(String, String)> {
    let (value, _) = address(folder, name)?;
    let is_url = value.starts_with("file:") || value.starts_with("sqlite");
    let names_file = name.contains("DATABASE") || name.contains("DB_") || name.contains("SQLITE");
    let path = database::path(&value).filter(|_| is_url || names_file)?;
    let path = path.to_owned();
    Some((value, path))
}

/// The same, where `guess` says what such addresses are relative to.
fn database_of(folder: &Folder, guess: &Guess, name: &str) -> Option<(String, String)> {
    let (value, path) = database_file(folder, name)?;
    match guess
        .database_urls_in
        .filter(|_| value.starts_with("sqlite:"))
    {
        Some(dir) => Some((value, format!("{dir}/{path}"))),
        None => Some((value, path)),
    }
}

#[cfg(test)]
mod tests;
