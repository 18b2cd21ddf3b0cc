//! `app.source`: the folder that the project is built and released from.

use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use super::Files;
use super::context::Context;
use super::node::Node;

/// The folder that `app.source` names; `dir`, the folder of the manifest, without it or when it is
/// wrong. Only a folder above `dir` can be named, so that the manifest always lies in what it
/// describes.
pub(super) fn source(ctx: &mut Context, app: &Node<'_>, dir: &Path, files: Files<'_>) -> PathBuf {
    let Some(spot) = app.text("source") else {
        return dir.to_owned();
    };
    let found = above(dir, spot.value).and_then(|source| match files {
        Files::In(_) => holds(&source, dir).map(|()| source),
        Files::Ignored => Ok(source),
    });
    found.unwrap_or_else(|why| {
        let message = format!("`source` cannot be `{}`", spot.value);
        ctx.error(spot.span, message, why)
            .help("expected the folder of the manifest or one above it, such as `..` or `../..`");
        dir.to_owned()
    })
}

/// The folder that `text` names from `dir`, by the names in its path.
fn above(dir: &Path, text: &str) -> Result<PathBuf, &'static str> {
    if text.is_empty() {
        return Err("the path is empty");
    }
    if text.starts_with('/') {
        return Err("this path is absolute");
    }
    let mut source = dir.to_owned();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if source.pop() => {}
            ".." => return Err("there is no folder so far up"),
            _ => return Err("this folder does not hold the manifest"),
        }
    }
    match source.parent() {
        Some(_) => Ok(source),
        None => Err("this is the whole file system"),
    }
}

/// Whether `dir` really lies in `source`: no link on the way leads elsewhere.
fn holds(source: &Path, dir: &Path) -> Result<(), &'static str> {
    let (Ok(real_source), Ok(real_dir)) = (canonicalize(source), canonicalize(dir)) else {
        return Err("this folder cannot be read");
    };
    match (real_dir.strip_prefix(real_source), dir.strip_prefix(source)) {
        (Ok(real), Ok(named)) if real == named => Ok(()),
        _ => Err("the manifest's folder is reached through a link, and lies elsewhere"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_folder_above_the_manifest_is_a_source() {
        let dir = Path::new("/code/shop/apps/api");
        for (text, source) in [
            (".", "/code/shop/apps/api"),
            ("..", "/code/shop/apps"),
            ("../..", "/code/shop"),
            ("./.././../", "/code/shop"),
        ] {
            assert_eq!(above(dir, text).as_deref(), Ok(Path::new(source)), "{text}");
        }
        for text in [
            "",
            "/code",
            "src",
            "../web",
            "../../../..",
            "../../../../..",
            "~",
        ] {
            assert!(above(dir, text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_link_leads_to_another_source() {
        let place = tempfile::tempdir().unwrap();
        let at = |path: &str| place.path().join(path);
        create_dir_all(at("shop/apps/api")).unwrap();
        create_dir_all(at("other")).unwrap();
        symlink(at("shop/apps/api"), at("other/api")).unwrap();
        symlink(at("shop"), at("alias")).unwrap();
        assert_eq!(holds(&at("shop"), &at("shop/apps/api")), Ok(()));
        assert_eq!(holds(&at("alias"), &at("alias/apps/api")), Ok(()));
        assert!(holds(&at("other"), &at("other/api")).is_err());
    }
}
