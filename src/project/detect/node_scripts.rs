//! Scripts of `package.json` that start something: which one, and of which member of a workspace.

use super::folder::Folder;
use super::node::Package;
use super::node_made;
use super::text::has_word;
use super::workspace::{Member, Workspace};

/// What starts a project in production, best first.
const NAMES: &[&str] = &[
    "start:prod",
    "start:production",
    "serve:prod",
    "serve:production",
    "production",
    "start",
    "prod",
];

/// Words of scripts that build, whatever they are called.
const BUILDING: &[&str] = &[
    "build", "encore", "esbuild", "grunt", "gulp", "mix", "parcel", "rollup", "tsc", "vite",
    "webpack",
];

/// The scripts that build a project, best first.
pub(super) const BUILDS: &[&str] = &["build", "generate"];

/// The scripts that may make the file that `start` runs, best first, where that file is not in the
/// repository.
const MAKES: &[&str] = &[
    "compile",
    "transpile",
    "tsc",
    "build:server",
    "build-server",
    "build:prod",
    "build:production",
    "build:ts",
    "build-ts",
    "build:all",
    "dist",
    "bundle",
    "prestart",
    "heroku-postbuild",
];

/// How the scripts begin that Angular writes for a server of the project: `serve:ssr:shop`.
const OF_ANGULAR: &str = "serve:ssr:";

/// The scripts that may start the project in production: name and command, best first.
pub(super) fn starts(package: &Package) -> impl Iterator<Item = (&str, &str)> {
    let named = NAMES
        .iter()
        .copied()
        .chain(package.script_names(OF_ANGULAR));
    let scripts = named.filter_map(|name| Some((name, package.script(name)?)));
    scripts.filter(|(name, script)| !name.starts_with("prod") || !builds(script))
}

/// Whether the script called `name`, or one that it runs, says `word`.
pub(super) fn says(package: &Package, name: &str, word: &str) -> bool {
    let mut names = vec![name];
    let mut at = 0;
    while let Some(name) = names.get(at).copied() {
        at += 1;
        let script = package.script(name).unwrap_or_default();
        if has_word(script, word) {
            return true;
        }
        let words = script.split_whitespace();
        let runs = words.filter(|word| package.script(word).is_some() && !names.contains(word));
        let runs: Vec<&str> = runs.collect();
        names.extend(runs);
    }
    false
}

fn builds(script: &str) -> bool {
    let last = script.rsplit("&&").next().unwrap_or_default();
    let mut words = last.split_whitespace();
    words.any(|word| BUILDING.contains(&word))
}

/// The script of the project in `folder` that starts it.
pub(super) fn start(folder: &Folder) -> Option<String> {
    let package = Package::read(folder)?;
    starts(&package).next().map(|(_, script)| script.to_owned())
}

/// The script that builds the project in `folder`.
pub(super) fn build(folder: &Folder, package: &Package) -> Option<&'static str> {
    let first = |names: &'static [&'static str]| {
        let mut names = names.iter().copied();
        names.find(|name| package.script(name).is_some())
    };
    first(BUILDS).or_else(|| {
        let (_, start) = starts(package).next()?;
        node_made::missing(folder, package, start)?;
        first(MAKES)
    })
}

/// Whether the project in `folder` is more than a library: something starts it, or a framework
/// does.
pub(super) fn is_app(folder: &Folder) -> bool {
    start(folder).is_some()
        || Package::read(folder)
            .is_some_and(|package| super::node_frameworks::of(&package).is_some())
}

/// The member of `workspace` that `command` starts by way of a package manager, and its script:
/// `npm start -w api`, `pnpm --filter @acme/api run serve`, `yarn workspace api start`.
pub(super) fn member<'a>(workspace: &'a Workspace, command: &str) -> Option<(&'a Member, String)> {
    const FLAGS: &[&str] = &[
        "-w",
        "--workspace",
        "--filter",
        "-F",
        "-C",
        "--cwd",
        "--prefix",
        "--dir",
    ];
    const MANAGERS: &[&str] = &["npm", "pnpm", "yarn", "bun", "turbo"];
    let last = command.rsplit("&&").next()?;
    let words = last.split_whitespace();
    let mut words = words.skip_while(|word| word.contains('=') || *word == "npx");
    let manager = words.next().filter(|word| MANAGERS.contains(word))?;
    let (mut found, mut script) = (None, None);
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        if FLAGS.contains(&flag) || flag == "workspace" && manager == "yarn" {
            let name = value.or_else(|| words.next())?;
            found = workspace.member(
                name.trim_end_matches("...")
                    .trim_matches(['"', '\'', '{', '}']),
            );
        } else if !word.starts_with('-') && word != "run" && script.is_none() {
            script = Some(word.to_owned());
        }
    }
    Some((found?, script?))
}
