//! What `[release] include` says.

use std::collections::BTreeSet;

use super::files;
use super::folder::{Folder, Source};
use super::guess::{Guess, Include, Stack};
use super::image::{self, Copied};
use super::node_imports;
use super::reason::{About, Reason};
use super::stays::{self, Wanted};
use super::variables;

/// The list of `[release] include`, without repetition.
pub(super) fn list(folder: &Folder, guess: &mut Guess, shared: &[String]) -> Vec<String> {
    let commands: Vec<String> = guess
        .services
        .iter()
        .filter_map(|s| s.command.clone())
        .chain(guess.hooks.iter().map(|hook| hook.run.clone()))
        .collect();
    let mut list = match &guess.include {
        Include::Only(list) => list.clone(),
        Include::Sources { add, drop } => {
            let mut drop = drop.clone();
            if guess.stack != Stack::Node {
                drop.push("package.json".to_owned());
            }
            let mut add = add.clone();
            if commands.iter().any(|command| runs_typescript(command)) {
                add.extend(node_imports::tsconfig(folder));
            }
            let sources = folder.sources(guess.types);
            let is_run = |source: &&Source| variables::runs(source, guess);
            let sources: Vec<&Source> = sources.into_iter().filter(is_run).collect();
            let opened = stays::opened(folder, &sources);
            let wanted = Wanted {
                made: &add,
                commands: &commands,
                shared,
                drop: &drop,
                opened: &opened,
            };
            let says = "is all that git would commit; tomorrow's files are in it, too";
            let reason = Reason::new(About::Release, "`.`", says).quiet();
            guess.reasons.push(reason);
            guess.exclude.extend(stays::excluded(folder, &wanted));
            // Files that are there already are in it.
            let made = add.iter().filter(|path| !folder.is_file(path));
            std::iter::once(".".to_owned())
                .chain(made.cloned())
                .collect()
        }
        Include::Built(list) => {
            let mut list = list.clone();
            for (path, by) in files::named_in_sources(folder, &folder.sources(guess.types)) {
                if !shared.contains(&path) {
                    guess
                        .reasons
                        .push(Reason::new(About::Release, by, format!("names {path}")));
                    list.push(path);
                }
            }
            let built_into = list.clone();
            for Copied { path, to } in copied(folder, guess) {
                let has = |entry: &String| *entry == path || is_within(&path, entry);
                if built_into.iter().chain(shared).any(has) || list.contains(&path) {
                    continue;
                }
                match path == to {
                    true => list.push(path),
                    false => guess.notes.push(format!(
                        "the Dockerfile puts {path} at {to} beside the program: where the program \
                         needs that, make `cp -R {path} {to}` a build step, and add \"{to}\" to include"
                    )),
                }
            }
            list
        }
    };
    if list.is_empty() {
        list.push(".".to_owned());
    }
    let mut seen = BTreeSet::new();
    list.retain(|path| seen.insert(path.clone()));
    list
}

/// What a Dockerfile has beside the program that it builds.
fn copied(folder: &Folder, guess: &mut Guess) -> Vec<Copied> {
    let Some((copied, file)) = image::copied(folder) else {
        return Vec::new();
    };
    let same = copied.iter().filter(|found| found.path == found.to);
    for found in same {
        let says = format!("has {} beside the program", found.path);
        guess.reasons.push(Reason::new(About::Release, file, says));
    }
    copied
}

fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a command runs TypeScript as it is.
fn runs_typescript(command: &str) -> bool {
    let mut words = command.split([' ', '/']);
    words.any(|word| word == "ts-node" || word == "tsx" || word.ends_with(".ts"))
}
