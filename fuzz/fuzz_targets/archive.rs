//! An archive that others made, into a new folder in memory.
//!
//! The first byte says what the rest is: a `.tar.gz`, a tar that is compressed here (a fuzzer would
//! hardly ever change a compressed entry into another), or a `.zip`; and how many components of
//! its names are dropped.

#![no_main]

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use ship::artifact::archive::{Limits, unpack};
use ship::artifact::remove_tree;
use ship::model::runtime::ArchiveFormat;

const LIMITS: Limits = Limits {
    bytes: 64 << 10,
    entries: 64,
};

/// What is beside the new folder, and stays as it is.
const BESIDE: &[u8] = b"somebody's";

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = ship_fuzz::scratch("archive");
    fs::create_dir(folder.join("beside")).expect("a folder");
    fs::write(folder.join("beside/file"), BESIDE).expect("a file");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let [mode, rest @ ..] = bytes else {
        return;
    };
    let (format, content) = match mode % 3 {
        0 => (ArchiveFormat::TarGz, rest.to_vec()),
        1 => (ArchiveFormat::TarGz, compressed(rest)),
        _ => (ArchiveFormat::Zip, rest.to_vec()),
    };
    let (archive, to) = (FOLDER.join("archive"), FOLDER.join("to"));
    fs::write(&archive, content).expect("a file in memory");
    let strip = u32::from(mode / 3 % 3);
    if unpack(&archive, format, strip, &to, LIMITS).is_ok() {
        complete(&to);
        remove_tree(&to).expect("memory forgets");
    }
    assert_eq!(names(&FOLDER), ["archive", "beside"]);
    assert_eq!(names(&FOLDER.join("beside")), ["file"]);
    let file = FOLDER.join("beside/file");
    assert_eq!(fs::read(&file).expect("a file"), BESIDE);
    assert_eq!(fs::metadata(&file).expect("a file").nlink(), 1);
});

fn compressed(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(tar).expect("memory takes everything");
    gzip.finish().expect("memory takes everything")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What was unpacked is within its limits, has the modes that it should have, and leads nowhere
/// else.
fn complete(root: &Path) {
    let (mut entries, mut bytes) = (0_u64, 0_u64);
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            entries += 1;
            let path = entry.path();
            let found = fs::symlink_metadata(&path).expect("it is there");
            let mode = found.mode() & 0o7777;
            if found.is_dir() {
                assert_eq!(mode, 0o755, "{path:?}");
                todo.push(path);
            } else if found.is_symlink() {
                let target = fs::read_link(&path).expect("a link");
                follow(root, &mut folder.clone(), &target, 0);
            } else {
                assert!(found.is_file(), "{path:?} is something else");
                assert!(matches!(mode, 0o755 | 0o644), "{path:?} has {mode:o}");
                // Of several names of a file each has its part.
                bytes += found.len() / found.nlink();
            }
        }
    }
    assert!(entries <= LIMITS.entries, "{entries} entries");
    assert!(bytes <= LIMITS.bytes, "{bytes} bytes");
}

/// Goes from `at` where a link with the text `target` leads, step by step, whether something is
/// there or not.
fn follow(root: &Path, at: &mut PathBuf, target: &Path, links: usize) {
    assert!(links <= 40, "{target:?} leads in a circle");
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                at.pop();
            }
            Component::Normal(name) => {
                at.push(name);
                if let Ok(further) = fs::read_link(&*at) {
                    at.pop();
                    follow(root, at, &further, links + 1);
                }
            }
            Component::RootDir | Component::Prefix(_) => panic!("{target:?} is absolute"),
        }
        assert!(at.starts_with(root), "{target:?} leads to {at:?}");
    }
}
