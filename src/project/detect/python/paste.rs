//! PasteDeploy, which Pyramid starts apps with: a file of settings names the app and its server.

use super::super::database;
use super::super::folder::Folder;
use super::super::guess::{Guess, HookGuess, Strength};
use super::super::reason::About;
use super::command::own_script;
use super::copy_scripts;
use super::dependencies::{Dependencies, vendor_dir};

/// The settings for production.
const FILE: &str = "production.ini";

/// Starts the app of `production.ini`, if there is one, and says whether it did.
pub(super) fn start(folder: &Folder, dependencies: &Dependencies, guess: &mut Guess) -> bool {
    let text = folder.read(FILE).unwrap_or_default();
    let has = |section: &str| text.lines().any(|line| line.trim() == section);
    let names_app = ["[app:main]", "[composite:main]", "[pipeline:main]"];
    let names_app = names_app.iter().any(|section| has(section));
    if !has("[server:main]") || !names_app || !dependencies.packages.has("pyramid") {
        return false;
    }
    let vendor = vendor_dir(folder);
    let command = format!("python3 {vendor}/bin/pserve {FILE}");
    copy_scripts(dependencies, &command, vendor, guess);
    guess.because(About::Service, FILE, "names an app and its server");
    guess.runs(Strength::Certain, command);
    guess.framework = Some(("Waitress".to_owned(), 8080));
    if dependencies.packages.has("alembic") && has("[alembic]") {
        guess.because(About::Hook, FILE, "has settings of Alembic");
        guess.hooks.push(HookGuess::once(format!(
            "python3 -m alembic -c {FILE} upgrade head"
        )));
    }
    prepared(folder, guess);
    let addresses = settings(&text, "sqlalchemy.url");
    for path in addresses.filter_map(|it| database::path(it.split("%(here)s/").last()?)) {
        let says = format!("names a database, {path}: it survives releases");
        guess.because(About::Shared, FILE, says);
        guess.shared.push(path.to_owned());
    }
    true
}

/// Says which program of the project fills its database, once.
fn prepared(folder: &Folder, guess: &mut Guess) {
    let pyproject = folder.toml("pyproject.toml");
    let scripts = pyproject
        .as_ref()
        .and_then(|it| it.get("project")?.get("scripts"));
    let scripts = scripts
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten();
    let mut names = scripts.map(|(name, _)| name);
    let Some(name) = names.find(|name| name.contains("init")) else {
        return;
    };
    if let Some(start) = own_script(folder, name) {
        guess.is_prepared_by_hand = true;
        guess.note(format!(
            "pyproject.toml has the program {name}, which no deploy runs: once, \
             `ship exec production -- {start} {FILE}`"
        ));
    }
}

/// The values of a key.
fn settings<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(move |(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
}
