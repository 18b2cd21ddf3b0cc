//! The app's own configuration files: TOML, YAML, JSON and INI.

use super::folder::{Folder, Source};
use super::text::literals;

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

/// Keys of folders that an app keeps data in.
const DATA: &[&str] = &[
    "data_dir",
    "data_path",
    "datadir",
    "storage_dir",
    "storage_path",
    "upload_dir",
    "upload_path",
    "uploads_dir",
    "uploads_path",
];

/// The folders of data in the app's own that the files name, each with its file.
pub(super) fn folders(folder: &Folder) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in sources(folder) {
        for line in source.text.lines() {
            let Some((key, value)) = line.split_once([':', '=']) else {
                continue;
            };
            let key = key
                .trim()
                .trim_matches('"')
                .to_ascii_lowercase()
                .replace('-', "_");
            let path = literals(value).into_iter().next().unwrap_or_default();
            let path = path
                .strip_prefix("./")
                .unwrap_or(path)
                .trim_end_matches('/');
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-/".contains(c);
            let is_below = !path.is_empty() && !path.starts_with('/') && path.chars().all(plain);
            if DATA.contains(&key.as_str()) && is_below {
                found.push((path.to_owned(), source.path.clone()));
            }
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::super::tests::seen;

    #[test]
    fn folders_of_data_that_a_configuration_names_survive() {
        for (file, text, shared) in [
            (
                "config.toml",
                "[server]\nupload_path = \"./upload\"\n",
                &["upload"][..],
            ),
            (
                "config/default.json",
                "{\n  \"dataDir\": \"store\"\n}",
                &["store"],
            ),
            (
                "settings.yml",
                "storage_path: files/all # kept\n",
                &["files/all"],
            ),
            ("config.toml", "upload_path = \"/var/lib/x\"\n", &[]),
            ("config.toml", "template_path = \"views\"\n", &[]),
        ] {
            let found = seen(&[
                ("requirements.txt", "flask\n"),
                ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
                (file, text),
            ]);
            assert_eq!(found.shared, shared, "{text}");
        }
    }
}
