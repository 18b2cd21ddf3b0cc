//! What a host takes from what it has, and what it leaves behind.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::tree::{Place, as_nobody, deploy, index, make, path, read, send, tree, whole};
use crate::artifact::{
    Assembly, Known, Level, NoCache, full_verify, pack, remove_tree, scan, select, written_since,
};

fn mode(path: &std::path::Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

#[test]
fn a_release_is_read_only_and_shares_what_did_not_change() {
    let place = Place::new();
    make(
        &place.at("one"),
        &tree(&["a", "bin/run*", "lib/old", "l -> bin/run"]),
    );
    make(
        &place.at("two"),
        &tree(&["a", "bin/run*", "lib/new", "l -> a"]),
    );
    let mut known = Known::new();
    deploy(&place.at("one"), &place.at("v1"), &mut known);
    let plan = Assembly::plan(index(&place.at("two")), &known);
    assert_eq!(
        (
            plan.missing().len(),
            plan.missing_files(),
            plan.missing_bytes()
        ),
        (1, 1, 7)
    );
    deploy(&place.at("two"), &place.at("v2"), &mut known);

    let (v1, v2) = (place.at("v1"), place.at("v2"));
    let inode = |path: std::path::PathBuf| path.metadata().unwrap().ino();
    for same in ["a", "bin/run"] {
        assert_eq!(
            inode(v1.join(same)),
            inode(v2.join(same)),
            "{same} was not linked"
        );
    }
    assert_eq!(mode(&v2), 0o755);
    assert_eq!(mode(&v2.join("bin")), 0o555);
    assert_eq!(mode(&v2.join("bin/run")), 0o555);
    assert_eq!(mode(&v2.join("lib/new")), 0o444);
    remove_tree(&v1).unwrap();
    assert_eq!(read(&v2), read(&place.at("two")));
}

#[test]
fn the_executable_bit_is_never_shared_by_mistake() {
    let place = Place::new();
    make(&place.at("one"), &tree(&["run"]));
    make(&place.at("two"), &tree(&["run", "twin"]));
    for (name, bits) in [("run", 0o755), ("twin", 0o644)] {
        fs::write(place.at("two").join(name), "run").unwrap();
        let mode = fs::Permissions::from_mode(bits);
        fs::set_permissions(place.at("two").join(name), mode).unwrap();
    }
    let mut known = Known::new();
    deploy(&place.at("one"), &place.at("v1"), &mut known);
    assert!(
        Assembly::plan(index(&place.at("two")), &known)
            .missing()
            .is_empty()
    );
    deploy(&place.at("two"), &place.at("v2"), &mut known);
    assert_eq!(read(&place.at("v2")), read(&place.at("two")));
    // The same among contents that travel.
    deploy(&place.at("two"), &place.at("v3"), &mut Known::new());
    assert_eq!(read(&place.at("v3")), read(&place.at("two")));
    assert_eq!(read(&place.at("v1")), read(&place.at("one")));
}

#[test]
fn a_known_file_that_was_touched_is_not_trusted() {
    let place = Place::new();
    make(&place.at("one"), &tree(&["a"]));
    let v1 = place.at("v1");
    let index = deploy(&place.at("one"), &v1, &mut Known::new());
    let missing = |assembled| {
        let mut known = Known::new();
        known.add(v1.clone(), Arc::clone(&index), assembled);
        Assembly::plan(index.clone(), &known).missing().len()
    };
    let now = SystemTime::now();
    assert_eq!(missing(now), 0);
    assert_eq!(
        missing(now - Duration::from_secs(60)),
        1,
        "changed after it was assembled"
    );
    fs::set_permissions(v1.join("a"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(missing(now), 1, "another mode");
    fs::write(v1.join("a"), "longer").unwrap();
    fs::set_permissions(v1.join("a"), fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(missing(SystemTime::now()), 1, "another size");
    fs::remove_file(v1.join("a")).unwrap();
    assert_eq!(missing(SystemTime::now()), 1, "gone");
}

#[test]
fn a_known_file_that_vanishes_after_the_plan_is_asked_for() {
    let place = Place::new();
    make(&place.at("one"), &tree(&["a", "b"]));
    let mut known = Known::new();
    let index = deploy(&place.at("one"), &place.at("v1"), &mut known);
    let plan = Assembly::plan(index.clone(), &known);
    assert!(plan.missing().is_empty());
    fs::remove_file(place.at("v1").join("a")).unwrap();
    let staging = plan.begin(&place.at("v2")).unwrap();
    assert_eq!(staging.missing().len(), 1);
    let assembled = send(&place.at("one"), &index, staging, 1000)
        .finish()
        .unwrap();
    assert_eq!((assembled.linked, assembled.received), (1, 1));
    assert_eq!(read(&place.at("v2")), read(&place.at("one")));
}

#[test]
fn an_unfinished_tree_leaves_nothing_and_an_existing_folder_is_not_touched() {
    let place = Place::new();
    make(&place.at("one"), &tree(&["a", "d/b"]));
    let index = index(&place.at("one"));
    let plan = || Assembly::plan(index.clone(), &Known::new());
    drop(plan().begin(&place.at("v1")).unwrap());
    assert_eq!(place.names(), ["one"]);
    let error = plan().begin(&place.at("v1")).unwrap().finish().unwrap_err();
    let expected = format!(
        "cannot finish {}: 2 contents are missing, such as that of a",
        place.at("v1").display()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(place.names(), ["one"]);
    plan().begin(&place.at("one")).unwrap_err();
    assert_eq!(read(&place.at("one")), tree(&["a", "d/b"]));
}

#[test]
fn a_file_that_changes_after_the_scan_stops_the_stream() {
    let place = Place::new();
    let root = place.at("p");
    make(&root, &tree(&["a"]));
    let index = index(&root);
    let missing: Vec<_> = index
        .contents()
        .into_iter()
        .map(|(digest, _)| digest)
        .collect();
    let send = || {
        let (parcels, level) = (whole(&missing), Level::default());
        pack(&root, &index, &parcels, level, &mut Vec::new(), &mut |_| {})
    };
    for content in ["b", "", "longer"] {
        fs::write(root.join("a"), content).unwrap();
        let error = send().unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot send a: it changed after it was scanned; is something still building?"
        );
    }
    fs::remove_file(root.join("a")).unwrap();
    let error = send().unwrap_err();
    assert_eq!(error.path(), std::path::Path::new("a"));
}

#[test]
fn a_file_that_keeps_changing_cannot_be_scanned() {
    use crate::artifact::{DigestSource, FileStamp, TreePath};
    use crate::model::Digest;

    /// Grows the file between the two looks at it.
    struct Grow(std::path::PathBuf, std::sync::atomic::AtomicUsize, usize);
    impl DigestSource for Grow {
        fn known(&self, _: &TreePath, _: &FileStamp) -> Option<Digest> {
            if self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < self.2 {
                let mut content = fs::read(&self.0).unwrap();
                content.push(b'x');
                fs::write(&self.0, content).unwrap();
            }
            None
        }
        fn learned(&self, _: &TreePath, _: &FileStamp, _: Digest) {}
    }

    let place = Place::new();
    let root = place.at("p");
    make(&root, &tree(&["a"]));
    let selection = select(&root, &[".".to_owned()], &[]).unwrap();
    let grow = |times| Grow(root.join("a"), 0.into(), times);
    let error = scan(&root, &selection, &grow(2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read a: it changes while it is read; is something still building?"
    );
    assert!(
        scan(&root, &selection, &grow(1)).is_ok(),
        "the second try was not made"
    );
    fs::remove_file(root.join("a")).unwrap();
    scan(&root, &selection, &NoCache).unwrap_err();
}

#[test]
fn a_deep_look_finds_every_difference() {
    let place = Place::new();
    make(
        &place.at("one"),
        &tree(&[
            "content",
            "gone",
            "kind",
            "l -> kind",
            "mode",
            "size",
            "d/x",
            "same",
            "sub/f",
        ]),
    );
    let v1 = place.at("v1");
    let index = deploy(&place.at("one"), &v1, &mut Known::new());
    let write = |name: &str, content: &str| {
        let _ = fs::remove_file(v1.join(name));
        fs::write(v1.join(name), content).unwrap();
        fs::set_permissions(v1.join(name), fs::Permissions::from_mode(0o444)).unwrap();
    };
    write("content", "CONTENT");
    write("size", "s");
    write("surplus", "");
    fs::remove_file(v1.join("gone")).unwrap();
    for name in ["kind", "l"] {
        fs::remove_file(v1.join(name)).unwrap();
    }
    fs::create_dir(v1.join("kind")).unwrap();
    std::os::unix::fs::symlink("same", v1.join("l")).unwrap();
    fs::set_permissions(v1.join("mode"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(v1.join("d"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(v1.join(".ship/run")).unwrap();
    fs::create_dir_all(v1.join("public/uploads")).unwrap();
    remove_tree(&v1.join("sub")).unwrap();
    std::os::unix::fs::symlink("../shared/sub", v1.join("sub")).unwrap();
    let ignore = [path("public/uploads"), path("sub")];
    let found: Vec<_> = full_verify(&v1, &index, &ignore)
        .unwrap()
        .iter()
        .map(|d| format!("{} {}", d.path, d.what))
        .collect();
    assert_eq!(
        found,
        [
            "content has other content",
            "d has the mode 0755, expected 0555",
            "gone is missing",
            "kind is a folder, expected a file",
            "l is a link to something else",
            "mode has the mode 0644, expected 0444",
            "size has 1 bytes, expected 4",
            "surplus is not part of the release",
        ]
    );
    // A changed mode is a change, too; what is gone, or a link now, was not written.
    let written = written_since(
        &v1,
        &index,
        &ignore,
        SystemTime::now() + Duration::from_secs(60),
    )
    .unwrap();
    assert_eq!(written, ["kind", "mode", "size", "surplus"].map(path));
    let written = written_since(&v1, &index, &ignore, SystemTime::UNIX_EPOCH).unwrap();
    assert!(written.contains(&path("content")), "{written:?}");
}

#[test]
fn removing_a_tree_follows_no_link() {
    let place = Place::new();
    make(&place.at("keep"), &tree(&["a", "d/b"]));
    make(
        &place.at("gone"),
        &tree(&["f", "d/e/f", "l -> ../keep", "d/m -> ../../keep/a"]),
    );
    for folder in ["d/e", "d"] {
        let mode = fs::Permissions::from_mode(0o000);
        fs::set_permissions(place.at("gone").join(folder), mode).unwrap();
    }
    remove_tree(&place.at("gone")).unwrap();
    remove_tree(&place.at("gone")).unwrap();
    assert_eq!(place.names(), ["keep"]);
    assert_eq!(read(&place.at("keep")), tree(&["a", "d/b"]));
}

#[test]
fn a_release_needs_no_root() {
    let place = Place::new();
    let lines = ["a", "d/b*", "d/e/f", "empty/"];
    as_nobody(|| {
        make(&place.at("one"), &tree(&lines));
        let mut known = Known::new();
        for release in ["v1", "v2"] {
            deploy(&place.at("one"), &place.at(release), &mut known);
            assert_eq!(read(&place.at(release)), tree(&lines));
        }
        let locked = place.at("v1").join("d");
        assert!(
            fs::write(locked.join("new"), "").is_err(),
            "a release can be written"
        );
        fs::set_permissions(locked, fs::Permissions::from_mode(0o000)).unwrap();
        remove_tree(&place.at("v1")).unwrap();
    });
    assert_eq!(place.names(), ["one", "v2"]);
}

#[test]
fn what_cannot_be_removed_is_named_and_the_rest_is_gone() {
    let place = Place::new();
    make(&place.at("v1"), &tree(&["a", "d/b", "mine/x"]));
    let theirs = place.at("v1").join("d");
    fs::set_permissions(place.at("v1"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(place.at("v1/mine"), fs::Permissions::from_mode(0o777)).unwrap();
    let result = as_nobody(|| remove_tree(&place.at("v1")));
    if !rustix::process::geteuid().is_root() {
        // Only root can make a folder of somebody else; here all of it was ours.
        result.unwrap();
        return;
    }
    let error = result.unwrap_err();
    assert_eq!(error.path(), theirs.join("b"));
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::PermissionDenied));
    assert_eq!(read(&place.at("v1")), tree(&["d/b"]));
}
