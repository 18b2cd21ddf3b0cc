//! What is worth a word about the files of a release before they go to the hosts: keys that git
//! does not have, files that `shared` hides, links and scripts that will not work there, rules of a
//! site that ship does not follow, programs that the build will miss. All of it
//! is a warning; what cannot work at all is an error of the selection.

mod hidden;
mod keys;
mod links;
mod outputs;
mod scripts;
mod site;
#[cfg(test)]
mod tests;
mod tools;

use crate::artifact::{Chooser, Selection, TreePath};
use crate::project::{Project, submodules};

/// How many names a remark holds.
const NAMED: usize = 5;

/// A warning about a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What was found, with a few names: a lower-case sentence.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// When the files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Build steps may still make files.
    BeforeBuild,
    /// All files of the release are there.
    Built,
}

/// What a look at the release needs.
struct Look<'a> {
    project: &'a Project,
    selection: &'a Selection,
    /// The rules of `[release]` without `shared`.
    chooser: Chooser,
}

/// The warnings about the release of `project`, whose files are `selection`. With `on_hosts`, also
/// about what works on this machine only. Reads names, and the beginnings of a few files; asks git
/// only where a name gives a reason to.
#[must_use]
pub fn review(project: &Project, selection: &Selection, when: When, on_hosts: bool) -> Vec<Remark> {
    let rules = &project.release;
    let look = Look {
        project,
        selection,
        chooser: Chooser::new(&project.source, &rules.include, &rules.exclude),
    };
    let mut remarks = Vec::new();
    remarks.extend(keys::remark(&look));
    remarks.extend(hidden::remarks(&look, when));
    remarks.extend(links::remarks(&look));
    remarks.extend(site::remarks(&look, when));
    if when == When::Built {
        remarks.extend(outputs::remark(&look));
    }
    if when == When::BeforeBuild {
        let path = std::env::var_os("PATH");
        remarks.extend(tools::remark(&look, path.as_deref()));
        remarks.extend(submodules(project));
    }
    if on_hosts {
        remarks.extend(scripts::remarks(&look, when));
    }
    remarks
}

/// Warns about submodules that are not here: a build that misses them may go well, and make nothing.
#[must_use]
pub fn submodules(project: &Project) -> Option<Remark> {
    let text = submodules::sentence(&submodules::missing(&project.source))?;
    let hint = Some(submodules::FETCH.to_owned());
    Some(Remark { text, hint })
}

impl Look<'_> {
    /// Whether `path` is, or lies below, a path that is in `shared`.
    fn is_shared(&self, path: &TreePath) -> bool {
        let mut shared = self.project.release.shared.iter();
        shared.any(|shared| {
            TreePath::try_from(shared.trim_matches('/'))
                .is_ok_and(|shared| *path == shared || path.is_within(&shared))
        })
    }
}

/// `a, b and 3 more`.
fn named(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(NAMED)
        .map(|name| name.escape_debug().to_string());
    let shown: Vec<String> = shown.collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `["/a", "/b"]`, as it stands in the manifest.
fn toml_list(names: impl IntoIterator<Item = String>) -> String {
    let quoted = names
        .into_iter()
        .take(NAMED)
        .map(|name| format!("{name:?}"));
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

/// Whether `path` lies in a folder of dependencies, which are other people's files: their tests are
/// full of keys and broken links.
fn is_dependency(path: &TreePath) -> bool {
    const FOLDERS: [&[u8]; 12] = [
        b"node_modules",
        b"bower_components",
        b"jspm_packages",
        b".yarn",
        b".pnpm-store",
        b"vendor",
        b".bundle",
        b".venv",
        b"venv",
        b"site-packages",
        b"dist-packages",
        b"__pypackages__",
    ];
    path.components().any(|name| FOLDERS.contains(&name))
}
