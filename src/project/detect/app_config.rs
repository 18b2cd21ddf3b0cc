//! The app's own configuration files: TOML, YAML, JSON and INI.

use super::folder::{Folder, Source};

/// Where such files are.
const FOLDERS: &[&str] = &["", "config/", "conf/", "configs/", "etc/"];

/// What they are called.
const NAMES: &[&str] = &[
    "config",
    "settings",
    "configuration",
    "app",
    "application",
    "server",
    "default",
    "production",
];

/// How their names end.
const ENDINGS: &[&str] = &["toml", "yaml", "yml", "json", "ini", "conf"];

/// The configuration files that are there.
pub(super) fn paths(folder: &Folder) -> impl Iterator<Item = String> {
    let all = FOLDERS.iter().flat_map(|dir| {
        let names = NAMES.iter().map(move |name| format!("{dir}{name}"));
        names.flat_map(|name| ENDINGS.iter().map(move |ending| format!("{name}.{ending}")))
    });
    all.filter(|path| folder.is_file(path))
}

/// The same as sources, with quotes around each value that has none.
pub(super) fn sources(folder: &Folder) -> Vec<Source> {
    let read = |path: String| {
        let text = folder.read(&path)?;
        let text = text.lines().map(quoted).collect();
        Some(Source { path, text })
    };
    paths(folder).filter_map(read).collect()
}

/// `path: data/app.db # kept` as `path: "data/app.db"`.
fn quoted(line: &str) -> String {
    let code = line.split(" #").next().unwrap_or_default().trim_end();
    match code.split_once([':', '=']) {
        _ if code.trim_start().starts_with(['#', ';']) => "\n".to_owned(),
        Some((key, value)) if !code.contains(['"', '\'']) => {
            format!("{key}: \"{}\"\n", value.trim())
        }
        _ => format!("{code}\n"),
    }
}
