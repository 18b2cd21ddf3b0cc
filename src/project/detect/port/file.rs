//! The port in the app's own configuration file, which the app reads by its name.

use super::super::app_config;
use super::super::folder::{Folder, Source};
use super::super::text::has_word;
use super::Port;

/// Keys of a port alone, without `_`, `-` and capitals.
const PORTS: &[&str] = &["port", "httpport", "listenport", "serverport", "bindport"];

/// Keys of an address with a port, in the same spelling.
const ADDRESSES: &[&str] = &[
    "addr",
    "address",
    "bind",
    "bindaddr",
    "bindaddress",
    "host",
    "httpaddr",
    "httpaddress",
    "listen",
    "listenaddr",
    "listenaddress",
    "serveraddr",
    "serveraddress",
];

/// Words in the names of sections that are about the app's own server.
const SECTIONS: &[&str] = &[
    "api", "app", "general", "http", "listen", "main", "rest", "serve", "service", "site", "web",
];

/// The port in a configuration file that the command or a source names.
pub(super) fn find(folder: &Folder, command: &str, sources: &[&Source]) -> Option<Port> {
    app_config::paths(folder).find_map(|path| {
        let (_, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let (stem, _) = file.rsplit_once('.')?;
        // Libraries add the ending by themselves: `File::with_name("config")`.
        let named = |line: &str| {
            has_word(line, &path)
                || line.contains(&format!("{file}\""))
                || line.contains(&format!("\"{stem}\""))
        };
        let is_read =
            has_word(command, &path) || sources.iter().any(|source| source.lines().any(named));
        let number = is_read.then(|| in_text(&folder.read(&path)?)).flatten()?;
        Some(Port {
            number,
            from: path,
            is_usual: false,
        })
    })
}

/// The port that `text` gives to the app's own server: TOML, YAML, JSON or INI, read line by line.
fn in_text(text: &str) -> Option<u16> {
    let mut table = String::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    text.lines().find_map(|line| {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '/']) {
            return None;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.trim_matches(['[', ']', ' ']).clone_into(&mut table);
            above.clear();
            return None;
        }
        above.retain(|(outer, _)| *outer < indent);
        let (key, value) = line.split_once(['=', ':'])?;
        let key = plain(key);
        let value = value.split(" #").next()?.trim().trim_end_matches(',');
        if value.is_empty() || value == "{" {
            above.push((indent, key));
            return None;
        }
        let section = above.last().map_or(table.as_str(), |(_, name)| name);
        let section = section.to_ascii_lowercase();
        let is_own = section.is_empty() || SECTIONS.iter().any(|word| section.contains(word));
        is_own.then(|| value_of(&key, value.trim_matches(['"', '\''])))?
    })
}

/// A key as [`PORTS`] and [`ADDRESSES`] spell it.
fn plain(key: &str) -> String {
    let letters = key.chars().filter(|c| c.is_ascii_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn value_of(key: &str, value: &str) -> Option<u16> {
    let digits = match value.rsplit_once(':') {
        Some((_, port)) if ADDRESSES.contains(&key) || PORTS.contains(&key) => port,
        None if PORTS.contains(&key) => value,
        _ => return None,
    };
    let number: u16 = digits.trim_end_matches('}').parse().ok()?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_apps_own_server_is_read() {
        for (text, port) in [
            (
                "[config]\nx = 1\n[server]\naddress = \"127.0.0.1:8000\"\n",
                8000,
            ),
            (
                "server:\n  host: 0.0.0.0\n  port: 8081 # free\ndb:\n  port: 5432\n",
                8081,
            ),
            ("db:\n  port: 5432\nserver:\n  port: 8082\n", 8082),
            (
                "{\n  \"database\": {\n    \"port\": 5432\n  },\n  \"port\": 8083\n}\n",
                8083,
            ),
            ("; comment\n[http]\nlisten_addr = :8084\n", 8084),
            ("http_port = ${PORT:8085}\n", 8085),
        ] {
            assert_eq!(in_text(text), Some(port), "{text}");
        }
        for text in [
            "[database]\nport = 5432\n",
            "redis:\n  address: localhost:6379\n",
            "[server]\naddress = \"10.0.0.1\"\n",
            "port = 0\n",
            "[server]\nsupport = 80\n",
        ] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,200}") {
            let _ = in_text(&text);
        }
    }
}
