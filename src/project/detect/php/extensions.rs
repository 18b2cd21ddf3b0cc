//! Extensions of PHP that a project needs: a release brings none of them.

use std::collections::BTreeSet;

use super::super::folder::Source;
use super::super::text::literals;

/// Packages of Debian that bring extensions of other names.
const PACKAGES: &[(&str, &[&str])] = &[
    ("php-mysql", &["mysqli", "mysqlnd", "pdo_mysql"]),
    ("php-pgsql", &["pdo_pgsql"]),
    ("php-sqlite3", &["pdo_sqlite"]),
    (
        "php-xml",
        &["dom", "simplexml", "xmlreader", "xmlwriter", "xsl"],
    ),
];

/// Extensions that PHP has on any host (Debian's php-cli and php-common).
#[rustfmt::skip]
const BUILT_IN: &[&str] = &[
    "calendar", "core", "ctype", "date", "exif", "ffi", "fileinfo", "filter", "ftp", "gettext",
    "hash", "iconv", "json", "libxml", "opcache", "openssl", "pcntl", "pcre", "pdo", "phar", "posix",
    "random", "readline", "reflection", "session", "shmop", "sockets", "sodium", "spl", "standard",
    "sysvmsg", "sysvsem", "sysvshm", "tokenizer", "zend_opcache", "zlib",
];

/// How code refuses to go on without an extension.
const REFUSES: &str = "!extension_loaded(";

/// The extensions of PHP that composer.json or the code asks for and that a host may lack, in one
/// sentence.
pub(super) fn note(json: Option<&serde_json::Value>, sources: &[&Source]) -> Option<String> {
    let require = json.and_then(|json| json.get("require")?.as_object());
    let required = require.into_iter().flat_map(|require| require.keys());
    let required = required.filter_map(|name| name.strip_prefix("ext-"));
    let lines = sources.iter().flat_map(|source| source.lines());
    let asked = lines.filter_map(|line| {
        let (_, rest) = line.split_once(REFUSES)?;
        literals(rest).first().copied()
    });
    let names = required.chain(asked);
    let names = names.map(|name| name.to_ascii_lowercase().replace('-', "_"));
    let package = |name: String| {
        let other = PACKAGES
            .iter()
            .find(|(_, names)| names.contains(&name.as_str()));
        other.map_or_else(
            || format!("php-{name}"),
            |(package, _)| (*package).to_owned(),
        )
    };
    let packages: BTreeSet<String> = names
        .filter(|name| !BUILT_IN.contains(&name.as_str()))
        .map(package)
        .collect();
    let list = packages.into_iter().collect::<Vec<_>>().join(" ");
    (!list.is_empty()).then(|| {
        format!(
            "the project needs extensions of PHP that a host may lack; on Debian and Ubuntu: \
             apt install {list}"
        )
    })
}
