//! Tables that only a person makes: a schema, or a program for it, that nothing in the project runs.

use super::database;
use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::node::Package;
use super::place::Place;
use super::python;
use super::text::has_word;
use super::variables;

/// What code holds that makes tables.
const MAKES: &[&str] = &[
    ".sync(",
    "AutoMigrate(",
    "CREATE TABLE",
    "MigrateAsync(",
    "EnsureCreated",
    "create table",
    "createTable(",
    "create_all(",
    "create_table",
    "migrate!(",
    "runMigrations",
];

/// What code holds that makes the tables which another module describes.
const CALLS: &[&str] = &[
    "init_db(",
    "initDb(",
    "initDB(",
    "executescript(",
    "schema.sql",
];

/// Names of programs that make them, without `_` and `-`.
const PROGRAMS: &[&str] = &[
    "createdatabase",
    "createdb",
    "createtable",
    "createtables",
    "database",
    "databasesetup",
    "db",
    "dbinit",
    "dbsetup",
    "initdatabase",
    "initdb",
    "migrate",
    "schema",
    "seed",
    "setupdatabase",
    "setupdb",
    "tables",
];

/// Scripts of `package.json` that do, best first.
const SCRIPTS: &[&str] = &[
    "db:setup",
    "setup:db",
    "setup-db",
    "db:init",
    "init:db",
    "init-db",
    "initdb",
    "db:create",
    "create-db",
    "create-tables",
    "db:migrate",
    "migrate",
    "db:push",
    "db:seed",
];

/// Scripts that others run.
const RUN: &[&str] = &[
    "start",
    "prestart",
    "postinstall",
    "prepare",
    "build",
    "prebuild",
];

/// Files that describe them, and folders that hold such files.
const SCHEMAS: &[&str] = &[
    "schema.sql",
    "tables.sql",
    "database.sql",
    "db.sql",
    "init.sql",
    "setup.sql",
];
const FOLDERS: &[&str] = &["", "db/", "sql/", "database/", "data/", "scripts/"];

/// Programs that a line of a README starts.
const STARTS: &[&str] = &[
    "flask ", "python ", "python3 ", "node ", "npm run ", "php ", "ruby ",
];

/// How many texts are looked at for the name of the database.
const MAX_TEXTS: usize = 60;

/// Says in `guess` what makes the tables, where no deploy does.
pub(super) fn apply(folder: &Folder, guess: &mut Guess) {
    let runs_commands = guess.services.iter().any(|it| it.command.is_some());
    let is_done = !guess.hooks.is_empty() || !guess.root_hooks.is_empty();
    if guess.is_prepared_by_hand || is_done || !runs_commands {
        return;
    }
    let sources = folder.sources(guess.types);
    let (programs, others): (Vec<&Source>, Vec<&Source>) = sources
        .iter()
        .partition(|source| is_program(source, &sources, guess));
    let running = others
        .iter()
        .filter(|source| variables::runs(source, guess));
    let running: Vec<&Source> = running.copied().collect();
    if running.iter().any(|source| holds(source, MAKES)) {
        return;
    }
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let schema = || {
        let all = FOLDERS
            .iter()
            .flat_map(|dir| SCHEMAS.iter().map(move |file| format!("{dir}{file}")));
        let mut all = all.filter(|path| folder.is_file(path));
        all.find(|path| {
            let file = name(path);
            let loads = |source: &&Source| source.lines().any(|line| line.contains(&file));
            !running.iter().any(loads)
        })
    };
    let (subject, command) = if let Some(found) = script(folder, guess) {
        found
    } else if let Some(program) = programs.first() {
        let path = match &guess.copy {
            Some(copy) => format!("{copy}/{}", program.path),
            None => program.path.clone(),
        };
        (program.path.clone(), start(&path))
    } else if let Some(found) = entry_point(folder, guess) {
        found
    } else if let Some(path) = schema() {
        let command = match file(&running, guess) {
            Some(file) => format!("sh -c 'sqlite3 {file} < {path}'"),
            None => {
                guess.note(format!(
                    "{path} makes the tables, and nothing in the project loads it: load it into \
                     the database before the first visitor comes"
                ));
                guess.is_prepared_by_hand = true;
                return;
            }
        };
        (path, command)
    } else if let Some(line) = told(folder) {
        let command = match guess.stack {
            Stack::Python => python::adapt(folder, &line, guess),
            _ => line,
        };
        ("a command in the README".to_owned(), command)
    } else {
        return;
    };
    guess.is_prepared_by_hand = true;
    guess.note(format!(
        "{subject} makes the tables, and no deploy runs it: once, before the first visitor comes, \
         `ship exec production -- {command}`"
    ));
}

fn holds(source: &Source, words: &[&str]) -> bool {
    let has = |line: &str| words.iter().any(|word| line.contains(word));
    source.lines().any(has)
}

/// Whether a source is a program that makes the tables.
fn is_program(source: &Source, sources: &[&Source], guess: &Guess) -> bool {
    let plain: String = stem(source)
        .chars()
        .filter(|c| !"_-".contains(*c))
        .collect();
    // A class does nothing by itself.
    let is_class = |line: &str| {
        let words = ["class ", "abstract class ", "final class ", "namespace "];
        words.iter().any(|word| line.starts_with(word))
    };
    let is_class = source.is(&["php"]) && source.lines().any(is_class);
    PROGRAMS.contains(&plain.to_ascii_lowercase().as_str())
        && !is_class
        && (holds(source, MAKES) || holds(source, CALLS))
        && is_alone(source, sources, guess)
}

/// Whether a source is a script that no service starts and no other source loads.
pub(super) fn is_alone(source: &Source, sources: &[&Source], guess: &Guess) -> bool {
    let stem = stem(source);
    let loads = |line: &str| {
        let words = ["import", "require", "from", "include", "load"];
        has_word(line, stem) && words.iter().any(|word| line.contains(word))
    };
    let mut others = sources.iter().filter(|other| other.path != source.path);
    let mut commands = guess.services.iter().filter_map(|it| it.command.as_deref());
    source.is(&["py", "js", "cjs", "mjs", "rb", "php"])
        && !commands.any(|command| has_word(command, stem))
        && !others.any(|other| other.lines().any(loads))
}

/// The word by which others load a source: its name, or that of its folder.
fn stem(source: &Source) -> &str {
    let mut parts = source.path.rsplit('/');
    let file = parts.next().unwrap_or_default();
    match (file.split('.').next().unwrap_or_default(), parts.next()) {
        ("index" | "__init__", Some(folder)) => folder,
        (stem, _) => stem,
    }
}

/// The line that starts the program at `path`, in the project's own folder.
fn start(path: &str) -> String {
    match path.rsplit_once('.') {
        // As a module it finds those at the top.
        Some((module, "py")) if module.contains('/') => {
            format!("python3 -m {}", module.replace('/', "."))
        }
        Some((_, "py")) => format!("python3 {path}"),
        Some((_, "rb")) => format!("ruby {path}"),
        Some((_, "php")) => format!("php {path}"),
        _ => format!("node {path}"),
    }
}

/// The entry point of a Python package that makes the tables: `init_db = "shop:init_db"`.
fn entry_point(folder: &Folder, guess: &Guess) -> Option<(String, String)> {
    let project = folder
        .toml("pyproject.toml")
        .filter(|_| guess.stack == Stack::Python)?;
    let poetry = || project.get("tool")?.get("poetry")?.get("scripts");
    let lists = [
        project.get("project").and_then(|it| it.get("scripts")),
        poetry(),
    ];
    let mut all = lists
        .into_iter()
        .flatten()
        .filter_map(|list| list.as_table())
        .flatten();
    all.find_map(|(name, target)| {
        let plain = name.replace(['_', '-'], "");
        let (module, function) = target.as_str()?.split_once(':')?;
        // As the service loads it: its folder is where the database is.
        let below = format!("src.{module}");
        let mut commands = guess.services.iter().filter_map(|it| it.command.as_deref());
        let module = match commands.any(|command| command.contains(&below)) {
            true => below.as_str(),
            false => module,
        };
        let is_one = PROGRAMS.contains(&plain.as_str()) && plain != "seed";
        is_one.then(|| {
            let command = format!("python3 -c 'from {module} import {function}; {function}()'");
            (format!("the entry point {name}"), command)
        })
    })
}

/// The script of `package.json` that makes the tables, and that no other script runs.
fn script(folder: &Folder, guess: &Guess) -> Option<(String, String)> {
    let package = Package::read(folder).filter(|_| guess.stack == Stack::Node)?;
    // Its generator writes the script before there is a database.
    let mut sources = folder.names_in("src/datasources").into_iter();
    if package.has("@loopback/rest") && !sources.any(|name| name.ends_with(".datasource.ts")) {
        return None;
    }
    let is_run = |name: &str, text: &str| {
        let mut others = RUN.iter().filter_map(|other| package.script(other));
        others.any(|other| has_word(other, name) || other.contains(text))
    };
    SCRIPTS.iter().find_map(|name| {
        let text = package.script(name)?;
        let command = match text.starts_with("node ") {
            true => text.to_owned(),
            false => format!("npm run {name}"),
        };
        (!is_run(name, text)).then(|| (format!("the script {name}"), command))
    })
}

/// The SQLite database that the app keeps.
fn file(running: &[&Source], guess: &Guess) -> Option<String> {
    let mut budget = MAX_TEXTS;
    running.iter().find_map(|source| {
        let named = database::in_source(source, running, guess.database_urls_in, &mut budget);
        named.into_iter().find_map(|named| match named.place {
            Place::Inside(path) => Some(path),
            _ => None,
        })
    })
}

/// The command of the README that makes the tables.
fn told(folder: &Folder) -> Option<String> {
    let text = ["README.md", "README.rst", "README", "readme.md"]
        .iter()
        .find_map(|file| folder.read(file))?;
    let mut lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("$ "));
    let line = lines.find(|line| {
        let words = line.split([' ', '/', '.']);
        let mut words = words.map(|word| word.replace(['-', '_', ':'], ""));
        STARTS.iter().any(|start| line.starts_with(start))
            && !line.contains("manage.py")
            && !line.contains(['`', '&', '<', '>', '|', '\''])
            && words.any(|word| PROGRAMS.contains(&word.as_str()) && word != "seed")
    })?;
    Some(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;

    const APP: &str = "import sqlite3\nfrom flask import Flask\napp = Flask(__name__)\nsqlite3.connect('shop.db')\n";
    const PACKAGE: &str = r#"{"scripts": {"start": "node a.js", "db:init": "node init.js"}}"#;
    const TABLE: &str = "db.execute('CREATE TABLE x (y)')";

    /// The commands that notes name.
    fn told(files: &[(&str, &str)]) -> Option<String> {
        let notes = seen(files).notes;
        let note = notes.iter().find(|note| note.contains("the tables"))?;
        let command = note.split("production -- ").nth(1);
        Some(command.map_or(note.clone(), |it| it.trim_end_matches('`').to_owned()))
    }

    #[test]
    fn what_makes_the_tables_is_told_where_nothing_runs_it() {
        let app = ("app.py", APP);
        let listen = ("a.js", "app.listen(3000)");
        for (files, command) in [
            (&[app, ("init_db.py", TABLE)][..], "python3 init_db.py"),
            (
                &[app, ("scripts/create-db.py", "db.create_all()")],
                "python3 -m scripts.create-db",
            ),
            (
                &[app, ("schema.sql", "")],
                "sh -c 'sqlite3 shop.db < schema.sql'",
            ),
            (
                &[app, ("README.md", "Run:\n\n    $ flask init-db\n")],
                "python3 -m flask init-db",
            ),
            (&[("package.json", PACKAGE), listen], "node init.js"),
            (
                &[
                    app,
                    (
                        "pyproject.toml",
                        "[project]\nname = \"shop\"\ndependencies = [\"flask\"]\n[project.scripts]\ninit-db = \"app:make\"\n",
                    ),
                ],
                "python3 -c 'from app import make; make()'",
            ),
        ] {
            assert_eq!(told(files).as_deref(), Some(command), "{files:?}");
        }
        let far = told(&[
            ("package.json", r#"{"scripts": {"start": "node a.js"}}"#),
            listen,
            ("db/schema.sql", ""),
        ]);
        assert!(far.is_some_and(|note| note.contains("nothing in the project loads it")));
    }

    #[test]
    fn what_the_app_makes_itself_is_not_told() {
        let app = ("app.py", APP);
        let makes = format!("{APP}{TABLE}");
        let loads = format!("{APP}open('schema.sql')");
        let imports = format!("{APP}from init_db import init\ninit()");
        for files in [
            &[app][..],
            &[("app.py", makes.as_str()), ("init_db.py", TABLE)],
            &[("app.py", loads.as_str()), ("schema.sql", "")],
            &[("app.py", imports.as_str()), ("init_db.py", TABLE)],
            &[app, ("README.md", "Run `flask init-db` if you like.\n")],
            &[
                (
                    "index.php",
                    "<?php require 'lib/Database.php'; (new Database)->open();",
                ),
                (
                    "lib/Database.php",
                    "<?php\nclass Database {\n function open() { $this->db->exec('CREATE TABLE x (y)'); }\n}",
                ),
            ],
            &[
                (
                    "package.json",
                    r#"{"scripts": {"start": "npm run db:init && node a.js", "db:init": "node init.js"}}"#,
                ),
                ("a.js", "app.listen(3000)"),
            ],
        ] {
            assert_eq!(told(files), None, "{files:?}");
        }
    }
}
