//! The files of a project that a file of settings imports.

use super::folder::Folder;
use super::text::literals;

/// What a file imports from the project, directly and in turn.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Imports {
    /// Files, in the order in which they are met.
    pub files: Vec<String>,
    /// Whether a short name of a folder (`~/x`, `@/x`) is used, which `tsconfig.json` explains.
    pub has_alias: bool,
    /// Whether there are more than were followed.
    pub is_cut: bool,
}

/// How many files are followed.
const MOST: usize = 20;
const ENDS: &[&str] = &[
    "",
    ".js",
    ".ts",
    ".mjs",
    ".mts",
    ".cjs",
    ".mts",
    ".cts",
    ".jsx",
    ".tsx",
    ".json",
    "/index.ts",
    "/index.js",
    "/index.mjs",
];

/// What `file` imports.
pub(super) fn of(folder: &Folder, file: &str) -> Imports {
    let mut found = Imports::default();
    let mut queue = vec![file.to_owned()];
    let mut at = 0;
    while at < queue.len() && queue.len() < MOST {
        let path = queue[at].clone();
        at += 1;
        let text = folder.read(&path).unwrap_or_default();
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        for name in text.lines().filter(|line| imports(line)).flat_map(literals) {
            let near = name.starts_with("./") || name.starts_with("../");
            let short = name.strip_prefix("~/").or(name.strip_prefix("@/"));
            let places = match (near, short) {
                (true, _) => vec![format!("{dir}/{name}")],
                (_, Some(rest)) => vec![format!("src/{rest}"), rest.to_owned()],
                _ => continue,
            };
            let places = places.iter().filter_map(|place| inside(place));
            let file = places
                .into_iter()
                .find_map(|place| is_there(folder, &place));
            if let Some(file) = file.filter(|file| !queue.contains(file)) {
                found.has_alias |= short.is_some();
                queue.push(file);
            }
        }
    }
    found.is_cut = at < queue.len();
    found.files = queue.split_off(1);
    found
}

/// `tsconfig.json` and the files that it goes on from, for what runs TypeScript on a host.
pub(super) fn tsconfig(folder: &Folder) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = Some("tsconfig.json".to_owned());
    while let Some(path) = next.filter(|path| found.len() < MOST && folder.is_file(path)) {
        let text = folder.read(&path).unwrap_or_default();
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let mut lines = text.lines();
        next = lines.find_map(|line| {
            let (_, value) = line.split_once("\"extends\"")?;
            let base = literals(value).into_iter().next()?;
            let base = base.starts_with('.').then(|| format!("{dir}/{base}"))?;
            let base = inside(&base)?;
            Some(match base.ends_with(".json") {
                true => base,
                false => format!("{base}.json"),
            })
        });
        found.push(path);
    }
    found
}

/// Whether a line names a module.
fn imports(line: &str) -> bool {
    let line = line.trim_start();
    !line.starts_with("//")
        && (line.starts_with("import")
            || line.contains(" from ")
            || line.contains("import(")
            || line.contains("require("))
}

/// A path without `.` and `..`; `None` when it leads out of the project.
pub(super) fn inside(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The file of the module that is named `path`.
pub(super) fn is_there(folder: &Folder, path: &str) -> Option<String> {
    let plain = ENDS.iter().map(|end| format!("{path}{end}"));
    // `./a.js` of TypeScript is `a.ts`.
    let typed = path.strip_suffix(".js").map(|stem| format!("{stem}.ts"));
    plain.chain(typed).find(|path| folder.is_file(path))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    #[test]
    fn imports_are_followed_within_the_project() {
        let temp = tree(&[
            (
                "next.config.js",
                "import \"./src/env.js\";\nimport x from \"zod\";\nawait import('../../x.js')",
            ),
            (
                "src/env.js",
                "import { a } from '~/lib/a';\n// import './b'",
            ),
            ("src/lib/a.ts", "import '../env.js'"),
            ("src/b.ts", ""),
        ]);
        let folder = Folder::open(&temp.path().join("My Shop"));
        let found = of(&folder, "next.config.js");
        assert_eq!(found.files, ["src/env.js", "src/lib/a.ts"]);
        assert!(found.has_alias);
    }
}
