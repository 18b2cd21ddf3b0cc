//! Sites that are built to lie below a path, such as `/handbook/` of a host for many sites. ship serves
//! a site at the root, where its own links lead nowhere.

use super::folder::Folder;
use super::text::literals;

/// Settings of tools that build sites: their files, and the key of the path.
const SETTINGS: &[(&[&str], &str)] = &[
    (
        &["astro.config.mjs", "astro.config.ts", "astro.config.js"],
        "base",
    ),
    (&["docusaurus.config.ts", "docusaurus.config.js"], "baseUrl"),
    (
        &[
            ".vitepress/config.mts",
            ".vitepress/config.ts",
            ".vitepress/config.js",
        ],
        "base",
    ),
    (
        &[
            "docs/.vitepress/config.mts",
            "docs/.vitepress/config.ts",
            "docs/.vitepress/config.js",
        ],
        "base",
    ),
    (
        &["vite.config.ts", "vite.config.js", "vite.config.mjs"],
        "base",
    ),
    (&["vue.config.js"], "publicPath"),
    (&["svelte.config.js"], "base"),
    (&["_config.yml"], "baseurl"),
    (
        &["hugo.toml", "config.toml", "hugo.yaml", "config.yaml"],
        "baseURL",
    ),
];

/// What to do about such a path, in one sentence; `None` where the site lies at the root.
pub(super) fn note(folder: &Folder) -> Option<String> {
    SETTINGS.iter().find_map(|(files, key)| {
        let file = folder.first(files)?;
        let path = path(&folder.read(file)?, key)?;
        Some(format!(
            "{file} puts the site below {path}, and ship serves it at the root, where it misses its styles: set {key} to \"/\""
        ))
    })
}

/// The path that a line of `text` gives to `key`, if it is not the root.
fn path(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(key)?.trim_start();
        let value = rest.strip_prefix([':', '='])?.trim();
        let value = match literals(value).first() {
            Some(text) => (*text).to_owned(),
            // YAML needs no quotes.
            None => value.split([' ', ',']).next()?.to_owned(),
        };
        let path = match value.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map(|(_, path)| format!("/{path}"))?,
            None => value,
        };
        let is_below = path.starts_with('/') && !path.trim_matches('/').is_empty();
        is_below.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_root_is_found() {
        for (text, key, found) in [
            ("baseurl: \"/blog\" # the subpath", "baseurl", Some("/blog")),
            ("baseurl: /blog", "baseurl", Some("/blog")),
            ("baseurl: \"\"", "baseurl", None),
            ("  baseUrl: '/handbook/',", "baseUrl", Some("/handbook/")),
            ("  baseUrl: '/',", "baseUrl", None),
            (
                "baseURL = 'https://example.org/me/'",
                "baseURL",
                Some("/me/"),
            ),
            ("baseURL = 'https://example.org/'", "baseURL", None),
            ("base: process.env.BASE ?? '/'", "base", None),
            ("database: '/x'", "base", None),
        ] {
            assert_eq!(path(text, key).as_deref(), found, "{text}");
        }
    }
}
