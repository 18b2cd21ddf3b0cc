//! The variables of a `.env` that git has. No release holds the file, so the values that an app reads
//! from it while it is developed have to come from somewhere else on a host.

use std::process::{Command, Stdio};

use super::super::folder::{Folder, Source};
use super::super::text::has_word;
use super::known;
use super::{Needed, example, is_name};

/// The file, as the libraries that read it call it.
pub(super) const FILE: &str = ".env";

/// Names that say in which mode the app runs: a developer's value is wrong on a host.
#[rustfmt::skip]
const MODES: &[&str] = &[
    "APP_DEBUG", "APP_ENV", "DEBUG", "DJANGO_DEBUG", "ENV", "ENVIRONMENT", "FLASK_DEBUG", "FLASK_ENV",
    "GIN_MODE", "MODE", "NODE_ENV", "RACK_ENV", "RAILS_ENV", "RUST_BACKTRACE",
];

/// Where only the developer's own machine is.
const OWN_PLACES: &[&str] = &["://localhost", "://127.0.0.1", "/home/", "/Users/"];

/// The variables of the file that `sources` read.
pub(super) fn read(folder: &Folder, sources: &[&Source]) -> Vec<Needed> {
    if !is_committed(folder) {
        return Vec::new();
    }
    let text = folder.read(FILE).unwrap_or_default();
    let names = text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        (!value.trim().trim_matches(['"', '\'']).is_empty()).then_some(name.trim())
    });
    let is_read = |name: &&str| sources.iter().any(|source| has_word(&source.text, name));
    let is_apps = |name: &&str| {
        let is_public = known::PUBLIC.iter().any(|start| name.starts_with(start));
        is_name(name) && !known::is_given(name) && !MODES.contains(name) && !is_public
    };
    let names = names.filter(is_apps).filter(is_read);
    let needed = names.map(|name| Needed {
        name: name.to_owned(),
        file: FILE.to_owned(),
    });
    needed.collect()
}

/// The value that the file gives `name`, where it is right on other machines, too.
pub(super) fn value(folder: &Folder, name: &str) -> Option<String> {
    let (value, _) = example(folder, name, std::iter::once(FILE))?;
    let is_own = OWN_PLACES.iter().any(|place| value.contains(place)) || value.contains('$');
    (!is_own && is_committed(folder)).then_some(value)
}

/// Whether git has the file.
pub(super) fn is_committed(folder: &Folder) -> bool {
    let asks = || {
        Command::new("git")
            .args(["ls-files", "--error-unmatch", "--", FILE])
            .current_dir(folder.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    folder.is_file(FILE) && folder.in_repository() && asks().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::super::super::detect;
    use super::super::super::tests::tree;
    use super::*;

    #[test]
    fn what_a_committed_file_sets_is_set_on_hosts() {
        let env = "export TITLE='My shop' # shown\nSHOP_API=http://localhost:4000\nAPI_TOKEN=abc\nNODE_ENV=development\n\
                   EMPTY=\nUNREAD=1\nPORT=3000\nDATABASE_URL=file:./data/shop.db\nMONGO=mongodb://localhost/shop\n";
        let app = "const { TITLE, SHOP_API, API_TOKEN, NODE_ENV, EMPTY, PORT, DATABASE_URL, MONGO } = process.env\n\
                   app.listen(PORT)";
        let package = r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5"}}"#;
        let temp = tree(&[(".env", env), ("package.json", package), ("server.js", app)]);
        let dir = temp.path().join("My Shop");
        let git = |args: &[&str]| {
            let done = Command::new("git").args(args).current_dir(&dir).status();
            assert!(done.unwrap().success());
        };
        git(&["init", "--quiet"]);
        assert_eq!(
            detect(&dir).env.get("TITLE"),
            None,
            "nobody has committed it"
        );
        git(&["add", "--all"]);
        let seen = detect(&dir);
        let set: Vec<(&str, &str)> = seen
            .env
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert!(set.contains(&("TITLE", "My shop")), "{set:?}");
        assert!(
            set.contains(&("DATABASE_URL", "file:./data/shop.db")),
            "{set:?}"
        );
        assert_eq!(seen.shared, ["data/shop.db"]);
        assert_eq!(seen.required, ["SHOP_API", "API_TOKEN", "MONGO"]);
        for name in ["EMPTY", "UNREAD", "PORT"] {
            assert!(!set.iter().any(|(have, _)| *have == name), "{name}");
        }
        assert!(!set.contains(&("NODE_ENV", "development")));
    }
}
