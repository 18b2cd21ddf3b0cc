//! Whether a tree on disk still is what its index says.

use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use super::error::TreeError;
use super::index::{Entry, Index, Kind};
use super::parallel;
use super::path::{RESERVED, TreePath};
use super::scan::{hash, open};
use super::store::{file_mode, is_as_left};

/// One difference between a tree on disk and its index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Where.
    pub path: TreePath,
    /// A few lower-case words: `is missing`, `is not part of the release`, `has other content`…
    pub what: String,
}

/// Reads the whole tree at `root`, with 2 to 8 threads, and returns where it differs from `index`
/// in names, contents, modes or links, sorted by path. `.ship` and everything within `ignore`
/// (links to shared folders) is not looked at. What cannot be read differs, too.
///
/// # Errors
/// When `root` cannot be read.
pub fn full_verify(
    root: &Path,
    index: &Index,
    ignore: &[TreePath],
) -> Result<Vec<Difference>, TreeError> {
    let ignored = |path: &TreePath| ignore.iter().any(|folder| path.is_within(folder));
    // A folder that is only there for what is ignored.
    let leads_to_ignored = |path: &TreePath| ignore.iter().any(|below| below.is_within(path));
    let expected: Vec<&Entry> = index
        .entries()
        .iter()
        .filter(|entry| !ignored(&entry.path))
        .collect();
    let mut differences = Vec::new();
    for (entry, what) in parallel::map(&expected, |entry| (*entry, compare(root, entry))) {
        let what = what.unwrap_or_else(|error| Some(unreadable(&error)));
        differences.extend(what.map(|what| Difference {
            path: entry.path.clone(),
            what,
        }));
    }
    differences.extend(surplus(root, index, &ignored, &leads_to_ignored)?);
    differences.sort();
    Ok(differences)
}

/// What was written into the tree at `root` after it was complete: what is not part of `index` (a
/// folder stands for all below it), and files of it that changed, sorted. No content is read, and
/// what cannot be looked at counts as unwritten. `.ship` and everything within `ignore` (links to
/// shared folders) is not looked at.
///
/// # Errors
/// When `root` cannot be read.
pub fn written_since(
    root: &Path,
    index: &Index,
    ignore: &[TreePath],
    complete: SystemTime,
) -> Result<Vec<TreePath>, TreeError> {
    let ignored = |path: &TreePath| ignore.iter().any(|folder| path.is_within(folder));
    let leads_to_ignored = |path: &TreePath| ignore.iter().any(|below| below.is_within(path));
    let surplus = surplus(root, index, &ignored, &leads_to_ignored)?;
    let is_new = |path: &TreePath| index.get(path).is_none();
    let new = surplus.into_iter().map(|found| found.path).filter(is_new);
    let is_changed = |path: &TreePath, size, executable| {
        let at = path.below(root);
        at.exists() && !is_as_left(&at, size, executable, complete)
    };
    let files = index.files().filter(|(path, ..)| !ignored(path));
    let changed = files
        .filter(|(path, _, size, executable)| is_changed(path, *size, *executable))
        .map(|(path, ..)| path.clone());
    let mut written: Vec<TreePath> = new.chain(changed).collect();
    written.sort();
    Ok(written)
}

/// Of a file on a disk that fails, for instance.
fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

/// How `entry` differs below `root`.
fn compare(root: &Path, entry: &Entry) -> io::Result<Option<String>> {
    let at = entry.path.below(root);
    let differs = |what: String| Ok(Some(what));
    let found = match at.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return differs("is missing".to_owned());
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return differs("is missing".to_owned());
        }
        Err(error) => return Err(error),
    };
    let mode = match &entry.kind {
        Kind::Dir if found.is_dir() => 0o555,
        Kind::Symlink { target } if found.is_symlink() => {
            let text = std::fs::read_link(&at)?;
            if text.into_os_string().into_vec() == *target {
                return Ok(None);
            }
            return differs("is a link to something else".to_owned());
        }
        Kind::File {
            digest,
            size,
            executable,
        } if found.is_file() => {
            if found.len() != *size {
                return differs(format!("has {} bytes, expected {size}", found.len()));
            }
            if hash(&mut open(&at)?)?.0 != *digest {
                return differs("has other content".to_owned());
            }
            file_mode(*executable)
        }
        kind => {
            let expected = match kind {
                Kind::Dir => "a folder",
                Kind::Symlink { .. } => "a link",
                Kind::File { .. } => "a file",
            };
            return differs(format!("is {}, expected {expected}", word(&found)));
        }
    };
    let found = found.mode() & 0o7777;
    if found == mode {
        Ok(None)
    } else {
        differs(format!("has the mode {found:04o}, expected {mode:04o}"))
    }
}

fn word(found: &Metadata) -> &'static str {
    if found.is_dir() {
        "a folder"
    } else if found.is_symlink() {
        "a link"
    } else if found.is_file() {
        "a file"
    } else {
        "a special file"
    }
}

/// The paths on disk that the index does not have; a folder stands for all below it. And folders
/// below `root` that cannot be read.
fn surplus(
    root: &Path,
    index: &Index,
    ignored: &impl Fn(&TreePath) -> bool,
    passed: &impl Fn(&TreePath) -> bool,
) -> Result<Vec<Difference>, TreeError> {
    let mut surplus = Vec::new();
    let mut todo: Vec<Option<TreePath>> = vec![None];
    while let Some(folder) = todo.pop() {
        let at = folder.as_ref().map_or(root.to_owned(), |f| f.below(root));
        let entries = std::fs::read_dir(&at).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match (entries, &folder) {
            (Ok(entries), _) => entries,
            (Err(error), Some(folder)) => {
                surplus.push(Difference {
                    path: folder.clone(),
                    what: unreadable(&error),
                });
                continue;
            }
            (Err(error), None) => return Err(TreeError::io("read the folder", &at, error)),
        };
        for entry in entries {
            let name = entry.file_name().into_vec();
            let path = match &folder {
                None if name == RESERVED => continue,
                None => TreePath::new(name),
                Some(folder) => folder.join(&name),
            }
            .map_err(|error| TreeError::says("read", &at, error.to_string()))?;
            if ignored(&path) {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match index.get(&path) {
                Some(Kind::Dir) if is_folder => todo.push(Some(path)),
                None if is_folder && passed(&path) => todo.push(Some(path)),
                None => surplus.push(Difference {
                    path,
                    what: "is not part of the release".to_owned(),
                }),
                Some(_) => {}
            }
        }
    }
    Ok(surplus)
}
