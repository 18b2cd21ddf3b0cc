//! A tree that is being made.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::assemble::Assembly;
use super::error::TreeError;
use super::index::{Index, Kind};
use super::remove::{remove_tree, seal};
use super::scan::open;
use super::store::{Trusted, file_mode};
use crate::model::Digest;

/// A tree that is being made. Dropping it removes its folder; [`Staging::finish`] keeps it.
#[derive(Debug)]
#[must_use = "a tree that is not finished is removed"]
pub struct Staging {
    path: PathBuf,
    index: Index,
    wanted: HashMap<Digest, Wanted>,
    incoming: Option<Incoming>,
    /// A write failed half-way: the tree cannot be completed any more.
    broken: bool,
    linked: u64,
    received: u64,
    kept: bool,
}

/// A content to be received.
#[derive(Debug, Default)]
struct Wanted {
    size: u64,
    /// Positions in the index, at least one.
    places: Vec<usize>,
}

/// A content being received, into the first of its places.
#[derive(Debug)]
struct Incoming {
    digest: Digest,
    left: u64,
    hasher: blake3::Hasher,
    file: File,
    places: Vec<usize>,
}

impl Staging {
    pub(super) fn begin(plan: Assembly, path: &Path) -> Result<Self, TreeError> {
        create_folder(path)?;
        let mut staging = Self {
            path: path.to_owned(),
            index: plan.index,
            wanted: HashMap::new(),
            incoming: None,
            broken: false,
            linked: 0,
            received: 0,
            kept: false,
        };
        for (at, source) in plan.sources.iter().enumerate() {
            staging.place(at, source.as_ref())?;
        }
        Ok(staging)
    }

    /// Makes what can be made of an entry before contents come. Links come last, so that nothing
    /// is ever written through one.
    fn place(&mut self, at: usize, source: Option<&Trusted>) -> Result<(), TreeError> {
        let entry = &self.index.entries()[at];
        let path = entry.path.below(&self.path);
        match entry.kind {
            Kind::Dir => create_folder(&path),
            Kind::Symlink { .. } => Ok(()),
            Kind::File {
                size: 0,
                executable,
                ..
            } => set_mode(&create_file(&path)?, &path, executable),
            Kind::File {
                digest,
                size,
                executable,
            } => {
                if let Some(source) = source
                    && link_or_copy(source, &path, &digest, executable)?
                {
                    self.linked += 1;
                } else {
                    let wanted = self.wanted.entry(digest).or_default();
                    wanted.size = size;
                    wanted.places.push(at);
                }
                Ok(())
            }
        }
    }

    /// The folder. Until [`Staging::finish`] all its folders are writable, for the caller's own
    /// files: `.ship`, links to shared folders.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tree that is being made.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The contents still to be received, each once, in the order of the index.
    #[must_use]
    pub fn missing(&self) -> Vec<Digest> {
        let mut missing: Vec<_> = self.wanted.iter().collect();
        missing.sort_unstable_by_key(|(_, wanted)| wanted.places.first());
        missing.into_iter().map(|(digest, _)| *digest).collect()
    }

    /// The size of what is still to be received, bytes.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        self.wanted
            .values()
            .fold(0, |sum, wanted| u64::saturating_add(sum, wanted.size))
    }

    /// Begins to receive the content `digest` of `size` bytes.
    ///
    /// # Errors
    /// When it is not missing, has another size in the index, another content is not complete,
    /// or its file cannot be created.
    pub fn start(&mut self, digest: Digest, size: u64) -> Result<(), TreeError> {
        let refuse = |why: String| Err(TreeError::says("receive into", &self.path, why));
        if self.broken || self.incoming.is_some() {
            return refuse("the content before is not complete".to_owned());
        }
        match self.wanted.get(&digest) {
            None => return refuse(format!("the content {} was not asked for", digest.short())),
            Some(wanted) if wanted.size != size => {
                let expected = wanted.size;
                return refuse(format!(
                    "the content {} has {size} bytes, expected {expected}",
                    digest.short()
                ));
            }
            Some(_) => {}
        }
        let places = self.wanted.remove(&digest).unwrap_or_default().places;
        self.broken = true;
        let path = self.place_path(places.first().copied().unwrap_or_default());
        let file = create_file(&path)?;
        self.broken = false;
        self.incoming = Some(Incoming {
            digest,
            left: size,
            hasher: blake3::Hasher::new(),
            file,
            places,
        });
        Ok(())
    }

    /// Receives the next bytes of the content that was started; with the last ones it is verified
    /// and put at all its places.
    ///
    /// # Errors
    /// When none was started, there are too many bytes, the content is not what its digest says,
    /// or it cannot be written. The tree cannot be finished then.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), TreeError> {
        let Some(mut incoming) = self.incoming.take() else {
            return Err(TreeError::says(
                "receive into",
                &self.path,
                "no content was started",
            ));
        };
        self.broken = true;
        let path = self.place_path(incoming.places.first().copied().unwrap_or_default());
        let Some(left) = incoming.left.checked_sub(bytes.len() as u64) else {
            return Err(TreeError::says(
                "receive",
                path,
                "more bytes came than were announced",
            ));
        };
        incoming.left = left;
        incoming.hasher.update(bytes);
        incoming
            .file
            .write_all(bytes)
            .map_err(|error| TreeError::io("write", &path, error))?;
        if left == 0 {
            self.complete(incoming, &path)?;
        } else {
            self.incoming = Some(incoming);
        }
        self.broken = false;
        Ok(())
    }

    fn complete(&mut self, incoming: Incoming, path: &Path) -> Result<(), TreeError> {
        let found = Digest::from(incoming.hasher.finalize());
        if found != incoming.digest {
            return Err(TreeError::says(
                "receive",
                path,
                format!(
                    "its content is {}, expected {}",
                    found.short(),
                    incoming.digest.short()
                ),
            ));
        }
        let mut first = None;
        for &at in &incoming.places {
            let Kind::File { executable, .. } = self.index.entries()[at].kind else {
                continue;
            };
            match &first {
                None => {
                    set_mode(&incoming.file, path, executable)?;
                    first = Some(Trusted {
                        path: path.to_owned(),
                        executable,
                    });
                }
                Some(first) => {
                    let twin = self.place_path(at);
                    if !link_or_copy(first, &twin, &incoming.digest, executable)? {
                        return Err(TreeError::says("copy", path, "it changed meanwhile"));
                    }
                }
            }
            self.received += 1;
        }
        Ok(())
    }

    fn place_path(&self, at: usize) -> PathBuf {
        self.index.entries()[at].path.below(&self.path)
    }

    /// Completes the tree: symbolic links, folders 0555 (the root 0755 for the rename and for the
    /// caller; a `.ship` folder in it as it is), everything on disk (syncfs(2)).
    ///
    /// # Errors
    /// When contents are missing, or the system refuses; the folder is removed then.
    pub fn finish(mut self) -> Result<Assembled, TreeError> {
        let refuse = |why: String| Err(TreeError::says("finish", &self.path, why));
        if self.broken || self.incoming.is_some() {
            return refuse("a content is not complete".to_owned());
        }
        if let Some(at) = self.wanted.values().flat_map(|w| &w.places).min() {
            return refuse(format!(
                "{} contents are missing, such as that of {}",
                self.wanted.len(),
                self.index.entries()[*at].path
            ));
        }
        for entry in self.index.entries() {
            if let Kind::Symlink { target } = &entry.kind {
                let path = entry.path.below(&self.path);
                std::os::unix::fs::symlink(OsStr::from_bytes(target), &path)
                    .map_err(|error| TreeError::io("link", path, error))?;
            }
        }
        seal(&self.path)?;
        sync(&self.path)?;
        self.kept = true;
        Ok(Assembled {
            path: std::mem::take(&mut self.path),
            linked: self.linked,
            received: self.received,
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is found by the next clean-up.
            let _ = remove_tree(&self.path);
        }
    }
}

/// A complete tree, on disk, not yet published: rename it to where it belongs.
#[derive(Debug)]
#[must_use = "a tree that is not published stays behind as a folder"]
pub struct Assembled {
    path: PathBuf,
    /// Files that were linked to known ones.
    pub linked: u64,
    /// Files whose content was received.
    pub received: u64,
}

impl Assembled {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Brings everything of the file system that holds `path` to the disk.
fn sync(path: &Path) -> Result<(), TreeError> {
    let folder = File::open(path).map_err(|error| TreeError::io("open", path, error))?;
    #[cfg(target_os = "linux")]
    let result = rustix::fs::syncfs(&folder);
    #[cfg(not(target_os = "linux"))]
    let result = {
        rustix::fs::sync();
        rustix::fs::fsync(&folder)
    };
    result.map_err(|errno| TreeError::io("sync", path, errno.into()))
}

fn create_folder(path: &Path) -> Result<(), TreeError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(|error| TreeError::io("create the folder", path, error))
}

fn create_file(path: &Path) -> Result<File, TreeError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| TreeError::io("create", path, error))
}

fn set_mode(file: &File, path: &Path, executable: bool) -> Result<(), TreeError> {
    file.set_permissions(std::fs::Permissions::from_mode(file_mode(executable)))
        .map_err(|error| TreeError::io("set the mode of", path, error))
}

/// Puts the content of `source` at `path`: as a hard link where the mode allows, else as a copy
/// that is verified. Returns whether the source was good; nothing is at `path` when it was not.
fn link_or_copy(
    source: &Trusted,
    path: &Path,
    digest: &Digest,
    executable: bool,
) -> Result<bool, TreeError> {
    // Whatever is in the way of a link (EMLINK, EXDEV, EPERM) is not in the way of a copy; what
    // is in the way of both (ENOSPC) is reported by the copy.
    if source.executable == executable && std::fs::hard_link(&source.path, path).is_ok() {
        return Ok(true);
    }
    let Ok(mut from) = open(&source.path) else {
        return Ok(false);
    };
    let mut to = create_file(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut good = loop {
        match from.read(&mut buffer) {
            Ok(0) => break true,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                to.write_all(&buffer[..length])
                    .map_err(|error| TreeError::io("write", path, error))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break false,
        }
    };
    good = good && Digest::from(hasher.finalize()) == *digest;
    if good {
        set_mode(&to, path, executable)?;
    } else {
        std::fs::remove_file(path).map_err(|error| TreeError::io("remove", path, error))?;
    }
    Ok(good)
}
