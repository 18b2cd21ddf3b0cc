//! Archives as publishers make them, and as nobody should.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};
use zip::write::SimpleFileOptions;

use super::{Limits, unpack};
use crate::model::runtime::ArchiveFormat;

/// An entry of a made-up archive.
#[derive(Debug, Clone)]
struct Made {
    name: Vec<u8>,
    kind: EntryType,
    mode: u32,
    /// The text of a link, else the content.
    text: Vec<u8>,
}

fn made(kind: EntryType, name: &str, mode: u32, text: &str) -> Made {
    Made {
        name: name.into(),
        kind,
        mode,
        text: text.into(),
    }
}

fn file(name: &str, text: &str) -> Made {
    made(EntryType::Regular, name, 0o644, text)
}

fn folder(name: &str) -> Made {
    made(EntryType::Directory, name, 0o755, "")
}

fn link(name: &str, target: &str) -> Made {
    made(EntryType::Symlink, name, 0o777, target)
}

fn hard_link(name: &str, target: &str) -> Made {
    made(EntryType::Link, name, 0o644, target)
}

/// Writes names as they are, which the crate's own writer refuses to.
fn tar_gz(entries: &[Made]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for entry in entries {
        let is_link = matches!(entry.kind, EntryType::Symlink | EntryType::Link);
        let content: &[u8] = if is_link { b"" } else { &entry.text };
        let mut header = Header::new_gnu();
        let put = |field: &mut [u8], bytes: &[u8]| {
            let length = bytes.len().min(field.len());
            field[..length].copy_from_slice(&bytes[..length]);
        };
        let old = header.as_old_mut();
        put(&mut old.name, &entry.name);
        if is_link {
            put(&mut old.linkname, &entry.text);
        }
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn zipped(entries: &[Made]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let name = String::from_utf8(entry.name.clone()).unwrap();
        let options = SimpleFileOptions::default().unix_permissions(entry.mode);
        match entry.kind {
            EntryType::Directory => writer.add_directory(name, options).unwrap(),
            EntryType::Symlink => {
                let target = String::from_utf8(entry.text.clone()).unwrap();
                writer.add_symlink(name, target, options).unwrap();
            }
            _ => {
                writer.start_file(name, options).unwrap();
                writer.write_all(&entry.text).unwrap();
            }
        }
    }
    writer.finish().unwrap().into_inner()
}

struct Unpacked {
    folder: tempfile::TempDir,
    result: Result<(), String>,
}

impl Unpacked {
    fn of(bytes: &[u8], format: ArchiveFormat, strip: u32, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive");
        fs::write(&archive, bytes).unwrap();
        let to = folder.path().join("to");
        let result = unpack(&archive, format, strip, &to, limits);
        assert_eq!(to.exists(), result.is_ok(), "all or nothing");
        let result = result.map_err(|error| {
            let text = error.to_string();
            text.replace(&archive.display().to_string(), "archive")
        });
        Self { folder, result }
    }

    /// Every path with what is there: `755 /`, `644 text`, `-> target`.
    fn tree(&self) -> BTreeMap<String, String> {
        let root = self.folder.path().join("to");
        let mut found = BTreeMap::new();
        let mut todo = vec![root.clone()];
        while let Some(folder) = todo.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let about = fs::symlink_metadata(&path).unwrap();
                let mode = about.permissions().mode() & 0o7777;
                let what = if about.is_dir() {
                    todo.push(path.clone());
                    format!("{mode:o} /")
                } else if about.is_symlink() {
                    format!("-> {}", fs::read_link(&path).unwrap().display())
                } else {
                    format!("{mode:o} {}", fs::read_to_string(&path).unwrap())
                };
                let name = path.strip_prefix(&root).unwrap();
                found.insert(name.to_str().unwrap().to_owned(), what);
            }
        }
        found
    }
}

fn tarred(entries: &[Made], strip: u32) -> Unpacked {
    Unpacked::of(
        &tar_gz(entries),
        ArchiveFormat::TarGz,
        strip,
        Limits::default(),
    )
}

fn tree(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, what): &(&str, &str)| ((*name).to_owned(), (*what).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn a_runtime_as_its_publisher_packs_it() {
    let unpacked = tarred(
        &[
            folder("node-v20/"),
            made(EntryType::Regular, "node-v20/bin/node", 0o4775, "elf"),
            link("node-v20/bin/npm", "../lib/npm.js"),
            made(EntryType::Regular, "./node-v20/lib/npm.js", 0o600, "js"),
            hard_link("node-v20/bin/nodejs", "node-v20/bin/node"),
            hard_link("node-v20/lib/npm", "node-v20/bin/npm"),
            file("LICENSE", "outside of what is kept"),
            made(EntryType::XGlobalHeader, "pax_global_header", 0o644, ""),
        ],
        1,
    );
    assert_eq!(unpacked.result, Ok(()));
    let expected = tree(&[
        ("bin", "755 /"),
        ("bin/node", "755 elf"),
        ("bin/nodejs", "755 elf"),
        ("bin/npm", "-> ../lib/npm.js"),
        ("lib", "755 /"),
        ("lib/npm", "-> ../lib/npm.js"),
        ("lib/npm.js", "644 js"),
    ]);
    assert_eq!(unpacked.tree(), expected);
}

#[test]
fn a_zip_as_its_publisher_packs_it() {
    let bytes = zipped(&[
        folder("bun-linux-x64/"),
        made(EntryType::Regular, "bun-linux-x64/bun", 0o755, "elf"),
        link("bun-linux-x64/bunx", "bun"),
    ]);
    let unpacked = Unpacked::of(&bytes, ArchiveFormat::Zip, 1, Limits::default());
    assert_eq!(unpacked.result, Ok(()));
    let expected = tree(&[("bun", "755 elf"), ("bunx", "-> bun")]);
    assert_eq!(unpacked.tree(), expected);
}

#[test]
fn what_nobody_should_pack() {
    let device = |kind| made(kind, "dev", 0o644, "");
    let cases: Vec<(Vec<Made>, &str)> = vec![
        (
            vec![file("/etc/passwd", "")],
            "cannot unpack /etc/passwd: is absolute",
        ),
        (
            vec![file("a/../../b", "")],
            "cannot unpack a/../../b: has a `..` component",
        ),
        (vec![folder("..")], "cannot unpack ..: has a `..` component"),
        (
            vec![file(".ship/env", "")],
            "cannot unpack .ship/env: begins with `.ship`, which is reserved",
        ),
        (
            vec![link("l", "/etc")],
            "cannot unpack l: leads to the absolute path `/etc`, which is a place of one machine",
        ),
        (
            vec![link("a/l", "../../x")],
            "cannot unpack a/l: leads out of the tree (its target is `../../x`)",
        ),
        (
            vec![link("l", "l")],
            "cannot unpack l: leads in a circle (its target is `l`)",
        ),
        // A link through a link.
        (
            vec![folder("d"), link("d/up", ".."), link("l", "d/up/../x")],
            "cannot unpack l: leads out of the tree (its target is `d/up/../x`)",
        ),
        // Writing through a link, in both orders.
        (
            vec![link("l", "d"), file("l/x", "")],
            "cannot unpack l/x: `l` is a link and a folder",
        ),
        (
            vec![file("l/x", ""), link("l", "d")],
            "cannot unpack l: is there twice",
        ),
        (
            vec![file("a", ""), link("a", "b")],
            "cannot unpack a: is there twice",
        ),
        (
            vec![file("a", ""), file("a", "")],
            "cannot unpack a: is there twice",
        ),
        (
            vec![file("a", ""), file("a/b", "")],
            "cannot unpack a/b: `a` is a file and a folder",
        ),
        (
            vec![link("a", "b"), link("a", "c")],
            "cannot unpack a: is there twice",
        ),
        (
            vec![hard_link("a", "/etc/passwd")],
            "cannot unpack a: is a hard link to a name that is absolute",
        ),
        (
            vec![hard_link("a", "../x")],
            "cannot unpack a: is a hard link to a name that has a `..` component",
        ),
        (
            vec![hard_link("a", "b"), file("b", "")],
            "cannot unpack a: is a hard link to what is not in the archive before it",
        ),
        (
            vec![folder("d"), hard_link("a", "d")],
            "cannot unpack a: is a hard link to what is not in the archive before it",
        ),
        (
            vec![device(EntryType::Char)],
            "cannot unpack dev: is a character device",
        ),
        (
            vec![device(EntryType::Block)],
            "cannot unpack dev: is a block device",
        ),
        (
            vec![device(EntryType::Fifo)],
            "cannot unpack dev: is a fifo",
        ),
        (
            vec![device(EntryType::new(b'M'))],
            "cannot unpack dev: is of a kind that is not known ('M')",
        ),
        (
            vec![file("a\nb", ""), file("a\nb", "")],
            "cannot unpack a\\nb: is there twice",
        ),
        (vec![], "cannot unpack archive: there is nothing in it"),
    ];
    for (entries, expected) in cases {
        assert_eq!(
            tarred(&entries, 0).result,
            Err(expected.to_owned()),
            "{entries:?}"
        );
    }
}

#[test]
fn a_zip_that_nobody_should_pack() {
    let cases: Vec<(Vec<Made>, &str)> = vec![
        (
            vec![file("../b", "")],
            "cannot unpack ../b: has a `..` component",
        ),
        (
            vec![link("l", "../x")],
            "cannot unpack l: leads out of the tree (its target is `../x`)",
        ),
        (
            vec![link("l", "d"), file("l/x", "")],
            "cannot unpack l/x: `l` is a link and a folder",
        ),
        (vec![], "cannot unpack archive: there is nothing in it"),
    ];
    for (entries, expected) in cases {
        let unpacked = Unpacked::of(&zipped(&entries), ArchiveFormat::Zip, 0, Limits::default());
        assert_eq!(unpacked.result, Err(expected.to_owned()), "{entries:?}");
    }
}

#[test]
fn more_than_is_accepted() {
    let few = Limits {
        bytes: 10,
        entries: 2,
    };
    let of = |entries: &[Made]| Unpacked::of(&tar_gz(entries), ArchiveFormat::TarGz, 0, few);
    assert_eq!(of(&[file("a", "12345"), file("b", "12345")]).result, Ok(()));
    assert_eq!(
        of(&[file("a", "12345"), file("b", "123456")]).result,
        Err("cannot unpack b: the archive unpacks to more than is accepted".to_owned())
    );
    assert_eq!(
        of(&[file("a", ""), file("b", ""), folder("c")]).result,
        Err("cannot unpack c: the archive has more entries than are accepted".to_owned())
    );
    assert_eq!(of(&[folder("a"), file("a/b", "")]).result, Ok(()));
    assert_eq!(
        of(&[file("a/b/c/d", "")]).result,
        Err("cannot unpack a/b/c/d: the archive has more entries than are accepted".to_owned())
    );
    let zip = zipped(&[file("a", &"1".repeat(100_000))]);
    assert_eq!(
        Unpacked::of(&zip, ArchiveFormat::Zip, 0, few).result,
        Err("cannot unpack a: the archive unpacks to more than is accepted".to_owned())
    );
}

/// A name of 64 MB, which a reader would take into memory.
#[test]
fn a_name_without_end() {
    let mut name = made(EntryType::GNULongName, "././@LongLink", 0o644, "");
    name.text = vec![b'a'; 64 << 20];
    let error = tarred(&[name, file("a", "")], 0).result.unwrap_err();
    assert!(
        error.contains("the headers of an entry are too long"),
        "{error}"
    );
}

/// Targets stay in memory until all files are there.
#[test]
fn a_link_that_leads_very_far() {
    let mut target = made(EntryType::GNULongLink, "././@LongLink", 0o644, "");
    target.text = b"a/".repeat(4096);
    assert_eq!(
        tarred(&[target, link("l", "a")], 0).result,
        Err("cannot unpack l: has a target that no link can have".to_owned())
    );
}

#[test]
fn what_stops_half_way() {
    let noise: String = (0..50_000_u32)
        .map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26))
        .collect();
    let entries = [file("a", &noise), file("b", &noise)];
    let (tar, zip) = (tar_gz(&entries), zipped(&entries));
    for (bytes, format) in [(tar, ArchiveFormat::TarGz), (zip, ArchiveFormat::Zip)] {
        for part in [0, 1, 10, bytes.len() / 2, bytes.len() - 30] {
            let unpacked = Unpacked::of(&bytes[..part], format, 0, Limits::default());
            assert!(unpacked.result.is_err(), "{part} of {} bytes", bytes.len());
        }
    }
}

/// Everything below `root`, links not followed.
fn holds_only(root: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
}

fn entry() -> impl Strategy<Value = Made> {
    let part = prop_oneof![
        4 => "[ab]",
        1 => Just("..".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just(String::new()),
    ];
    let name = proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let kind = prop_oneof![
        Just(EntryType::Regular),
        Just(EntryType::Directory),
        Just(EntryType::Symlink),
        Just(EntryType::Link),
    ];
    (kind, name.clone(), name).prop_map(|(kind, name, text)| made(kind, &name, 0o755, &text))
}

proptest! {
    /// Whatever the entries are: nothing is outside, and no link leads out.
    #[test]
    fn nothing_gets_out(entries in proptest::collection::vec(entry(), 1..8), strip in 0_u32..2) {
        let unpacked = tarred(&entries, strip);
        let outside = unpacked.folder.path();
        match unpacked.result {
            Ok(()) => {
                holds_only(outside, &["archive", "to"]);
                let root = outside.join("to").canonicalize().unwrap();
                for name in unpacked.tree().keys() {
                    if let Ok(end) = root.join(name).canonicalize() {
                        prop_assert!(end.starts_with(&root), "{name} leads to {end:?}");
                    }
                }
            }
            Err(_) => holds_only(outside, &["archive"]),
        }
    }

    /// Noise, and archives with noise in them, are refused or unpacked; never a panic.
    #[test]
    fn noise(at in 0_usize..400, with: u8, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let entries = [file("a/b", "text"), link("l", "a/b"), folder("c")];
        for (mut archive, format) in [
            (tar_gz(&entries), ArchiveFormat::TarGz),
            (zipped(&entries), ArchiveFormat::Zip),
        ] {
            let at = at % archive.len();
            archive[at] ^= with;
            let _ = Unpacked::of(&archive, format, 0, Limits::default());
            let _ = Unpacked::of(&bytes, format, 0, Limits::default());
        }
    }
}
