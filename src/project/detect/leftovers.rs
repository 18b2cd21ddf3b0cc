//! What the steps leave in the project's folder: nobody commits it, so `.gitignore` has to name it.

use std::path::Path;

use super::database;
use super::guess::{Detected, Stack};

/// Programs of steps, and what they leave, as lines of `.gitignore`.
const LEFT: &[(&[&str], &[&str])] = &[
    (&["npm", "npx", "pnpm", "yarn", "bun"], &["node_modules/"]),
    (
        &["python3", "python", "pip", "uv", "poetry", "pdm", "pipenv"],
        &["__pycache__/"],
    ),
    (&["cargo", "mvn", "./mvnw"], &["/target/"]),
    (&["gradle", "./gradlew"], &["/build/", "/.gradle/"]),
    (&["bundle"], &["/.bundle/", "/vendor/bundle/"]),
    (&["mix"], &["/_build/", "/deps/"]),
    (&["dotnet"], &["bin/", "obj/"]),
    (&["hugo"], &["/.hugo_build.lock", "/resources/_gen/"]),
];

/// Folders that hold what a build writes, also when they are there already.
const OUTPUTS: &[&str] = &[
    "node_modules",
    "vendor",
    "python-packages",
    "dist",
    "build",
    "out",
    "target",
    "_site",
    ".next",
    ".output",
    ".svelte-kit",
];

/// The lines that `.gitignore` needs for what the steps of `detected` leave in `dir`, whether or
/// not they are there.
#[must_use]
pub fn leftovers(detected: &Detected, dir: &Path) -> Vec<String> {
    let steps = detected.build.run.iter().chain(&detected.test.run);
    let programs: Vec<&str> = steps.flat_map(|step| programs(step)).collect();
    let mut lines: Vec<String> = LEFT
        .iter()
        .filter(|(tools, _)| tools.iter().any(|tool| programs.contains(tool)))
        .flat_map(|(_, left)| left.iter().map(|line| (*line).to_owned()))
        .collect();
    if !detected.build.run.is_empty() {
        let targets = detected.build.run.iter().filter_map(|step| target(step));
        lines.extend(targets.map(as_line));
        let sites = detected.services.iter();
        let sites = sites.filter_map(|service| service.static_dir.as_deref());
        lines.extend(sites.filter(|dir| *dir != ".").map(as_line));
        // Ruby projects keep scripts in bin/ and libraries for the browser in vendor/.
        let kept =
            |path: &str| detected.stack == Some(Stack::Ruby) && ["bin", "vendor"].contains(&path);
        let made = detected.include.iter();
        let made = made.filter(|path| is_made(path, dir) && !kept(path));
        lines.extend(made.map(|path| match detected.stack {
            // A program, and no folder.
            Some(Stack::Native(_)) => as_line(path).trim_end_matches('/').to_owned(),
            _ => as_line(path),
        }));
    }
    // Tests and builds open the app's database, and make it here.
    if !programs.is_empty() {
        let databases = detected.shared.iter().filter(|path| database::seems(path));
        lines.extend(databases.map(|path| format!("/{path}")));
    }
    let mut unique: Vec<String> = Vec::new();
    for line in lines {
        let plain = |line: &str| line.trim_matches('/').to_owned();
        let covered = |had: &String| {
            let (had, line) = (plain(had), plain(&line));
            line == had || line.starts_with(&format!("{had}/"))
        };
        if !unique.iter().any(covered) {
            unique.push(line);
        }
    }
    unique
}

/// The programs that a line for `sh` starts.
fn programs(step: &str) -> Vec<&str> {
    let parts = step.split(['&', '|', ';', '(', ')']);
    parts
        .filter_map(|part| part.split_whitespace().find(|word| !word.contains('=')))
        .collect()
}

/// The folder that pip installs into.
fn target(step: &str) -> Option<&str> {
    let mut words = step.split_whitespace();
    words.find(|word| *word == "--target")?;
    words.next()
}

/// Whether an include is there only once the build has made it.
fn is_made(path: &str, dir: &Path) -> bool {
    let plain = fixed(path);
    let first = plain.split('/').next().unwrap_or_default();
    !plain.is_empty()
        && plain != "."
        && (OUTPUTS.contains(&first) || dir.join(plain).symlink_metadata().is_err())
}

/// The part of a pattern before its first wildcard, without the component that has it.
fn fixed(path: &str) -> &str {
    let Some(wild) = path.find(['*', '?', '[', '{']) else {
        return path.trim_end_matches('/');
    };
    path[..wild]
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
}

fn as_line(path: &str) -> String {
    let plain = fixed(path);
    match plain {
        "node_modules" => "node_modules/".to_owned(),
        // A program is as likely as a folder.
        plain if plain.contains('/') || plain.trim_start_matches('.').contains('.') => {
            format!("/{plain}")
        }
        plain => format!("/{plain}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen_in;
    use super::*;

    fn lines(files: &[(&str, &str)]) -> Vec<String> {
        let (detected, temp) = seen_in(files);
        leftovers(&detected, &temp.path().join("My Shop"))
    }

    #[test]
    fn what_tools_and_builds_leave_is_named() {
        let node = r#"{"scripts":{"start":"node dist/a.js","build":"tsc"},"dependencies":{"express":"4"}}"#;
        assert_eq!(
            lines(&[("package.json", node), ("src/a.ts", "")]),
            ["node_modules/", "/dist/"]
        );
        assert_eq!(
            lines(&[
                ("requirements.txt", "flask==3\n"),
                ("app.py", "app = Flask()")
            ]),
            ["__pycache__/", "/vendor/"]
        );
        assert_eq!(
            lines(&[
                ("go.mod", "module x/shop\n"),
                ("main.go", "package main\nfunc main() {}\n")
            ]),
            ["/bin/shop"]
        );
        assert_eq!(lines(&[("index.html", "")]), [""; 0]);
        assert_eq!(
            lines(&[("mkdocs.yml", "site_name: a\n"), ("site/index.html", "")]),
            ["__pycache__/", "/vendor/", "/site/"]
        );
    }

    #[test]
    fn patterns_are_named_by_their_folder() {
        assert_eq!(as_line("build/libs/*.jar"), "/build/libs");
        assert_eq!(fixed("*.py"), "");
        assert_eq!(
            programs("A=1 npm ci && (cd x; cargo build)"),
            ["npm", "cd", "cargo"]
        );
    }
}
