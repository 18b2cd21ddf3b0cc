//! Files that are committed at a path of `release.shared`: a host gets them once, while it has nothing
//! there. Later the place is the app's own.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, OnceLock};

use super::git;
use crate::artifact::{Chooser, TreePath};
use crate::project::Project;

/// The most that goes to a host for one place, bytes: it travels in messages, not as content.
const MOST_BYTES: u64 = 4 << 20;

/// The most files that go to a host for one place.
const MOST_FILES: usize = 200;

/// Files that only keep a folder in git.
pub(super) const PLACEHOLDERS: [&[u8]; 4] =
    [b".gitkeep", b".keep", b".gitignore", b".gitattributes"];

/// The files for one entry of `release.shared`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The entry, without slashes at its ends.
    pub name: String,
    /// Its files; at least one.
    pub files: Vec<SeedFile>,
}

/// A file for a shared place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFile {
    /// Where it is, relative to the project's folder.
    pub from: TreePath,
    /// Where it goes, relative to `shared/`.
    pub to: TreePath,
    /// Its permissions.
    pub mode: u32,
}

/// What a project has for the shared places of its hosts.
#[derive(Debug, Clone, Default)]
pub struct Seeds {
    /// `None` where nobody asks.
    project: Option<Arc<Project>>,
    places: Arc<OnceLock<Vec<Place>>>,
}

impl Seeds {
    /// Of `project`. Git is asked in the background, while a connection is made.
    #[must_use]
    pub fn of(project: &Project) -> Self {
        let asks = !project.release.shared.is_empty();
        let seeds = Self {
            project: asks.then(|| Arc::new(project.clone())),
            places: Arc::default(),
        };
        if asks {
            let seeds = seeds.clone();
            std::thread::spawn(move || seeds.places().len());
        }
        seeds
    }

    /// The places that there is something for; waits for git.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        let ask = || self.project.as_deref().map(places);
        self.places.get_or_init(|| ask().unwrap_or_default())
    }
}

/// The places of `project` that there is something for: what is tracked and not excluded. What git
/// ignores, or does not know yet, is data of this machine. A place that is too large is left out.
///
/// A place in a folder of which git tracks nothing, `www/media`, is one of a copy that the build
/// makes: what is tracked at `media` goes there.
pub(super) fn places(project: &Project) -> Vec<Place> {
    let dir = &project.source;
    let names = project.release.shared.iter();
    let names: Vec<&str> = names.map(|name| name.trim_matches('/')).collect();
    let is_there = |name: &&str| dir.join(name).symlink_metadata().is_ok();
    let copied = names.iter().filter_map(|name| name.split_once('/'));
    let asked = names
        .iter()
        .copied()
        .chain(copied.clone().map(|(_, name)| name));
    let asked: Vec<&str> = asked.filter(is_there).collect();
    let copies: Vec<&str> = copied.map(|(copy, _)| copy).filter(is_there).collect();
    let asked = [&asked[..], &copies].concat();
    let Some(tracked) = git::tracked(dir, &asked).filter(|_| !asked.is_empty()) else {
        return Vec::new();
    };
    let is_copy = |folder: &str| {
        let mut below = tracked.iter().filter_map(|path| path.strip_prefix(folder));
        !below.any(|rest| rest.starts_with('/'))
    };
    // That a path is in `shared` names it: `include` need not do so, too.
    let chooser = Chooser::new(dir, &[".".to_owned()], &project.release.exclude);
    let mut all: Vec<Place> = Vec::new();
    for name in names {
        let copy = name.split_once('/').filter(|(copy, _)| is_copy(copy));
        let Ok(place) = TreePath::try_from(copy.map_or(name, |(_, own)| own)) else {
            continue;
        };
        let mut bytes = 0;
        let mut files = Vec::new();
        for path in &tracked {
            let Ok(path) = TreePath::try_from(path.as_str()) else {
                continue;
            };
            let is_of_place = path == place || path.is_within(&place);
            if !is_of_place || PLACEHOLDERS.contains(&path.name()) || !chooser.takes(&path) {
                continue;
            }
            let Ok(found) = path.below(dir).symlink_metadata() else {
                continue;
            };
            if found.is_file() && found.len() > 0 {
                let to = match copy {
                    Some((copy, _)) => TreePath::try_from(format!("{copy}/{path}").as_str()),
                    None => Ok(path.clone()),
                };
                bytes += found.len();
                files.extend(to.ok().map(|to| SeedFile {
                    from: path,
                    to,
                    mode: found.permissions().mode() & 0o777,
                }));
            }
        }
        if (1..=MOST_FILES).contains(&files.len()) && bytes <= MOST_BYTES {
            let name = name.to_owned();
            all.push(Place { name, files });
        }
    }
    all
}
