//! Reads files that another user, or a fault, may have replaced.
//!
//! The user of the app writes to `$RUNTIME_DIRECTORY` and `shared/`, the deploying user to the whole
//! root folder. Either can put a FIFO, a device, a link or an endless file where this process expects
//! a small file. So a path is opened without following a link and without waiting for a writer
//! (open(2) `O_NOFOLLOW`, `O_NONBLOCK`), must turn out to be a regular file, and is read up to a limit.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::model::{Cause, Failure};

/// Limit for a file that holds a line or a small record, bytes.
pub const SMALL: u64 = 64 << 10;

/// Limit for a file whose size follows from the manifest: a release's metadata, its environment, a
/// unit. Bytes.
pub const METADATA: u64 = 16 << 20;

/// Limit for a stored index, bytes: some millions of files.
pub const INDEX: u64 = 256 << 20;

/// Limit for the names in a folder.
pub const NAMES: usize = 100_000;

/// A path that could not be read, and why.
#[derive(Debug)]
pub struct ReadError {
    path: PathBuf,
    why: Why,
}

/// Why a path could not be read.
#[derive(Debug)]
pub enum Why {
    /// There is nothing with this name.
    Absent,
    /// It is no regular file.
    Kind(fs::FileType),
    /// It is a file where a folder is read.
    File,
    /// The file is longer than the limit, bytes.
    TooLong(u64),
    /// The folder holds more names than the limit.
    TooMany(usize),
    /// The file is not UTF-8 text.
    NotText,
    /// The file is not what it should hold, in a few words: `not valid JSON`.
    Garbled(String),
    /// The system refused.
    Io(io::Error),
}

impl ReadError {
    fn new(path: &Path, why: Why) -> Self {
        Self {
            path: path.to_owned(),
            why,
        }
    }

    /// An error for a file that was read and whose content makes no sense.
    #[must_use]
    pub fn garbled(path: &Path, what: impl Into<String>) -> Self {
        Self::new(path, Why::Garbled(what.into()))
    }

    /// Why the path could not be read.
    #[must_use]
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// Whether there is nothing with this name.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.why, Why::Absent)
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::Absent => write!(f, "{path} is not there"),
            Why::File => write!(f, "{path} is a file, not a folder"),
            Why::Kind(found) => write!(f, "{path} is {}, not a regular file", kind(*found)),
            Why::TooLong(limit) => write!(f, "{path} is longer than {limit} bytes"),
            Why::TooMany(limit) => write!(f, "{path} holds more than {limit} names"),
            Why::NotText => write!(f, "{path} is not UTF-8 text"),
            Why::Garbled(what) => write!(f, "{path} is damaged: {what}"),
            Why::Io(error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            Why::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match &error.why {
            Why::Absent => io::ErrorKind::NotFound,
            Why::Io(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match &error.why {
            Why::Io(io) => Cause::io(None, Some(&error.path.display().to_string()), io).into(),
            _ => Self::unexpected(error.to_string()),
        }
    }
}

/// The result of reading a path.
pub type Result<T> = std::result::Result<T, ReadError>;

/// Opens the regular file at `path` for reading, without following a link at its last name and
/// without waiting.
///
/// # Errors
/// When there is no such file, it is not a regular file, or the system refuses.
pub fn open(path: &Path) -> Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// Opens the regular file at `path` with `options`, without following a link at its last name and
/// without waiting: opening a FIFO to write waits for a reader otherwise.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    // O_CLOEXEC is set by the standard library.
    options.custom_flags(flags.bits().cast_signed());
    let file = options.open(path).map_err(|error| refused(path, error))?;
    let found = file
        .metadata()
        .map_err(|error| ReadError::new(path, Why::Io(error)))?;
    match found.is_file() {
        true => Ok(file),
        false => Err(ReadError::new(path, Why::Kind(found.file_type()))),
    }
}

/// Reads the regular file at `path`, of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and when the file is longer.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_open(open(path)?, path, limit)
}

/// Reads the regular file at `path` as UTF-8, of at most `limit` bytes.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn text(path: &Path, limit: u64) -> Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|_| ReadError::new(path, Why::NotText))
}

/// Reads the regular file at `path` as JSON, of at most `limit` bytes. The error quotes nothing of the
/// content.
///
/// # Errors
/// As [`read`], and when it is not JSON of this shape.
pub fn json<T: serde::de::DeserializeOwned>(path: &Path, limit: u64) -> Result<T> {
    let bytes = read(path, limit)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        use serde_json::error::Category;
        let what = match (bytes.is_empty(), error.classify()) {
            (true, _) => "it is empty".to_owned(),
            (false, Category::Eof) => "it ends too early".to_owned(),
            (false, Category::Data) => {
                format!("line {} does not hold what ship writes there", error.line())
            }
            (false, _) => format!("line {} is not JSON", error.line()),
        };
        ReadError::garbled(path, what)
    })
}

/// The last bytes, at most `limit`, of the regular file at `path`: for a file that grows.
///
/// # Errors
/// As [`open`].
pub fn tail(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut file = open(path)?;
    let from = file
        .metadata()
        .map(|found| found.len().saturating_sub(limit));
    from.and_then(|from| file.seek(SeekFrom::Start(from)))
        .map_err(|error| ReadError::new(path, Why::Io(error)))?;
    // What is appended meanwhile is not read.
    let mut bytes = Vec::new();
    match file.take(limit).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(ReadError::new(path, Why::Io(error))),
    }
}

/// The names in the folder at `path`, at most `limit`, in no order.
///
/// # Errors
/// When there is no such folder, it holds more names, or the system refuses.
pub fn names(path: &Path, limit: usize) -> Result<Vec<OsString>> {
    let io = |error| ReadError::new(path, Why::Io(error));
    // opendir(3) opens with O_DIRECTORY: a FIFO is refused, not waited for.
    let entries = fs::read_dir(path).map_err(|error| refused(path, error))?;
    let mut names = Vec::new();
    for entry in entries {
        if names.len() == limit {
            return Err(ReadError::new(path, Why::TooMany(limit)));
        }
        names.push(entry.map_err(io)?.file_name());
    }
    Ok(names)
}

fn read_open(file: File, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |error| ReadError::new(path, Why::Io(error));
    let length = file.metadata().map_err(io)?.len();
    if length > limit {
        return Err(ReadError::new(path, Why::TooLong(limit)));
    }
    // It may grow meanwhile, and what is in /proc has no length.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    match bytes.len() as u64 > limit {
        true => Err(ReadError::new(path, Why::TooLong(limit))),
        false => Ok(bytes),
    }
}

/// Names the kind of what is there where open(2) refuses for that reason: a link (`ELOOP`), a socket
/// or a FIFO without a reader (`ENXIO`), a folder (`EISDIR`), not a folder (`ENOTDIR`).
fn refused(path: &Path, error: io::Error) -> ReadError {
    const BY_KIND: [i32; 4] = [libc::ELOOP, libc::ENXIO, libc::EISDIR, libc::ENOTDIR];
    if error.kind() == io::ErrorKind::NotFound {
        return ReadError::new(path, Why::Absent);
    }
    let by_kind = error
        .raw_os_error()
        .is_some_and(|code| BY_KIND.contains(&code));
    let why = match fs::symlink_metadata(path) {
        Ok(found) if by_kind && found.is_file() => Why::File,
        Ok(found) if by_kind => Why::Kind(found.file_type()),
        _ => Why::Io(error),
    };
    ReadError::new(path, why)
}

fn kind(found: fs::FileType) -> &'static str {
    if found.is_symlink() {
        "a link"
    } else if found.is_dir() {
        "a folder"
    } else if found.is_fifo() {
        "a FIFO"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// The answer of `ask`, which must come at once, whatever lies there.
    fn at_once<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, answer) = mpsc::channel();
        std::thread::spawn(move || sender.send(ask()));
        answer
            .recv_timeout(Duration::from_secs(20))
            .expect("it waits for something")
    }

    fn fifo(path: &Path) {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o666),
            0,
        )
        .unwrap();
    }

    fn said(path: &Path) -> String {
        let path = path.to_owned();
        at_once(move || read(&path, 100)).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, [b'x'; 100]).unwrap();
        assert_eq!(read(&file, 100).unwrap().len(), 100);
        assert!(matches!(
            read(&file, 99).unwrap_err().why(),
            Why::TooLong(99)
        ));
        assert_eq!(tail(&file, 30).unwrap().len(), 30);
        assert_eq!(tail(&file, 300).unwrap().len(), 100);
        fs::write(&file, [0xff, 0xfe]).unwrap();
        assert!(matches!(text(&file, 9).unwrap_err().why(), Why::NotText));
        assert!(read(&folder.path().join("no"), 9).unwrap_err().is_absent());
    }

    #[test]
    fn whatever_is_not_a_regular_file_is_named_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fifo(&at("fifo"));
        symlink("/dev/zero", at("link")).unwrap();
        symlink("/nowhere", at("dangling")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for (name, kind) in [
            ("fifo", "a FIFO"),
            ("link", "a link"),
            ("dangling", "a link"),
            ("folder", "a folder"),
            ("socket", "a socket"),
        ] {
            let expected = format!("{} is {kind}, not a regular file", at(name).display());
            assert_eq!(said(&at(name)), expected);
        }
        let zero = Path::new("/dev/zero");
        assert_eq!(said(zero), "/dev/zero is a device, not a regular file");
        let fifo = at("fifo");
        let written = at_once(move || {
            open_with(&fifo, OpenOptions::new().write(true))
                .unwrap_err()
                .to_string()
        });
        assert!(written.contains("a FIFO"), "{written}");
        let fifo = at("fifo");
        let listed = at_once(move || names(&fifo, 9).unwrap_err().to_string());
        assert!(listed.contains("a FIFO"), "{listed}");
        fs::write(at("file"), "").unwrap();
        let listed = names(&at("file"), 9).unwrap_err().to_string();
        assert!(listed.ends_with("file is a file, not a folder"), "{listed}");
    }

    #[test]
    fn a_file_of_the_kernel_without_an_end_or_a_length_is_bounded() {
        // A length of 0, and content all the same.
        assert!(
            !read(Path::new("/proc/self/status"), 1 << 20)
                .unwrap()
                .is_empty()
        );
        assert!(matches!(
            read(Path::new("/proc/self/status"), 10).unwrap_err().why(),
            Why::TooLong(10)
        ));
    }

    #[test]
    fn a_listing_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for name in 0..5 {
            fs::write(folder.path().join(name.to_string()), "").unwrap();
        }
        assert_eq!(names(folder.path(), 5).unwrap().len(), 5);
        assert!(matches!(
            names(folder.path(), 4).unwrap_err().why(),
            Why::TooMany(4)
        ));
        assert!(names(&folder.path().join("no"), 4).unwrap_err().is_absent());
    }

    #[test]
    fn damaged_json_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        for (content, what) in [
            ("", "it is empty"),
            ("{\"a\":", "it ends too early"),
            ("hunter2", "line 1 is not JSON"),
            ("\"hunter2\"", "line 1 does not hold what ship writes there"),
        ] {
            fs::write(&file, content).unwrap();
            let said = json::<std::collections::BTreeMap<String, u32>>(&file, 100)
                .unwrap_err()
                .to_string();
            assert_eq!(said, format!("{} is damaged: {what}", file.display()));
        }
    }
}
