//! The file that starts an app, and the command that runs it from the project's own folder.

use super::super::folder::{Folder, Source};
use super::super::guess::Strength;
use super::super::port;
use super::{app, framework};

/// Files that start an app by custom.
const ENTRIES: &[&str] = &[
    "app.py",
    "main.py",
    "server.py",
    "wsgi.py",
    "asgi.py",
    "run.py",
    "web.py",
    "bot.py",
    "__main__.py",
    "src/main.py",
    "src/app.py",
    "app/main.py",
];

/// The same in a package.
const IN_PACKAGE: &[&str] = &[
    "__main__.py",
    "main.py",
    "app.py",
    "server.py",
    "wsgi.py",
    "asgi.py",
    "run.py",
    "web.py",
    "bot.py",
    "__init__.py",
];

/// The first such file that is there.
pub(super) fn entry(folder: &Folder) -> Option<&'static str> {
    folder.first(ENTRIES)
}

/// The file in a package that starts an app, and how sure that is: one that serves before one that
/// is only named for it. The modules of a package are found from the folder above it alone.
pub(super) fn in_package(folder: &Folder, sources: &[&Source]) -> Option<(String, Strength)> {
    let packages = folder.names().filter(|name| is_package(folder, name));
    let files =
        packages.flat_map(|name| IN_PACKAGE.iter().map(move |file| format!("{name}/{file}")));
    let mut found = None;
    for file in files {
        let Some(source) = sources.iter().find(|source| source.path == file) else {
            continue;
        };
        if framework::made_in(source).is_some() || port::serves(source) {
            return Some((file, Strength::Runs));
        }
        if !file.ends_with("/__init__.py") {
            found.get_or_insert((file, Strength::Present));
        }
    }
    found
}

/// The command that runs the file at `path`. One in a package is a module: what it imports from its
/// package is found from the folder above.
pub(super) fn command(folder: &Folder, path: &str, sources: &[&Source]) -> String {
    let Some((dir, _)) = path.rsplit_once('/') else {
        return format!("python3 {path}");
    };
    let top = dir.split('/').next().unwrap_or(dir);
    let imports_own = || {
        let source = sources.iter().find(|source| source.path == path);
        source.is_some_and(|source| {
            let mut lines = source.lines().map(str::trim_start);
            lines.any(|line| line.starts_with("from ."))
                || framework::imports(&source.text).any(|name| name == top)
        })
    };
    let module = app::module(path);
    let module = module.strip_suffix(".__main__").unwrap_or(&module);
    let name = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    let is_module = module.chars().all(name);
    match is_module && (is_package(folder, dir) || imports_own()) {
        true => format!("python3 -m {module}"),
        false => format!("python3 {path}"),
    }
}

/// What to know where the project's own folder is a package, whose modules name each other so.
pub(super) fn note(folder: &Folder, sources: &[&Source]) -> Option<&'static str> {
    let is_relative = |source: &&Source| {
        let mut lines = source.lines();
        !source.path.contains('/') && lines.any(|line| line.starts_with("from ."))
    };
    (folder.is_file("__init__.py") && sources.iter().any(is_relative)).then_some(
        "__init__.py makes this folder a package, and its imports work only in the folder above: \
         run `ship init` there",
    )
}

fn is_package(folder: &Folder, dir: &str) -> bool {
    folder.is_file(&format!("{dir}/__init__.py"))
}
