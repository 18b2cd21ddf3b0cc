//! The versions that the project asks for. The manifest does not pin them yet; see `render`.

use std::collections::BTreeMap;

use super::folder::Folder;

/// Reads `.nvmrc`, `.node-version`, `.python-version`, `.ruby-version`, `.tool-versions`,
/// `go.mod` and `engines` of `package.json`.
pub(super) fn find(folder: &Folder) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut put = |name: &str, version: Option<String>| {
        let version = version.map(|v| v.trim().trim_start_matches('v').to_owned());
        // `lts/*`, `system` and paths are no versions.
        if let Some(version) = version.filter(|v| v.starts_with(|c: char| c.is_ascii_digit())) {
            found.entry(name.to_owned()).or_insert(version);
        }
    };
    let line = |file: &str| {
        let text = folder.read(file)?;
        text.lines()
            .map(str::trim)
            .find(|l| !l.is_empty() && !l.starts_with('#'))
            .map(str::to_owned)
    };
    put("node", line(".nvmrc"));
    put("node", line(".node-version"));
    put("python", line(".python-version"));
    put(
        "ruby",
        line(".ruby-version").map(|v| v.trim_start_matches("ruby-").to_owned()),
    );
    for entry in folder.read(".tool-versions").unwrap_or_default().lines() {
        let mut words = entry.split_whitespace();
        let name = match words.next() {
            Some("nodejs") => "node",
            Some("golang") => "go",
            Some(name @ ("node" | "python" | "ruby" | "go" | "java" | "php" | "bun" | "deno")) => {
                name
            }
            _ => continue,
        };
        put(name, words.next().map(str::to_owned));
    }
    for entry in folder.read("go.mod").unwrap_or_default().lines() {
        let toolchain = entry.strip_prefix("toolchain go");
        if let Some(version) = toolchain.or_else(|| entry.strip_prefix("go ")) {
            put("go", Some(version.to_owned()));
        }
    }
    let engine = folder
        .json("package.json")
        .and_then(|package| Some(package.get("engines")?.get("node")?.as_str()?.to_owned()));
    put("node", engine);
    found
}
