//! Trees to test with.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tempfile::TempDir;

use crate::artifact::{
    Assembly, Change, Index, Known, Level, NoCache, Parcel, Spare, Staging, TreePath, Unpacker,
    Way, pack, remove_tree, scan, select,
};
use crate::model::Digest;

/// What is at a path: what must arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    File(Vec<u8>, bool),
    Link(Vec<u8>),
    Dir,
}

pub(super) type Tree = BTreeMap<Vec<u8>, Node>;

/// A folder that goes away with the test, read-only folders and all. In memory where there is
/// such a place, as every tree is synced.
pub(super) struct Place(Option<TempDir>);

impl Place {
    pub(super) fn new() -> Self {
        let place = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        let place = place.unwrap();
        // For what is done as nobody.
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Self(Some(place))
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.0.as_ref().unwrap().path().join(name)
    }

    /// The names in the folder.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.at(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            remove_tree(&place.keep()).unwrap();
        }
    }
}

/// Makes `tree` at `root`, which must not exist.
pub(super) fn make(root: &Path, tree: &Tree) {
    fs::create_dir(root).unwrap();
    for (path, node) in tree {
        let at = root.join(OsStr::from_bytes(path));
        match node {
            Node::Dir => fs::create_dir(at).unwrap(),
            Node::Link(target) => symlink(OsStr::from_bytes(target), at).unwrap(),
            Node::File(content, executable) => {
                fs::write(&at, content).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

/// A tree from lines: `a/b` is a file that holds its path, `a/` a folder, `a -> b` a link, `a*`
/// an executable file. Folders on the way are made.
pub(super) fn tree(lines: &[&str]) -> Tree {
    let mut tree = Tree::new();
    for line in lines {
        let (path, node) = if let Some((path, target)) = line.split_once(" -> ") {
            (path, Node::Link(target.into()))
        } else if let Some(path) = line.strip_suffix('/') {
            (path, Node::Dir)
        } else if let Some(path) = line.strip_suffix('*') {
            (path, Node::File(path.into(), true))
        } else {
            (*line, Node::File((*line).into(), false))
        };
        for (slash, _) in path.match_indices('/') {
            tree.insert(path[..slash].into(), Node::Dir);
        }
        tree.insert(path.into(), node);
    }
    tree
}

/// What is on disk at `root`, found without the code under test.
pub(super) fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let at = entry.unwrap().path();
            let found = at.symlink_metadata().unwrap();
            let node = if found.is_dir() {
                todo.push(at.clone());
                Node::Dir
            } else if found.is_symlink() {
                Node::Link(fs::read_link(&at).unwrap().into_os_string().into_vec())
            } else {
                let executable = found.permissions().mode() & 0o100 != 0;
                Node::File(fs::read(&at).unwrap(), executable)
            };
            let path = at.strip_prefix(root).unwrap().as_os_str().as_bytes();
            tree.insert(path.to_vec(), node);
        }
    }
    tree
}

/// The index of everything at `root`.
pub(super) fn index(root: &Path) -> Arc<Index> {
    let selection = select(root, &[".".to_owned()], &[]).unwrap();
    Arc::new(scan(root, &selection, &NoCache).unwrap())
}

/// Sends what `staging` misses from the tree `index` at `source`, in pieces of `piece` bytes.
pub(super) fn send(source: &Path, index: &Index, staging: Staging, piece: usize) -> Staging {
    let mut stream = Vec::new();
    let missing = staging.missing();
    let parcels = whole(&missing);
    let level = Level::default();
    let packed = pack(source, index, &parcels, level, &mut stream, &mut |_| {}).unwrap();
    assert_eq!(packed.contents, missing.len() as u64);
    assert_eq!(packed.bytes, staging.missing_bytes());
    let mut unpacker = Unpacker::new(staging).unwrap();
    for piece in stream.chunks(piece) {
        unpacker.push(piece).unwrap();
    }
    unpacker.finish().unwrap()
}

/// Contents as they are.
pub(super) fn whole(contents: &[Digest]) -> Vec<Parcel> {
    let parcel = |digest: &Digest| Parcel {
        digest: *digest,
        way: Way::Whole,
    };
    contents.iter().map(parcel).collect()
}

/// Brings the tree at `source` to `release`, over what is `known`, and adds it to that.
pub(super) fn deploy(source: &Path, release: &Path, known: &mut Known) -> Arc<Index> {
    let bytes = index(source).encode().unwrap();
    let index = Arc::new(Index::decode(&bytes).unwrap());
    let staging = Assembly::plan(Arc::clone(&index), known)
        .begin(&release.with_extension("staging"))
        .unwrap();
    let assembled = send(source, &index, staging, 7).finish().unwrap();
    fs::rename(assembled.path(), release).unwrap();
    known.add(release.to_owned(), Arc::clone(&index), SystemTime::now());
    index
}

/// Brings the tree at `source` to `release` as a change of a spare tree of `before`, and large
/// contents without the chunks that are there. Returns how many bytes travelled.
pub(super) fn deploy_over(
    source: &Path,
    release: &Path,
    before: (&Path, &Arc<Index>),
    known: &Known,
) -> usize {
    let (root, old) = before;
    let spare = release.with_extension("spare");
    let mut only = Known::new();
    only.add(root.to_owned(), Arc::clone(old), SystemTime::now());
    let tree = Assembly::plan(Arc::clone(old), &only)
        .begin(&spare)
        .unwrap();
    assert_eq!(tree.missing(), []);
    let spare = Spare {
        tree: tree.finish().unwrap().path().to_owned(),
        index: Arc::clone(old),
        made: SystemTime::now(),
    };
    let new = index(source);
    let change = Change::between(old, &new).encode().unwrap();
    let index = Arc::new(Change::decode(&change).unwrap().apply(old).unwrap());
    assert_eq!(index, new);
    let staging = Assembly::plan_over(
        Arc::clone(&index),
        &spare,
        &spare.open().unwrap().damaged(),
        known,
    )
    .begin(&release.with_extension("staging"))
    .unwrap();
    let missing = staging.missing();
    let mut unpacker = Unpacker::new(staging).unwrap();
    let parcels: Vec<Parcel> = missing
        .iter()
        .map(|digest| Parcel {
            digest: *digest,
            way: match unpacker.chunks(digest) {
                chunks if chunks.is_empty() => Way::Whole,
                chunks => Way::Chunks(Arc::new(chunks.into_iter().collect())),
            },
        })
        .collect();
    let mut stream = Vec::new();
    pack(
        source,
        &index,
        &parcels,
        Level::default(),
        &mut stream,
        &mut |_| {},
    )
    .unwrap();
    for piece in stream.chunks(10_000) {
        unpacker.push(piece).unwrap();
    }
    let assembled = unpacker.finish().unwrap().finish().unwrap();
    fs::rename(assembled.path(), release).unwrap();
    stream.len()
}

pub(super) fn path(text: &str) -> TreePath {
    TreePath::try_from(text).unwrap()
}

/// Runs `work` in a thread whose rights are those of nobody, as root may read everything.
pub(super) fn as_nobody<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if rustix::process::geteuid().is_root() {
                // The system call, as the C library would change every thread.
                // SAFETY: takes three numbers and no memory.
                let result = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
                assert_eq!(result, 0);
            }
            work()
        });
        thread.join().unwrap()
    })
}
