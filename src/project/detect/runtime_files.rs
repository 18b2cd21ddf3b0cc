//! The folders beside a program's sources that it may read at run time: templates, static files,
//! migrations. Each is released, or a note says why not.

use super::folder::{Folder, Source};
use super::guess::Guess;
use super::reason::About;
use super::text::literals;

/// Folders that programs read at run time, by custom.
const CUSTOMARY: &[&str] = &[
    "templates",
    "views",
    "static",
    "public",
    "assets",
    "www",
    "wwwroot",
    "migrations",
    "locales",
    "i18n",
    "priv",
    "resources",
];

/// Code that puts a folder's content into the program while it is built.
const EMBEDS: &[&str] = &[
    "go:embed",
    "include_str!",
    "include_bytes!",
    "include_dir!",
    "RustEmbed",
    "#[folder",
    "embed_migrations!",
    "migrate!",
    "askama",
    "#[template",
    "@embedFile",
    "{{ run ",
    "staticRead",
    "embedFile",
];

/// Adds to the release the customary folders of `home` (empty, or ending in `/`) that the program
/// does not hold already.
pub(super) fn add(folder: &Folder, guess: &mut Guess, home: &str, sources: &[&Source]) {
    for (path, embedded) in found(folder, home, sources, guess.types) {
        match embedded {
            Some(source) => guess.because(
                About::Release,
                source,
                format!("builds {path}/ into the program"),
            ),
            None => {
                guess.because(
                    About::App,
                    format!("{path}/"),
                    "is there, and the program may read it",
                );
                guess.add(path);
            }
        }
    }
}

/// Whether `home` has a customary folder that the program does not hold already.
pub(super) fn customary(folder: &Folder, home: &str, sources: &[&Source], types: &[&str]) -> bool {
    found(folder, home, sources, types)
        .iter()
        .any(|(_, embedded)| embedded.is_none())
}

/// The customary folders of `home`, each with the source that builds it into the program.
fn found<'a>(
    folder: &Folder,
    home: &str,
    sources: &[&'a Source],
    types: &[&str],
) -> Vec<(String, Option<&'a str>)> {
    CUSTOMARY
        .iter()
        .map(|name| (format!("{home}{name}"), name))
        .filter(|(path, _)| folder.is_dir(path) && !only_sources(folder, path, types))
        .map(|(path, name)| (path, embeds(sources, name)))
        .collect()
}

/// The source that builds the folder `name` into the program.
pub(super) fn embeds<'a>(sources: &[&'a Source], name: &str) -> Option<&'a str> {
    let by = |source: &&&Source| {
        source.text.lines().any(|line| {
            let Some(at) = EMBEDS.iter().find_map(|word| line.find(word)) else {
                return false;
            };
            let embedded = literals(line)
                .into_iter()
                .chain(line[at..].split_whitespace());
            // `sqlx::migrate!()` and askama take their customary folder.
            let customary = name == "migrations" && line.contains("migrate!")
                || name == "templates" && (line.contains("askama") || line.contains("#[template"));
            customary || embedded.into_iter().any(|text| names(text, name))
        })
    };
    sources.iter().find(by).map(|source| source.path.as_str())
}

/// Whether a path names the folder, or something in it.
fn names(text: &str, name: &str) -> bool {
    let text = text.trim_matches(['"', '`']);
    let text = text.strip_prefix("all:").unwrap_or(text);
    text.split(['/', '*']).any(|part| part == name)
}

/// Whether a folder holds nothing but code: a package that is called `views`.
fn only_sources(folder: &Folder, path: &str, types: &[&str]) -> bool {
    let names = folder.names_in(path);
    !names.is_empty()
        && names.iter().all(|name| {
            name.rsplit_once('.')
                .is_some_and(|(_, ext)| types.contains(&ext))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedded(text: &str, name: &str) -> bool {
        let source = Source {
            path: "main".to_owned(),
            text: text.to_owned(),
        };
        embeds(&[&source], name).is_some()
    }

    #[test]
    fn what_is_built_in_is_seen() {
        for (text, name) in [
            ("//go:embed templates/*.html static", "static"),
            ("//go:embed all:public", "public"),
            ("#[folder = \"static/\"]", "static"),
            ("sqlx::migrate!().run(&pool)", "migrations"),
            ("sqlx::migrate!(\"./migrations\")", "migrations"),
            ("include_dir!(\"$CARGO_MANIFEST_DIR/assets\")", "assets"),
            ("#[template(path = \"index.html\")]", "templates"),
        ] {
            assert!(embedded(text, name), "{text}");
        }
        for (text, name) in [
            ("//go:embed templates/*.html", "static"),
            ("ServeDir::new(\"static\")", "static"),
            ("template.ParseGlob(\"templates/*.html\")", "templates"),
        ] {
            assert!(!embedded(text, name), "{text}");
        }
    }
}
