//! The patterns of `[release]`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use foldhash::HashSet;
use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use super::path::TreePath;

/// One entry of `include`.
pub(super) struct Include {
    /// As written.
    pub(super) text: String,
    /// What it names.
    pub(super) what: Includes,
}

/// What an include names.
pub(super) enum Includes {
    /// `.`
    Everything,
    /// One file or folder.
    One(TreePath),
    /// Whatever the glob matches.
    Glob {
        matcher: GlobMatcher,
        /// The components before the first with a wildcard; `None` is the root.
        start: Option<TreePath>,
        /// The most components that a match can have; `None` without a bound.
        depth: Option<usize>,
    },
}

impl Include {
    /// Reads the patterns; what is wrong with them goes to `problems`. A pattern with wildcards
    /// that is the name of something at `root` (`pages/[id].js`) is that name.
    pub(super) fn parse_all(
        root: &Path,
        texts: &[String],
        problems: &mut Vec<String>,
    ) -> Vec<Self> {
        let mut includes = Vec::new();
        for text in texts {
            match parse_include(root, text) {
                Ok(what) => includes.push(Self {
                    text: text.clone(),
                    what,
                }),
                Err(why) => problems.push(format!("include `{}`: {why}", text.escape_debug())),
            }
        }
        includes
    }

    /// Whether it names `path`.
    pub(super) fn names(&self, path: &TreePath) -> bool {
        match &self.what {
            Includes::Everything => true,
            Includes::One(one) => one == path,
            Includes::Glob { matcher, .. } => matcher.is_match(path.as_path()),
        }
    }

    /// Whether it is meant for what git ignores: it is one of these paths, or begins in one of them.
    /// What only `.` or a pattern for names reaches is not.
    pub(super) fn reaches_into(&self, ignored: &HashSet<TreePath>) -> bool {
        match &self.what {
            Includes::Everything | Includes::Glob { start: None, .. } => false,
            Includes::One(path)
            | Includes::Glob {
                start: Some(path), ..
            } => {
                let mut above = std::iter::successors(path.parent(), TreePath::parent);
                ignored.contains(path) || above.any(|folder| ignored.contains(&folder))
            }
        }
    }

    /// Whether it may name something below the folder `path`.
    pub(super) fn leads_below(&self, path: &TreePath) -> bool {
        match &self.what {
            Includes::Everything => true,
            Includes::One(one) => one.is_within(path),
            Includes::Glob { start, depth, .. } => {
                depth.is_none_or(|depth| path.components().count() < depth)
                    && start
                        .as_ref()
                        .is_none_or(|start| start.is_within(path) || path.is_within(start))
            }
        }
    }
}

fn parse_include(root: &Path, text: &str) -> Result<Includes, String> {
    if text.starts_with('/') {
        return Err("is absolute; name files relative to the project".to_owned());
    }
    let pattern = relative(text)?;
    if pattern.is_empty() {
        return Ok(Includes::Everything);
    }
    let is_wild = |text: &str| text.contains(['*', '?', '[', '{', '\\']);
    if !is_wild(pattern) || root.join(pattern).symlink_metadata().is_ok() {
        let path = TreePath::try_from(pattern).map_err(|error| error.to_string())?;
        return Ok(Includes::One(path));
    }
    let fixed: Vec<&str> = pattern
        .split('/')
        .take_while(|part| !is_wild(part))
        .collect();
    Ok(Includes::Glob {
        matcher: glob(pattern)?.compile_matcher(),
        start: TreePath::try_from(fixed.join("/").as_str()).ok(),
        depth: (!pattern.contains("**")).then(|| pattern.split('/').count()),
    })
}

/// `text` without `./` in front and `/` behind; empty is the project itself.
fn relative(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut rest = text.trim_end_matches('/');
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter.trim_start_matches('/');
    }
    if rest.split('/').any(|part| part == "..") {
        return Err("leads out of the project".to_owned());
    }
    Ok(if rest == "." { "" } else { rest })
}

fn glob(pattern: &str) -> Result<globset::Glob, String> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("is not a glob: {}", error.kind()))
}

/// The patterns of `exclude`.
pub(super) struct Excludes {
    /// Against the name alone.
    names: GlobSet,
    /// Against the name of a folder alone.
    folder_names: GlobSet,
    /// Against the whole path.
    paths: GlobSet,
    /// Against the whole path of a folder.
    folder_paths: GlobSet,
}

impl Excludes {
    /// Reads the patterns; what is wrong with them goes to `problems`.
    pub(super) fn parse(texts: &[String], problems: &mut Vec<String>) -> Self {
        let mut sets = [const { Vec::new() }; 4];
        for text in texts {
            match parse_exclude(text) {
                Ok((set, glob)) => sets[set].push(glob),
                Err(why) => problems.push(format!("exclude `{}`: {why}", text.escape_debug())),
            }
        }
        let mut build = |globs: &[globset::Glob]| {
            let mut builder = GlobSetBuilder::new();
            for glob in globs {
                builder.add(glob.clone());
            }
            builder.build().unwrap_or_else(|error| {
                problems.push(format!("exclude: {error}"));
                GlobSet::empty()
            })
        };
        Self {
            names: build(&sets[0]),
            folder_names: build(&sets[1]),
            paths: build(&sets[2]),
            folder_paths: build(&sets[3]),
        }
    }

    /// Whether `path` is left out.
    pub(super) fn leave_out(&self, path: &TreePath, is_folder: bool) -> bool {
        let name = Path::new(OsStr::from_bytes(path.name()));
        let whole = path.as_path();
        self.names.is_match(name)
            || self.paths.is_match(whole)
            || (is_folder
                && (self.folder_names.is_match(name) || self.folder_paths.is_match(whole)))
    }
}

/// The number of the set (0 names, +1 folders only, +2 paths) and the glob.
fn parse_exclude(text: &str) -> Result<(usize, globset::Glob), String> {
    if text.starts_with('!') {
        return Err("starts with `!`; an excluded path cannot be included again".to_owned());
    }
    let anchored = text.trim_end_matches('/').contains('/');
    let pattern = relative(text.trim_start_matches('/'))?;
    if pattern.is_empty() {
        return Err("would leave out the whole project".to_owned());
    }
    let set = usize::from(text.ends_with('/')) + 2 * usize::from(anchored);
    Ok((set, glob(pattern)?))
}
