//! What went wrong with one path of a tree.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::{self, Failure};

/// Something could not be done to one file or folder. Shown as
/// `cannot write releases/.v42/dist/app.js: No space left on device`.
#[derive(Debug)]
pub struct TreeError {
    doing: &'static str,
    path: PathBuf,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Io(io::Error),
    Says(String),
}

impl TreeError {
    /// The system refused to `doing` (`read`, `write`, …) `path`.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>, error: io::Error) -> Self {
        Self {
            doing,
            path: path.into(),
            cause: Cause::Io(error),
        }
    }

    /// `path` is not as it must be to `doing` it.
    pub fn says(doing: &'static str, path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self {
            doing,
            path: path.into(),
            cause: Cause::Says(why.into()),
        }
    }

    /// The path, as it was given to the system, or relative to the tree.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kind of the system's refusal (`StorageFull`, `PermissionDenied`…), if it was one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match &self.cause {
            Cause::Io(error) => Some(error.kind()),
            Cause::Says(_) => None,
        }
    }
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: ", self.doing, Shown(&self.path))?;
        match &self.cause {
            Cause::Io(error) => write!(f, "{error}"),
            Cause::Says(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for TreeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::Says(_) => None,
        }
    }
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        match &error.cause {
            Cause::Io(io) => {
                let doing = format!("cannot {}", error.doing);
                let path = Shown(&error.path).to_string();
                model::Cause::io(Some(&doing), Some(&path), io).into()
            }
            Cause::Says(_) => Self::unexpected(error.to_string()),
        }
    }
}

/// A path for the eye: invalid UTF-8 replaced, control characters escaped, so that a file's name
/// cannot forge a line of output.
pub(super) struct Shown<'a>(pub &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}
