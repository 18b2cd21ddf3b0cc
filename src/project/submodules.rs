//! Submodules of git that nobody checked out: a clone leaves them as empty folders
//! (gitsubmodules(7)).

use std::fs;
use std::path::Path;

/// What fetches them.
pub const FETCH: &str = "git submodule update --init --recursive";

/// The submodules below `dir` whose folders are empty or missing, by their paths from there.
#[must_use]
pub fn missing(dir: &Path) -> Vec<String> {
    // The list lies at the top of the repository.
    let top = dir.ancestors().find(|at| at.join(".git").exists());
    let Some((top, list)) =
        top.and_then(|top| Some((top, fs::read_to_string(top.join(".gitmodules")).ok()?)))
    else {
        return Vec::new();
    };
    let paths = list.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "path").then(|| top.join(value.trim().trim_matches('"')))
    });
    let is_empty = |path: &Path| fs::read_dir(path).map_or(true, |mut all| all.next().is_none());
    let below = paths.filter_map(|path| {
        let below = path.strip_prefix(dir).ok()?.to_str()?.to_owned();
        is_empty(&path).then_some(below)
    });
    below.collect()
}

/// Says that `names` are missing; `None` where there are none.
#[must_use]
pub fn sentence(names: &[String]) -> Option<String> {
    let verb = match names {
        [] => return None,
        [_] => "is a git submodule that is",
        _ => "are git submodules that are",
    };
    Some(format!("{} {verb} not checked out here", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submodules_that_are_empty_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        for dir in [".git", "site/themes/empty", "site/themes/here", "other"] {
            fs::create_dir_all(folder.path().join(dir)).unwrap();
        }
        fs::write(site.join("themes/here/theme.toml"), "").unwrap();
        assert_eq!(missing(&site), [""; 0]);
        let list = "[submodule \"a\"]\n\tpath = site/themes/empty\n\turl = x\n\
                    [submodule \"b\"]\n\tpath = site/themes/here\n\
                    [submodule \"c\"]\n\tpath = site/themes/gone\n\
                    [submodule \"d\"]\n\tpath = other\n";
        fs::write(folder.path().join(".gitmodules"), list).unwrap();
        let found = missing(&site);
        assert_eq!(found, ["themes/empty", "themes/gone"]);
        assert_eq!(
            sentence(&found[..1]).as_deref(),
            Some("themes/empty is a git submodule that is not checked out here")
        );
        assert_eq!(sentence(&[]), None);
    }
}
