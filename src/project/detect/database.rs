//! SQLite databases that the sources name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::folder::Source;
use super::place::{self, Place};
use super::text::{option, spans};

/// How such files are called.
const TYPES: &[&str] = &[".db", ".db3", ".duckdb", ".sqlite", ".sqlite3"];

/// How much of a database is read, bytes. Its schema is in the first pages, most often.
const MOST_READ: u64 = 4 << 20;

/// A database that the sources name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// As it is written: `data/app.db`.
    pub name: String,
    pub place: Place,
}

/// The databases that `source` names. `urls_in` is the folder that relative URLs start from, where
/// that is not the app's own; `budget` is how many texts are still looked at.
pub(super) fn in_source(
    source: &Source,
    sources: &[&Source],
    urls_in: Option<&str>,
    budget: &mut usize,
) -> Vec<Named> {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    let mut found: Vec<Named> = Vec::new();
    let mut begin = 0;
    for line in code.split_inclusive('\n') {
        for (at, text) in spans(line) {
            if *budget == 0 || !seems(text) {
                continue;
            }
            *budget -= 1;
            if !is_other(line) {
                let named = on_line(&code, (begin + at, text), (source, sources), urls_in);
                found.extend(named.filter(|named| !found.contains(named)));
            }
        }
        begin += line.len();
    }
    found
}

/// Whether a text ends like the path of a database.
pub(super) fn seems(text: &str) -> bool {
    let path = text.split('?').next().unwrap_or_default();
    TYPES.iter().any(|end| path.ends_with(end))
}

/// Whether the database at `path` has the table in which a tool for migrations keeps its books: the tool
/// makes it anew anywhere. One without is content that belongs to the app.
pub(super) fn is_migrated(path: &Path) -> bool {
    const BOOKS: [&str; 8] = [
        "django_migrations",
        "alembic_version",
        "schema_migrations",
        "knex_migrations",
        "_prisma_migrations",
        "__drizzle_migrations",
        "SequelizeMeta",
        "doctrine_migration_versions",
    ];
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_READ).read_to_end(&mut begin));
    let text = String::from_utf8_lossy(&begin);
    read.is_ok() && BOOKS.iter().any(|table| text.contains(table))
}

/// Whether a line names no file: `ENGINE` of a setting is the name of a module, and the functions for
/// paths of Laravel and AdonisJS are known to their detectors.
fn is_other(line: &str) -> bool {
    let known = ["database_path(", "tmpPath("];
    line.contains("ENGINE") && !line.contains("NAME") || known.iter().any(|it| line.contains(it))
}

fn on_line(
    code: &str,
    (at, text): (usize, &str),
    (source, sources): (&Source, &[&Source]),
    urls_in: Option<&str>,
) -> Option<Named> {
    if let Some((base, rest)) = interpolated(text) {
        let name = path(rest)?.to_owned();
        let place = place::below(base, &name, source, sources);
        return Some(Named { name, place });
    }
    if let (Some(dir), Some(name)) = (folder_beside(code, at), path(text)) {
        let place = place::below(dir, name, source, sources);
        let name = name.to_owned();
        return Some(Named { name, place });
    }
    // What is joined to a folder may begin with a slash.
    let own = path(text).or_else(|| path(text.strip_prefix('/')?))?;
    let full = if path(text).is_some() { own } else { text };
    let place = match (place::of(code, at, full, source, sources), urls_in) {
        (Place::Inside(path), Some(folder)) if text.contains("sqlite:") && path == own => {
            Place::Inside(format!("{folder}/{path}"))
        }
        (place, _) => place,
    };
    let name = own.to_owned();
    (place != Place::Outside).then_some(Named { name, place })
}

/// `dir` of the object in which the text at `at` is `db`: `{ db: "x.db", dir: "./var" }` of
/// connect-sqlite3.
fn folder_beside(code: &str, at: usize) -> Option<&str> {
    let before = code[..at - 1].trim_end().strip_suffix(':')?;
    let is_one = |word: &&str| before.trim_end_matches(['"', '\'']).ends_with(*word);
    ["db", "filename"].iter().find(|word| is_one(word))?;
    let open = before.rfind('{')?;
    let inside = &code[open..];
    option(&inside[..inside.find('}')?], "dir")
}

/// `${dir}/app.db`, `{DATA_DIR}/app.db`, `$dir/app.db`, `%s/app.db`: the folder and the rest.
fn interpolated(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("file:").unwrap_or(text);
    let text = match text.split_once(":///") {
        Some((scheme, rest)) if scheme.starts_with("sqlite") => rest,
        _ => text,
    };
    let (base, rest) = text.split_once('/')?;
    let bare = ["${", "#{", "{$", "{"].iter();
    let mut bare = bare.filter_map(|open| base.strip_prefix(open)?.strip_suffix('}'));
    let inner = bare.next().or_else(|| base.strip_prefix('$'));
    Some((inner.or((base == "%s").then_some(""))?, rest))
}

/// The relative path of a SQLite database, if `text` is one: `app.db`, `./data/app.sqlite3`,
/// `sqlite:///app.db`, `sqlite://data/app.db?mode=rwc`.
pub(super) fn path(text: &str) -> Option<&str> {
    let text = text.split('?').next()?;
    let text = text.strip_prefix("file:").unwrap_or(text);
    let scheme = text
        .starts_with("sqlite")
        .then(|| text.split_once(':'))
        .flatten();
    let path = match scheme {
        Some((_, rest)) => rest
            .strip_prefix("///")
            .or(rest.strip_prefix("//"))
            .unwrap_or(rest),
        None => text,
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    let file = path.rsplit('/').next()?;
    let stem = TYPES.iter().find_map(|end| file.strip_suffix(end))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    // Two dots make the name of a module: `django.db.backends.sqlite3`.
    (!stem.is_empty()
        && !stem.contains('.')
        && !["Thumb.db", "Thumbs.db"].contains(&file)
        && !stem.contains("test")
        && !path.starts_with('/')
        && !path.split('/').any(|part| part == "..")
        && path.chars().all(plain))
    .then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_their_names() {
        for (text, known) in [
            ("app.db", Some("app.db")),
            ("./data/app.sqlite3", Some("data/app.sqlite3")),
            ("sqlite:///shop.db", Some("shop.db")),
            ("sqlite+aiosqlite:///./shop.db", Some("shop.db")),
            ("sqlite://data/shop.db?mode=rwc", Some("data/shop.db")),
            ("/var/lib/x.db", None),
            ("../x.db", None),
            ("sqlite:////abs.db", None),
            (":memory:", None),
            ("user.name", None),
            ("django.db.backends.sqlite3", None),
            ("sqlalchemy.dialects.sqlite", None),
        ] {
            assert_eq!(path(text), known, "{text}");
        }
    }

    #[test]
    fn a_database_has_a_place_or_none_that_is_known() {
        for (file, line, folder, named) in [
            (
                "x.py",
                "'NAME': BASE_DIR / 'db.sqlite3',",
                None,
                Some("db.sqlite3"),
            ),
            (
                "x.py",
                "URI = 'sqlite:///a.db'",
                Some("instance"),
                Some("instance/a.db"),
            ),
            (
                "x.py",
                "URI = f'sqlite:///{BASE_DIR}/a.db'",
                None,
                Some("a.db"),
            ),
            (
                "x.js",
                "open(`${__dirname}/var/a.db`)",
                None,
                Some("var/a.db"),
            ),
            (
                "x.js",
                "new Store({ db: 'a.db', table: 'x', dir: './var' })",
                None,
                Some("var/a.db"),
            ),
            (
                "x.js",
                "new Store({\n  dir: path.join(__dirname, 'var'),\n  db: 'a.db',\n})",
                None,
                Some("var/a.db"),
            ),
            (
                "x.js",
                "env('FILE', '.tmp/data.db')",
                None,
                Some(".tmp/data.db"),
            ),
            ("x.py", "URI = f'sqlite:///{folder}/a.db'", None, None),
            ("x.rs", "format!(\"{}/a.db\", dir)", None, None),
            ("x.rs", "format!(\"sqlite:///{dir}/a.db\")", None, None),
            ("x.go", "fmt.Sprintf(\"%s/a.db\", dir)", None, None),
            ("x.php", "$x = \"$dir/a.db\";", None, None),
            ("x.py", "os.path.join(X, 'db.sqlite')", None, None),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: line.to_owned(),
            };
            let found = in_source(&source, &[], folder, &mut 9);
            let place = named.map_or(Place::Unknown, |path| Place::Inside(path.to_owned()));
            let places: Vec<&Place> = found.iter().map(|named| &named.place).collect();
            assert_eq!(places, [&place], "{line}");
        }
        for line in [
            "'ENGINE': 'django.db.backends.sqlite3'",
            "open('/var/a.db')",
        ] {
            let source = Source {
                path: "x.py".to_owned(),
                text: line.to_owned(),
            };
            assert_eq!(in_source(&source, &[], None, &mut 9), [], "{line}");
        }
    }
}
