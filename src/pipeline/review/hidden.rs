//! Files of the project that the host's shared ones take the place of.

use std::path::Path;

use super::{Look, Remark, named, toml_list};
use crate::artifact::TreePath;
use crate::pipeline::git;

/// How many names are looked at below a shared folder, where git cannot list them.
const LOOKED_AT: usize = 2000;

/// Files that only keep a folder in git.
const PLACEHOLDERS: [&[u8]; 4] = [b".gitkeep", b".keep", b".gitignore", b".gitattributes"];

/// A warning that names files that `include` takes and `shared` hides. What git ignores is data of
/// this machine, and nobody expects it on a host.
pub(super) fn remark(look: &Look<'_>) -> Option<Remark> {
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
    let mut names: Vec<String> = paths
        .iter()
        .filter(is_hidden)
        .map(ToString::to_string)
        .collect();
    if names.is_empty() {
        return None;
    }
    names.sort();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let exclude = toml_list(shared.iter().map(|path| format!("/{path}")));
    Some(Remark {
        text: format!(
            "{} {verb} not released: `shared` puts the host's own files there",
            named(&names)
        ),
        hint: Some(format!(
            "copy what the app needs into `shared/` on each host, once; or take the path out of `shared`; \
             exclude = {exclude} says that it is meant"
        )),
    })
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
