//! An older build of `ship`, made from the commit that `tests/before` names.

use super::command::{finish, output};
use super::skip::skip;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The older `ship`, built by the first test that needs it (two minutes on two cores) and kept
/// below the target folder for all later runs. Without that commit in the repository, as in a
/// shallow clone, the test is skipped (see [`skip`]).
///
/// # Panics
/// When it cannot be built.
pub fn ship_before() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let commit = commit();
        has(&commit).then(|| build(&commit))
    });
    if program.is_none() {
        skip("the older commit is not in this repository");
    }
    program.as_deref()
}

fn commit() -> String {
    let text = include_str!("../before");
    let line = text.lines().find(|line| !line.starts_with('#'));
    line.expect("a commit in tests/before").trim().to_owned()
}

fn git(args: &[&str]) -> Command {
    let mut git = Command::new("git");
    // CI may run as another user than the one that owns the clone.
    git.args(["-c", "safe.directory=*", "-C", env!("CARGO_MANIFEST_DIR")])
        .args(args);
    git
}

fn has(commit: &str) -> bool {
    let object = format!("{commit}^{{commit}}");
    output(&mut git(&["cat-file", "-e", &object]))
        .status
        .success()
}

fn build(commit: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("before-{commit}"));
    let program = folder.join("target/debug/ship");
    fs::create_dir_all(&folder).expect("create the folder of the older build");
    let lock = File::create(folder.join("lock")).expect("create the lock file");
    lock.lock().expect("lock the older build");
    if program.is_file() {
        return program;
    }
    let source = folder.join("source");
    fs::create_dir_all(&source).expect("create the source folder");
    let tar = folder.join("source.tar");
    finish(
        git(&["archive", "--format=tar", "--output"])
            .arg(&tar)
            .arg(commit),
    );
    finish(
        Command::new("tar")
            .arg("-xf")
            .arg(&tar)
            .arg("-C")
            .arg(&source),
    );
    finish(
        Command::new(env!("CARGO"))
            .current_dir(&source)
            .args(["build", "--locked", "--bin", "ship"])
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env_remove("RUSTFLAGS"),
    );
    program
}
