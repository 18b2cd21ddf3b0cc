//! Variables that the code has a value for when nobody sets them, and that value is the database of
//! a developer: `os.getenv("DATABASE_URL", "postgresql://localhost/shop")`. An app that is deployed
//! needs its own.

use super::super::folder::Source;
use super::super::text::{literals, spans};
use super::reads::is_name;

/// How the addresses of databases begin.
const SCHEMES: &[&str] = &[
    "cockroachdb",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "postgres",
    "postgresql",
    "sqlserver",
];

/// Where a developer's own database is: on the same machine, or beside the app in a Compose file.
const OWN_HOSTS: &[&str] = &[
    "0.0.0.0",
    "127.0.0.1",
    "[::1]",
    "database",
    "db",
    "host.docker.internal",
    "localhost",
    "mariadb",
    "mongo",
    "mongodb",
    "mysql",
    "postgres",
];

/// What stands between the read of a variable and the value to fall back on.
#[rustfmt::skip]
const OPERATORS: &[&str] = &[
    "||", "??", "or", ",", "?:", "{", "do",
    ".unwrap_or(", ".unwrap_or_else(", ".getOrElse(", ".orElse(", ".or_else(",
];

/// How far the value may stand behind the name, bytes.
const REACH: usize = 160;

/// The names of the variables in `source` that fall back on a developer's database.
pub(super) fn needed(source: &Source) -> Vec<String> {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    let mut found: Vec<String> = Vec::new();
    let mut begin = 0;
    for line in code.split_inclusive('\n') {
        for (at, text) in spans(line) {
            let name = is_developers(text).then(|| variable(&code[..begin + at - 1]));
            if let Some(name) = name.flatten()
                && !found.iter().any(|have| have == name)
            {
                found.push(name.to_owned());
            }
        }
        begin += line.len();
    }
    found
}

/// Whether `value`, as in a Python class of settings, is a developer's database.
pub(super) fn is_developers_default(value: &str) -> bool {
    literals(value).into_iter().any(is_developers)
}

/// Whether a text is the address of a database on the developer's own machine.
pub(super) fn is_developers(text: &str) -> bool {
    let text = text.strip_prefix("jdbc:").unwrap_or(text);
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let scheme = scheme.split('+').next().unwrap_or_default();
    let authority = rest.split(['/', '?', ';']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => host,
    };
    SCHEMES.contains(&scheme) && OWN_HOSTS.contains(&host)
}

/// The variable whose read ends `before`, the code before a value to fall back on.
fn variable(before: &str) -> Option<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut start = before.len().saturating_sub(REACH);
    while !before.is_char_boundary(start) {
        start += 1;
    }
    let near = &before[start..];
    // The last name that is read; what is between it and the value tells whether one falls back on
    // the other.
    let mut names = near.split(|c: char| !is_word(c)).filter(|it| is_name(it));
    let name = names.next_back()?;
    let at = name.as_ptr() as usize - near.as_ptr() as usize;
    let (head, tail) = (&near[..at], &near[at + name.len()..]);
    let is_read = head.ends_with(['"', '\'', '`']) || head.ends_with("env.");
    let behind = tail.trim_start_matches(['"', '\'', '`']);
    let behind = behind.trim_start_matches([')', ']']).trim_start();
    let falls = OPERATORS.iter().any(|it| {
        let rest = behind.strip_prefix(it);
        // A word of an argument, a closure, `String::from(`: and nothing that ends the statement.
        rest.is_some_and(|rest| !rest.contains([';', ')', '"', '\'']) || rest.contains("|_|"))
    });
    // `if dsn == "" { dsn = `
    let is_asked = ["== \"\"", "== nil", ".is_empty()", "== null", "is None"]
        .iter()
        .any(|it| behind.contains(it));
    (is_read && (falls || is_asked && !behind.contains(';'))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        needed(&Source {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_value_to_fall_back_on_that_is_a_developers_database_is_found() {
        for (path, text) in [
            (
                "src/main.rs",
                "let url = std::env::var(\"DATABASE_URL\")\n    .unwrap_or_else(|_| \"postgres://postgres:password@localhost\".to_string());",
            ),
            (
                "src/main.rs",
                "env::var(\"DATABASE_URL\").unwrap_or(\"mysql://root@127.0.0.1:3306/x\".into())",
            ),
            (
                "db.js",
                "const uri = process.env.DATABASE_URL || 'mongodb://localhost:27017/shop'",
            ),
            (
                "db.ts",
                "process.env['DATABASE_URL'] ??\n  `postgresql://${user}:${password}@db:5432/shop`",
            ),
            (
                "db.py",
                "URL = os.environ.get(\n    \"DATABASE_URL\",\n    \"postgresql+asyncpg://a:b@localhost/app\",\n)",
            ),
            (
                "db.py",
                "URL = os.getenv(\"DATABASE_URL\") or \"postgresql://localhost/app\"",
            ),
            (
                "settings.py",
                "DATABASES = {'default': env.db('DATABASE_URL', default='postgres://localhost/app')}",
            ),
            (
                "db.rb",
                "DB = Sequel.connect(ENV.fetch('DATABASE_URL') { 'postgres://localhost/app' })",
            ),
            (
                "db.rb",
                "Sequel.connect(ENV['DATABASE_URL'] || 'postgres://localhost/app')",
            ),
            (
                "main.go",
                "dsn := os.Getenv(\"DATABASE_URL\")\n\tif dsn == \"\" {\n\t\tdsn = \"postgres://localhost:5432/app?sslmode=disable\"\n\t}",
            ),
            (
                "main.go",
                "dsn := getEnv(\"DATABASE_URL\", \"postgres://app:app@postgres:5432/app\")",
            ),
            (
                "Db.kt",
                "val url = System.getenv(\"DATABASE_URL\") ?: \"jdbc:postgresql://localhost:5432/app\"",
            ),
        ] {
            assert_eq!(names(path, text), ["DATABASE_URL"], "{text}");
        }
    }

    #[test]
    fn other_values_are_not() {
        for (path, text) in [
            ("a.js", "process.env.REDIS_URL || 'redis://localhost:6379'"),
            (
                "a.js",
                "process.env.DATABASE_URL || 'postgres://db.example.com/x'",
            ),
            (
                "a.js",
                "const mode = process.env.MODE\nconst uri = 'mongodb://localhost/shop'",
            ),
            (
                "a.js",
                "const mode = process.env.MODE || 'x'; const uri = 'mongodb://localhost/shop'",
            ),
            (
                "a.py",
                "values = {\"DATABASE_URL\": \"postgres://localhost/x\"}",
            ),
            (
                "a.rs",
                "const DEFAULT_URL: &str = \"postgres://localhost/x\";",
            ),
            (
                "a.py",
                "# os.getenv(\"DATABASE_URL\", \"postgres://localhost/x\")",
            ),
        ] {
            assert_eq!(names(path, text), [""; 0], "{text}");
        }
    }
}
