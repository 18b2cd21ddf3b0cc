//! The folder that is served: from a relative path to an open file that lies in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::condition::Version;
use super::path::{Target, is_hidden};

/// A folder, by its real path.
#[derive(Debug)]
pub struct Folder {
    real: PathBuf,
}

/// What a target stands for.
#[derive(Debug)]
pub enum Found {
    /// A file.
    Page(Page),
    /// A page that lies one slash away: `docs/` for `docs/index.html`, `about` for `about.html`.
    Moved(Page),
    /// Nothing that is for visitors.
    Nothing,
}

/// A file to answer with.
#[derive(Debug)]
pub struct Page {
    /// Its path in the folder as asked for, which tells what it is.
    pub name: PathBuf,
    /// The file, open for reading.
    pub file: File,
    /// Its size, bytes.
    pub size: u64,
    /// Which version of it this is.
    pub version: Version,
}

enum Entry {
    File(Page),
    Folder,
    Nothing,
}

impl Folder {
    /// The folder at `path`, relative to the working directory.
    ///
    /// # Errors
    /// When there is no folder, or it is `.ship`, where `ship` keeps what visitors must not see.
    pub fn open(path: &Path) -> io::Result<Self> {
        let says = |why: String| format!("cannot serve {}: {why}", path.display());
        let real = path
            .canonicalize()
            .map_err(|error| io::Error::new(error.kind(), says(error.to_string())))?;
        let here = std::env::current_dir()?.canonicalize()?;
        let inside = real.strip_prefix(&here).unwrap_or(path);
        if inside.components().any(|part| part.as_os_str() == ".ship") {
            let why = says("ship keeps its own files there".to_owned());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        if !real.is_dir() {
            let why = says("it is not a folder".to_owned());
            return Err(io::Error::new(io::ErrorKind::NotADirectory, why));
        }
        Ok(Self { real })
    }

    /// The file that answers `target`: itself, the `index.html` of a folder, or, where neither is
    /// there, the same name with `.html`.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn find(&self, target: &Target) -> io::Result<Found> {
        let file = |name: &Path| match self.entry(name)? {
            Entry::File(page) => Ok(Some(page)),
            Entry::Folder | Entry::Nothing => io::Result::Ok(None),
        };
        let index = target.path.join("index.html");
        let html = with_end(&target.path, ".html");
        if target.folder {
            if let Some(page) = file(&index)? {
                return Ok(Found::Page(page));
            }
            // The folder itself has no name that could end so.
            let is_top = target.path.as_os_str().is_empty();
            let page = if is_top { None } else { file(&html)? };
            return Ok(page.map_or(Found::Nothing, Found::Moved));
        }
        match self.entry(&target.path)? {
            Entry::File(page) => return Ok(Found::Page(page)),
            Entry::Folder => {
                if let Some(page) = file(&index)? {
                    return Ok(Found::Moved(page));
                }
            }
            Entry::Nothing => {}
        }
        Ok(file(&html)?.map_or(Found::Nothing, Found::Page))
    }

    /// The file whose name is that of `page` with `end`, if there is one.
    #[must_use]
    pub fn beside(&self, page: &Page, end: &str) -> Option<Page> {
        self.page(&with_end(&page.name, end))
    }

    /// The file at `name`, for a page that the site needs and no visitor named.
    #[must_use]
    pub fn page(&self, name: &Path) -> Option<Page> {
        match self.entry(name) {
            Ok(Entry::File(page)) => Some(page),
            Ok(Entry::Folder | Entry::Nothing) | Err(_) => None,
        }
    }

    /// What is at `name`, judged by where it really lies.
    fn entry(&self, name: &Path) -> io::Result<Entry> {
        let real = match self.real.join(name).canonicalize() {
            Ok(real) => real,
            Err(error) if is_absence(&error) => return Ok(Entry::Nothing),
            Err(error) => return Err(error),
        };
        match real.strip_prefix(&self.real) {
            Ok(inside) if !is_hidden(inside) => {}
            _ => return Ok(Entry::Nothing),
        }
        let metadata = fs::metadata(&real)?;
        if metadata.is_dir() {
            return Ok(Entry::Folder);
        }
        if !metadata.is_file() {
            return Ok(Entry::Nothing);
        }
        // The path holds no link any more; should one have come in between, it is not followed, and
        // a pipe in the file's place does not block.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
        let file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&real)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Entry::Nothing);
        }
        Ok(Entry::File(Page {
            name: name.to_owned(),
            file,
            size: metadata.len(),
            version: Version::of(&metadata),
        }))
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Whether an error of path resolution (path_resolution(7)) says that nothing has this name.
fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}
