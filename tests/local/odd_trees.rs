//! Trees with odd things in them. What can be released arrives byte for byte.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::shop::Shop;

#[test]
fn names_with_blanks_line_ends_and_no_utf8() {
    let shop = Shop::new();
    let odd: [&[u8]; 9] = [
        b"a b",
        b" lead",
        b"new\nline",
        b"tab\there",
        b"not-utf8-\xff\xfe",
        b"-rf",
        b"quo\"te'",
        b"$HOME `id`",
        b"\xe2\x9c\x93",
    ];
    let folder = shop.controller.project().join("odd");
    for name in odd {
        let inner = folder.join(OsStr::from_bytes(name));
        fs::create_dir_all(&inner).expect("a folder");
        fs::write(inner.join(OsStr::from_bytes(name)), name).expect("a file");
    }
    shop.deploy(&[]).ok();
    shop.serves("one", "v1");
    let live = shop.root().join("current/odd");
    for name in odd {
        let name = OsStr::from_bytes(name);
        assert_eq!(
            fs::read(live.join(name).join(name)).expect("the file"),
            name.as_bytes()
        );
    }
}

#[test]
fn links_modes_empty_files_and_folders() {
    let shop = Shop::new();
    let project = shop.controller.project();
    fs::create_dir_all(project.join("deep/empty")).expect("a folder");
    fs::write(project.join("deep/nothing"), "").expect("a file");
    fs::write(project.join("deep/tool"), "#!/bin/sh\n").expect("a file");
    fs::set_permissions(project.join("deep/tool"), fs::Permissions::from_mode(0o700))
        .expect("chmod");
    symlink("deep/tool", project.join("inside")).expect("a link");
    symlink("../deep/nothing", project.join("deep/up")).expect("a link");
    symlink("nowhere", project.join("dangling")).expect("a link");
    // A loop, which no walk may follow.
    symlink(".", project.join("deep/self")).expect("a link");
    shop.deploy(&[]).ok();
    let live = shop.root().join("current");
    assert_eq!(fs::read(live.join("deep/nothing")).expect("a file"), b"");
    let mode = fs::metadata(live.join("inside"))
        .expect("the tool")
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111, "{mode:o}");
    for (link, target) in [("deep/self", "."), ("dangling", "nowhere")] {
        assert_eq!(
            fs::read_link(live.join(link)).expect("a link").as_os_str(),
            target
        );
    }
}

/// Nothing can be at the end of it.
#[test]
fn a_link_to_itself() {
    let shop = Shop::deployed();
    shop.version("two");
    symlink("round", shop.controller.project().join("round")).expect("a link");
    shop.deploy(&[])
        .code(3)
        .stderr_has("round leads in a circle");
    shop.serves("one", "v1");
}

/// Opening a fifo to read it would wait for ever.
#[test]
fn a_fifo() {
    let shop = Shop::deployed();
    shop.version("two");
    let fifo = shop.controller.project().join("pipe");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    let run = shop.deploy(&[]);
    run.code(3).stderr_has("pipe");
    shop.serves("one", "v1");
}

#[test]
fn a_link_to_what_only_another_process_has() {
    let shop = Shop::deployed();
    shop.version("two");
    symlink("/proc/self/nothing", shop.controller.project().join("gone")).expect("a link");
    shop.deploy(&[]).code(3).stderr_has("gone");
    shop.serves("one", "v1");
}

/// Written all the time while it is read: either the deploy says so, or what arrived is one whole
/// state of it; never a mixture.
#[test]
fn a_file_that_changes_while_it_is_read() {
    let shop = Shop::deployed();
    shop.version("two");
    let file = shop.controller.project().join("busy");
    fs::write(&file, vec![b'0'; 8 << 20]).expect("a file");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::io::Write;
            for digit in (b'0'..=b'9').cycle() {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                // In place, as an editor or a log does; the length stays.
                let mut open = fs::OpenOptions::new()
                    .write(true)
                    .open(&file)
                    .expect("the file");
                open.write_all(&vec![digit; 8 << 20]).expect("a disk");
            }
        });
        let run = shop.deploy(&[]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        match run.status.code() {
            Some(0) => shop.serves("two", "v2"),
            Some(3 | 5) => {
                run.stderr_has("busy");
                shop.serves("one", "v1");
                assert_eq!(shop.releases().len(), 1, "{:?}", shop.releases());
            }
            _ => panic!("neither deployed nor refused\n{run}"),
        }
    });
    // Quiet again, it goes.
    shop.deploy(&["--force"]).ok();
    assert_eq!(shop.ask("/").as_deref(), Some("two"));
    let live = fs::read(shop.root().join("current/busy")).expect("the file");
    assert_eq!(live, fs::read(&file).expect("the file"));
}
