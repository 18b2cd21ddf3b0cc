//! Servers that an app finds on its own machine where nothing else is said: a database, a cache, a
//! queue. A release brings none of them.

use super::folder::{Folder, Source};
use super::text::literals;
use super::variables::{EXAMPLES, PUBLIC};

/// Schemes of addresses, without what a driver adds (`postgresql+asyncpg`), and what answers there.
const SERVERS: &[(&str, &str)] = &[
    ("amqp", "RabbitMQ"),
    ("mariadb", "MariaDB"),
    ("mongodb", "MongoDB"),
    ("mysql", "MySQL"),
    ("mysql2", "MySQL"),
    ("nats", "NATS"),
    ("postgres", "PostgreSQL"),
    ("postgresql", "PostgreSQL"),
    ("redis", "Redis"),
];

/// Engines of Django, whose settings name the host by themselves.
const ENGINES: &[(&str, &str)] = &[
    ("django.db.backends.mysql", "MySQL"),
    ("django.db.backends.postgresql", "PostgreSQL"),
    ("django.db.backends.postgresql_psycopg2", "PostgreSQL"),
];

/// The most servers that are named.
const MOST: usize = 3;

/// What a person should know about them, in one sentence; `None` where the sources name none.
pub(super) fn note(folder: &Folder, sources: &[&Source]) -> Option<String> {
    let of_project = sources
        .iter()
        .flat_map(|source| source.lines().map(|line| (line, source.path.as_str())));
    let examples = EXAMPLES.iter().map(|file| (*file, folder.read(file)));
    let examples: Vec<(&str, Option<String>)> = examples.collect();
    let lines = examples.iter().flat_map(|(file, text)| {
        let lines = text.iter().flat_map(|text| text.lines());
        lines.map(move |line| (line, *file))
    });
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (line, file) in of_project.chain(lines) {
        for server in named(line) {
            if found.len() < MOST && !found.iter().any(|(other, _)| *other == server) {
                found.push((server, file));
            }
        }
    }
    let list: Vec<String> = found
        .iter()
        .map(|(server, file)| format!("{server} ({file})"))
        .collect();
    (!list.is_empty()).then(|| {
        format!(
            "the app looks for {} on its own host, unless its settings name another place: no release brings that",
            list.join(", ")
        )
    })
}

/// What the pages of a front end are written in.
const PAGES: &[&str] = &["js", "mjs", "jsx", "ts", "tsx", "vue", "svelte"];

/// What a person should know where the pages of the front end in `folder` ask a server by an address
/// that leads each visitor to the visitor's own machine. `None` where a variable may say another.
pub(super) fn of_visitors(folder: &Folder) -> Option<String> {
    let sources = folder.sources(PAGES);
    let mut lines = sources
        .iter()
        .flat_map(|source| source.lines().map(|line| (line, &source.path)));
    let is_here = |text: &&str| {
        ["http://localhost:", "http://127.0.0.1:"]
            .iter()
            .any(|it| text.starts_with(it))
    };
    let in_code = lines.find_map(|(line, path)| {
        let address = literals(line).into_iter().find(is_here)?;
        (!line.contains("env")).then(|| (address.to_owned(), path.clone()))
    });
    // What is in these is what the build writes into the pages.
    let in_settings = || {
        [".env.production", ".env"].iter().find_map(|file| {
            let text = folder.read(file)?;
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let value = lines.find_map(|(name, value)| {
                let value = value.trim().trim_matches(['"', '\'']);
                let is_public = PUBLIC.iter().any(|start| name.starts_with(start));
                (is_public && is_here(&value)).then(|| value.to_owned())
            });
            Some((value?, (*file).to_owned()))
        })
    };
    let (address, path) = in_code.or_else(in_settings)?;
    Some(format!(
        "{path} asks {address}, which is each visitor's own machine: let a variable of the build say \
         the server's address, or ask by a path and let one server answer for both"
    ))
}

/// The servers on its own machine that a line names.
fn named(line: &str) -> impl Iterator<Item = &'static str> {
    // A line of an env file has no quotes.
    let value = line.split_once('=').map(|(_, value)| value.trim());
    let texts = literals(line).into_iter().chain(value);
    texts.filter_map(|text| {
        if let Some((_, server)) = ENGINES.iter().find(|(engine, _)| *engine == text) {
            return Some(*server);
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.split('+').next()?;
        let host = rest.split(['/', '?']).next()?;
        let host = host.rsplit('@').next()?;
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let found = SERVERS.iter().find(|(known, _)| *known == scheme)?;
        // The other schemes alone are what an address is compared with.
        let is_here = match name {
            "" => scheme == "redis",
            name => ["localhost", "127.0.0.1", "[::1]"].contains(&name),
        };
        is_here.then_some(found.1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_beside_the_app_is_named() {
        for (line, server) in [
            ("os.environ.get('REDIS_URL') or 'redis://'", Some("Redis")),
            (
                "URL = \"postgresql+psycopg://me:x@localhost:5432/shop\"",
                Some("PostgreSQL"),
            ),
            ("DATABASE_URL=mysql://root@127.0.0.1/shop", Some("MySQL")),
            ("connect('mongodb://db.example.com/shop')", None),
            ("'redis://cache:6379'", None),
            ("url.replace('postgres://', 'postgresql://')", None),
            ("'http://localhost:3000'", None),
            ("# see redis://", None),
            (
                "'ENGINE': 'django.db.backends.postgresql',",
                Some("PostgreSQL"),
            ),
        ] {
            assert_eq!(named(line).next(), server, "{line}");
        }
    }
}
