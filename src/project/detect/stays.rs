//! Which of the project's own files stay at home when a release takes all of them.

use std::collections::BTreeSet;

use super::files::ignored;
use super::folder::{Folder, Source, is_test};
use super::python::imports;
use super::text::literals;

/// Folders that stay at home.
const HOME_DIRS: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "dist",
    "build",
    "out",
    "coverage",
    "test",
    "tests",
    "spec",
    "__tests__",
    "e2e",
    "cypress",
    "docs",
    "doc",
    "examples",
    "fixtures",
    "venv",
    "env",
    "__pycache__",
    "benches",
    "scripts",
    "infra",
    "terraform",
    "ansible",
    "k8s",
    "charts",
];

/// Files that stay at home: tools' settings, texts for people, and keys.
pub(super) const HOME_FILES: &[&str] = &[
    "ship.toml",
    "ship.lock",
    "Dockerfile",
    "Containerfile",
    "Makefile",
    "Justfile",
    "justfile",
    "Procfile",
    "Vagrantfile",
    "tsconfig.json",
    "jsconfig.json",
    "LICENSE",
    "COPYING",
    "pytest.ini",
    "phpunit.xml",
    "phpunit.xml.dist",
    "phpunit.dist.xml",
    "tox.ini",
    "setup.cfg",
    "setup.py",
    "mypy.ini",
    "pyproject.toml",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile",
    "Pipfile.lock",
    "credentials.json",
    "Thumbs.db",
];

/// Beginnings and ends of such files.
const HOME_STARTS: &[&str] = &[
    "README",
    "CHANGELOG",
    "CONTRIBUTING",
    "LICENSE",
    "docker-compose",
    "compose.",
    "requirements",
    "tsconfig.",
    "eslint.",
    "prettier.",
    "service-account",
    "id_rsa",
    "id_ed25519",
];
const HOME_ENDS: &[&str] = &[
    ".md",
    ".log",
    ".pem",
    ".key",
    ".p12",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".sql",
    ".iml",
    ".sqlite",
    ".sqlite3",
    ".db",
    ".egg-info",
    ".pyc",
    ".code-workspace",
];

/// Settings of tools that only build or test.
const BUILD_TOOLS: &[&str] = &[
    "jest",
    "vitest",
    "vite",
    "babel",
    "webpack",
    "rollup",
    "tailwind",
    "postcss",
    "playwright",
    "cypress",
    "tsup",
    "esbuild",
    "nodemon",
    "eslint",
    "prettier",
    "stylelint",
    "commitlint",
];

/// Hidden files and folders of tools, by the beginnings of their names. Hidden names of frameworks
/// (`.streamlit`, `.htaccess`) are released, and so are version files (`.python-version`): where no
/// runtime is pinned, the shims of pyenv, rbenv, asdf and mise read them.
const HIDDEN: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".vscode",
    ".idea",
    ".fleet",
    ".devcontainer",
    ".editorconfig",
    ".eslint",
    ".prettier",
    ".stylelint",
    ".browserslist",
    ".husky",
    ".lintstaged",
    ".changeset",
    ".storybook",
    ".circleci",
    ".travis",
    ".buildkite",
    ".woodpecker",
    ".drone",
    ".docker",
    ".venv",
    ".tox",
    ".nox",
    ".mypy",
    ".pytest",
    ".ruff",
    ".flake8",
    ".pylint",
    ".coverage",
    ".pre-commit",
    ".isort",
    ".rubocop",
    ".rspec",
    ".bundle",
    ".kamal",
    ".npm",
    ".nvm",
    ".yarn",
    ".pnpm",
    ".terraform",
    ".vagrant",
    ".cargo",
    ".gradle",
    ".mvn",
    ".php",
    ".phpunit",
    ".cache",
    ".turbo",
    ".vercel",
    ".netlify",
    ".next",
    ".nuxt",
    ".output",
    ".svelte-kit",
    ".astro",
    ".angular",
    ".env",
    ".envrc",
    ".direnv",
    ".aws",
    ".ssh",
    ".claude",
    ".cursor",
    ".formatter.exs",
    ".credo",
];

/// What a release of sources is made of beside them, and what speaks for a file of its own.
pub(super) struct Wanted<'a> {
    /// What the build makes.
    pub made: &'a [String],
    /// What runs in the release.
    pub commands: &'a [String],
    /// Paths that are shared, which are the host's.
    pub shared: &'a [String],
    /// Names that a build has made superfluous.
    pub drop: &'a [String],
    /// Names that the sources open (see [`opened`]).
    pub opened: &'a [String],
}

/// Ends of names that no release holds, whatever names them: keys, and what is of this machine.
const NEVER: &[&str] = &[
    ".log", ".pem", ".key", ".p12", ".sqlite", ".sqlite3", ".db", ".pyc", ".lock",
];

/// Folders of what a tool installs or makes, and keys, which no release holds for being named.
const INSTALLED: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "venv",
    "env",
    "coverage",
    "__pycache__",
    "bower_components",
];
const KEYS: &[&str] = &["credentials.json", "id_rsa", "id_ed25519", "ship.toml"];

/// Of the names in the folder, those that `sources` open: a document by its name, and a folder by the
/// path of something in it.
pub(super) fn opened(folder: &Folder, sources: &[&Source]) -> Vec<String> {
    let is_document = |name: &str| {
        folder.is_file(name)
            && !name.starts_with('.')
            && !KEYS.contains(&name)
            && !NEVER.iter().any(|end| name.ends_with(end))
    };
    // A module is named without its ending.
    let is_there = |path: &str| {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_module = |file: &String| {
            file.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        folder.is_file(path) || folder.is_dir(path) || folder.names_in(dir).iter().any(is_module)
    };
    let mut found = BTreeSet::new();
    let python = sources.iter().filter(|source| source.is(&["py"]));
    let modules = python.flat_map(|source| imports(&source.text));
    found.extend(
        modules
            .filter(|name| folder.is_dir(name))
            .map(str::to_owned),
    );
    for text in sources
        .iter()
        .flat_map(|source| source.lines())
        .flat_map(literals)
    {
        if text.contains("://") {
            continue;
        }
        let path = text.trim_start_matches("../").trim_start_matches("./");
        let path = path.trim_start_matches('/');
        let last = text.rsplit('/').next().unwrap_or_default();
        match path.split_once('/') {
            Some((dir, below)) if !below.is_empty() && !INSTALLED.contains(&dir) => {
                found.extend(is_there(path).then(|| dir.to_owned()));
            }
            _ => {}
        }
        found.extend(is_document(last).then(|| last.to_owned()));
    }
    found.into_iter().collect()
}

/// `[release] exclude` for a release of `.`: of what is in the folder, the names and patterns that
/// no service needs. Names that git ignores are left to git, where there is a repository.
pub(super) fn excluded(folder: &Folder, wanted: &Wanted<'_>) -> Vec<String> {
    let is_kept = |name: &str| {
        let made = wanted.made.iter().chain(wanted.shared);
        made.filter_map(|path| path.split('/').next())
            .any(|first| first == name)
            || wanted
                .commands
                .iter()
                .any(|command| mentions(command, name))
    };
    let is_opened = |name: &str| wanted.opened.iter().any(|opened| opened == name);
    let ignored = ignored(folder);
    let is_repository = folder.in_repository();
    let keeps_hidden = folder
        .names()
        .any(|name| name.starts_with('.') && is_kept(name))
        || wanted.made.iter().any(|path| path.starts_with('.'));
    let mut found = vec![match is_repository || keeps_hidden {
        true => "/.git*".to_owned(),
        false => "/.*".to_owned(),
    }];
    found.push("/ship.*".to_owned());
    let kept: Vec<&str> = folder
        .names()
        .filter(|name| is_kept(name) || is_opened(name))
        .collect();
    for name in folder.names() {
        let stays = wanted.drop.iter().any(|dropped| dropped == name)
            || match (is_repository, ignored.contains(name)) {
                (true, true) => false,
                (false, true) => true,
                (_, false) => stays_home(folder, name, is_repository) && !is_opened(name),
            };
        if stays && !is_kept(name) && !found.iter().any(|pattern| covers(pattern, name)) {
            found.push(pattern(folder, name, &kept));
        }
    }
    // Of a folder that is dropped but for a part of it, the other parts.
    let parts = wanted.drop.iter().filter(|name| is_kept(name.as_str()));
    found.extend(
        parts
            .flat_map(|name| {
                let below = folder.names_in(name).into_iter();
                let paths = below.map(move |part| format!("{name}/{part}"));
                paths.filter(|path| {
                    let holds = |made: &String| {
                        let is_below = |path: &str, dir: &str| {
                            let rest = path.strip_prefix(dir);
                            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                        };
                        is_below(made, path) || is_below(path, made)
                    };
                    !wanted.made.iter().any(holds)
                })
            })
            .map(|path| format!("/{path}")),
    );
    found
}

/// A pattern for `name` and its like, or the name alone where somebody needs one of its like.
fn pattern(folder: &Folder, name: &str, kept: &[&str]) -> String {
    let exact = format!("/{name}");
    if folder.is_dir(name) {
        return exact;
    }
    let starts = HOME_STARTS.iter().find(|start| name.starts_with(*start));
    let ends = HOME_ENDS.iter().find(|end| name.ends_with(*end));
    let wide = match (ends, starts) {
        (Some(end), _) => format!("/*{end}"),
        (None, Some(start)) => format!("/{start}*"),
        (None, None) => return exact,
    };
    match kept.iter().any(|kept| covers(&wide, kept)) {
        true => exact,
        false => wide,
    }
}

/// Whether one of our own patterns, with at most one `*` at an end, matches a name at the top.
fn covers(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim_start_matches('/');
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(start)) => name.starts_with(start),
        _ => pattern == name,
    }
}

/// Whether a command has `name` as a path or the beginning of one.
fn mentions(command: &str, name: &str) -> bool {
    command
        .split(|c: char| c.is_whitespace() || "='\";&|".contains(c))
        .any(|word| {
            let word = word.strip_prefix("./").unwrap_or(word);
            word.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

fn stays_home(folder: &Folder, name: &str, is_repository: bool) -> bool {
    if name.starts_with('.') {
        // Without a repository, nobody says which of them are the project's own.
        return !is_repository || HIDDEN.iter().any(|hidden| name.starts_with(hidden));
    }
    if folder.is_dir(name) {
        return HOME_DIRS.contains(&name) || name.ends_with(".egg-info");
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    is_for_tools(name) || HOME_ENDS.iter().any(|end| name.ends_with(end)) || is_test(stem)
}

/// Whether a file of this name is for people who work on the project, or for their tools.
pub(super) fn is_for_tools(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    HOME_FILES.contains(&name)
        || HOME_STARTS.iter().any(|start| name.starts_with(start))
        || BUILD_TOOLS
            .iter()
            .any(|tool| stem.strip_suffix(".config") == Some(*tool))
}
