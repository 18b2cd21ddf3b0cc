//! Files of the project that the host's shared ones take the place of.

use std::path::Path;

use super::{Look, Remark, When, named, toml_list};
use crate::artifact::TreePath;
use crate::pipeline::git;
use crate::pipeline::seeds::{self, PLACEHOLDERS};

/// How many names are looked at below a shared folder, where git cannot list them.
const LOOKED_AT: usize = 2000;

/// Warnings that name files that `shared` hides: before a build those that a host gets once, of which a
/// deploy says when it brings them, and those that `include` takes in vain. What git ignores is data of
/// this machine, and nobody expects it on a host.
pub(super) fn remarks(look: &Look<'_>, when: When) -> Vec<Remark> {
    let dir = &look.project.source;
    let shared: Vec<&str> = look
        .project
        .release
        .shared
        .iter()
        .map(|path| path.trim_matches('/'))
        .filter(|path| dir.join(path).symlink_metadata().is_ok())
        .collect();
    let files = git::committable(dir, &shared).unwrap_or_else(|| below(dir, &shared));
    let is_hidden = |path: &&TreePath| {
        let has_content = || {
            let found = path.below(dir).symlink_metadata();
            found.is_ok_and(|found| !found.is_dir() && found.len() > 0)
        };
        !PLACEHOLDERS.contains(&path.name()) && look.chooser.takes(path) && has_content()
    };
    let paths: Vec<TreePath> = files
        .iter()
        .filter_map(|path| TreePath::try_from(path.as_str()).ok())
        .collect();
    let exclude = toml_list(shared.iter().map(|path| format!("/{path}")));
    let places = seeds::places(look.project);
    let seeds = places.iter().flat_map(|place| &place.files);
    let seeds: Vec<&TreePath> = seeds.map(|file| &file.to).collect();
    let in_vain = paths.iter().filter(is_hidden);
    let in_vain: Vec<&TreePath> = in_vain.filter(|path| !seeds.contains(path)).collect();
    let once = told(seeds).map(|(names, verb)| Remark {
        text: format!(
            "{names} {verb} brought to a host once, where `shared/` has nothing there: later changes \
             stay here"
        ),
        hint: Some(format!(
            "exclude = {exclude} leaves it out, as data of this machine"
        )),
    });
    let never = told(in_vain).map(|(names, verb)| Remark {
        text: format!("{names} {verb} not released: `shared` puts the host's own files there"),
        hint: Some(format!(
            "copy what the app needs into `shared/` on each host, once; or take the path out of `shared`; \
             exclude = {exclude} says that it is meant"
        )),
    });
    let once = once.filter(|_| when == When::BeforeBuild);
    once.into_iter().chain(never).collect()
}

/// The names of `paths`, and the verb for them; `None` for none.
fn told(paths: Vec<&TreePath>) -> Option<(String, &'static str)> {
    let mut names: Vec<String> = paths.into_iter().map(ToString::to_string).collect();
    names.sort();
    let verb = match names.len() {
        0 => return None,
        1 => "is",
        _ => "are",
    };
    Some((named(&names), verb))
}

/// The files below `paths`, up to a limit.
fn below(dir: &Path, paths: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    let mut todo: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    while let Some(path) = todo.pop() {
        if files.len() + todo.len() > LOOKED_AT {
            break;
        }
        match std::fs::read_dir(dir.join(&path)) {
            Ok(entries) => {
                let names = entries.flatten().map(|entry| entry.file_name());
                todo.extend(names.map(|name| format!("{path}/{}", name.to_string_lossy())));
            }
            Err(_) => files.push(path),
        }
    }
    files
}
