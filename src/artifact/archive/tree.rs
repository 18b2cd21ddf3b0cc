//! The folder that an archive is unpacked into.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::PathBuf;

use foldhash::{HashSet, HashSetExt};

use super::{Limits, refuse};
use crate::artifact::error::TreeError;
use crate::artifact::path::TreePath;
use crate::artifact::symlink::{MAX_TARGET, resolve};

/// Folders, and files that may be executed.
const EXECUTABLE: u32 = 0o755;
/// Files that may not.
const PLAIN: u32 = 0o644;

/// A tree that grows by entries; complete after [`finish`](Tree::finish).
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    strip: usize,
    left: Limits,
    /// Made so far; every one a real folder.
    folders: HashSet<TreePath>,
    /// Symbolic links to be made, with their texts.
    links: BTreeMap<TreePath, Vec<u8>>,
    buffer: Vec<u8>,
}

impl Tree {
    pub(super) fn create(
        root: &std::path::Path,
        strip: u32,
        limits: Limits,
    ) -> Result<Self, TreeError> {
        make_folder(&root.to_owned())?;
        Ok(Self {
            root: root.to_owned(),
            strip: usize::try_from(strip).unwrap_or(usize::MAX),
            left: limits,
            folders: HashSet::new(),
            links: BTreeMap::new(),
            buffer: vec![0; 128 * 1024],
        })
    }

    /// A folder of this name.
    pub(super) fn folder(&mut self, name: &[u8]) -> Result<(), TreeError> {
        match self.place(name)? {
            Some(path) => self.make_folders(name, &path),
            None => Ok(()),
        }
    }

    /// A file of this name, with what `content` gives.
    pub(super) fn file(
        &mut self,
        name: &[u8],
        executable: bool,
        content: &mut dyn Read,
    ) -> Result<(), TreeError> {
        let Some(path) = self.place(name)? else {
            return Ok(());
        };
        self.make_parents(name, &path)?;
        let place = path.below(&self.root);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&place)
            .map_err(|error| there_already(name, error))?;
        loop {
            let length = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(refuse(name, error.to_string())),
            };
            self.left.bytes = u64::try_from(length)
                .ok()
                .and_then(|length| self.left.bytes.checked_sub(length))
                .ok_or_else(|| refuse(name, "the archive unpacks to more than is accepted"))?;
            file.write_all(&self.buffer[..length])
                .map_err(|error| TreeError::io("write", &place, error))?;
        }
        let mode = if executable { EXECUTABLE } else { PLAIN };
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(|error| TreeError::io("set the mode of", &place, error))
    }

    /// A symbolic link of this name. It is made, and judged, when everything else is there.
    pub(super) fn link(&mut self, name: &[u8], target: &[u8]) -> Result<(), TreeError> {
        let Some(path) = self.place(name)? else {
            return Ok(());
        };
        // They are kept in memory until the end.
        if target.len() > MAX_TARGET {
            return Err(refuse(name, "has a target that no link can have"));
        }
        self.make_parents(name, &path)?;
        if self.links.insert(path, target.to_vec()).is_some() {
            return Err(refuse(name, "is there twice"));
        }
        Ok(())
    }

    /// A second name for what an earlier entry has brought.
    pub(super) fn hard_link(&mut self, name: &[u8], target: &[u8]) -> Result<(), TreeError> {
        let Some(path) = self.place(name)? else {
            return Ok(());
        };
        let elsewhere = || {
            refuse(
                name,
                "is a hard link to what is not in the archive before it",
            )
        };
        let first = stripped(target, self.strip)
            .map_err(|why| refuse(name, format!("is a hard link to a name that {why}")))?
            .ok_or_else(elsewhere)?;
        if let Some(text) = self.links.get(&first).cloned() {
            return self.link(name, &text);
        }
        self.make_parents(name, &path)?;
        let first = first.below(&self.root);
        if !fs::symlink_metadata(&first).is_ok_and(|found| found.is_file()) {
            return Err(elsewhere());
        }
        fs::hard_link(&first, path.below(&self.root)).map_err(|error| there_already(name, error))
    }

    /// Makes the links. The tree is complete then.
    pub(super) fn finish(self) -> Result<(), TreeError> {
        for (path, target) in &self.links {
            let at = |path: &[u8]| {
                let path = TreePath::new(path).ok()?;
                self.links.get(&path).map(Vec::as_slice)
            };
            resolve(path.as_bytes(), target, at)
                .map_err(|bad| refuse(path.as_bytes(), bad.to_string()))?;
        }
        for (path, target) in &self.links {
            use std::os::unix::ffi::OsStrExt;
            symlink(std::ffi::OsStr::from_bytes(target), path.below(&self.root))
                .map_err(|error| there_already(path.as_bytes(), error))?;
        }
        Ok(())
    }

    /// Where the entry `name` belongs; `None` when nothing is left of its name.
    fn place(&mut self, name: &[u8]) -> Result<Option<TreePath>, TreeError> {
        self.count(name)?;
        stripped(name, self.strip).map_err(|why| refuse(name, why))
    }

    /// One entry more: of the archive, or a folder that its names imply.
    fn count(&mut self, name: &[u8]) -> Result<(), TreeError> {
        self.left.entries = self
            .left
            .entries
            .checked_sub(1)
            .ok_or_else(|| refuse(name, "the archive has more entries than are accepted"))?;
        Ok(())
    }

    fn make_parents(&mut self, name: &[u8], path: &TreePath) -> Result<(), TreeError> {
        match path.parent() {
            Some(folder) if !self.folders.contains(&folder) => {
                self.count(name)?;
                self.make_folders(name, &folder)
            }
            _ => Ok(()),
        }
    }

    /// Makes `folder` and what is above it.
    fn make_folders(&mut self, name: &[u8], folder: &TreePath) -> Result<(), TreeError> {
        if self.folders.contains(folder) {
            return Ok(());
        }
        self.make_parents(name, folder)?;
        let place = folder.below(&self.root);
        if self.links.contains_key(folder) {
            return Err(refuse(name, format!("`{folder}` is a link and a folder")));
        }
        make_folder(&place).map_err(|error| match error.io_kind() {
            Some(io::ErrorKind::AlreadyExists) => {
                refuse(name, format!("`{folder}` is a file and a folder"))
            }
            _ => error,
        })?;
        self.folders.insert(folder.clone());
        Ok(())
    }
}

fn make_folder(place: &PathBuf) -> Result<(), TreeError> {
    let made = DirBuilder::new().mode(0o700).create(place).and_then(|()| {
        // Past the umask.
        fs::set_permissions(place, fs::Permissions::from_mode(EXECUTABLE))
    });
    made.map_err(|error| TreeError::io("create the folder", place, error))
}

/// What is left of `name` without its first `strip` components. `.` and empty components do not
/// count.
fn stripped(name: &[u8], strip: usize) -> Result<Option<TreePath>, String> {
    if name.first() == Some(&b'/') {
        return Err("is absolute".to_owned());
    }
    let components: Vec<&[u8]> = name
        .split(|&b| b == b'/')
        .filter(|component| !matches!(*component, b"" | b"."))
        .collect();
    if components.contains(&&b".."[..]) {
        return Err("has a `..` component".to_owned());
    }
    match components.get(strip..) {
        None | Some([]) => Ok(None),
        Some(rest) => TreePath::new(rest.join(&b'/'))
            .map(Some)
            .map_err(|bad| bad.why().to_owned()),
    }
}

fn there_already(name: &[u8], error: io::Error) -> TreeError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => refuse(name, "is there twice"),
        _ => TreeError::io(
            "unpack",
            {
                use std::os::unix::ffi::OsStrExt;
                std::path::Path::new(std::ffi::OsStr::from_bytes(name))
            },
            error,
        ),
    }
}
