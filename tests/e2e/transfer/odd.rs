//! Names and kinds of files that few expect.

use super::{is_the_project, is_tidy, staged};
use crate::shop::{Shop, serves};
use crate::support::{Host, Running, noise, require_hosts};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const NAMES: [&[u8]; 9] = [
    b"a b",
    b" ",
    b"new\nline",
    b"not-utf8-\xff\xfe",
    b"-rf",
    b"quo\"te' \\",
    b"$HOME `id`",
    b"*?[a]",
    b"\xe2\x9c\x93",
];

fn fill(odd: &Path) {
    for (name, number) in NAMES.into_iter().zip(1..) {
        let folder = odd.join(OsStr::from_bytes(name));
        fs::create_dir_all(folder.join("empty")).expect("a folder");
        fs::write(folder.join(OsStr::from_bytes(name)), name).expect("a file");
        // Large enough to come in parts the next time.
        fs::write(folder.join("large"), noise(number, 300_000)).expect("a file");
        symlink(OsStr::from_bytes(name), folder.join("link")).expect("a link");
    }
    symlink("../odd/a b/../ /link", odd.join("far")).expect("a link");
    symlink("nowhere", odd.join("dangling")).expect("a link");
    fs::write(odd.join("tool"), "#!/bin/sh\n").expect("a file");
    fs::set_permissions(odd.join("tool"), fs::Permissions::from_mode(0o750)).expect("chmod");
    fs::write(odd.join("twin"), "#!/bin/sh\n").expect("a file");
    fs::write(odd.join("nothing"), "").expect("a file");
}

#[test]
fn odd_names_arrive_as_they_are() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    let odd = shop.project().join("app/odd");
    fill(&odd);
    shop.deploy().ok();
    is_the_project(&host, &shop);
    is_tidy(&host);

    // The same again as a change of the spare: contents, kinds and modes change places.
    for name in NAMES {
        let folder = odd.join(OsStr::from_bytes(name));
        let large = folder.join("large");
        let mut content = fs::read(&large).expect("a file");
        content[150_000] ^= 1;
        fs::write(large, content).expect("a file");
        fs::remove_file(folder.join("link")).expect("a link");
        fs::create_dir(folder.join("link")).expect("a folder");
        fs::write(folder.join("link/file"), name).expect("a file");
        fs::remove_dir(folder.join("empty")).expect("a folder");
        symlink("large", folder.join("empty")).expect("a link");
    }
    fs::set_permissions(odd.join("tool"), fs::Permissions::from_mode(0o640)).expect("chmod");
    fs::set_permissions(odd.join("twin"), fs::Permissions::from_mode(0o755)).expect("chmod");
    let staged = staged(&shop);
    assert_eq!(staged.files_sent, NAMES.len() as u64);
    assert!(staged.sent < 200_000, "{staged:?}");
    is_the_project(&host, &shop);
    shop.ship(&["check", "production", "--deep"]).ok();
}

/// All that is below the app's folder, with times.
fn state(host: &Host) -> String {
    host.sh("find /srv/shop -printf '%p %i %s %T@ %C@\\n' | sort")
}

#[test]
fn what_cannot_be_released_is_refused_before_a_host_is_touched() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    is_tidy(&host);
    let before = state(&host);
    let at = shop.project().join("app/bad name");
    let make = |tool: &[&str]| {
        let (program, args) = tool.split_first().expect("a program");
        let run = Running::start(shop.command(program).args(args)).wait();
        run.ok();
    };
    let bind = "import socket; socket.socket(socket.AF_UNIX).bind('app/bad name')";
    let cases: [(&str, &[&str]); 5] = [
        ("a pipe", &["mkfifo", "app/bad name"]),
        ("a socket", &["python3", "-c", bind]),
        ("out of the", &["ln", "-s", "../../outside", "app/bad name"]),
        ("absolute", &["ln", "-s", "/etc/passwd", "app/bad name"]),
        ("out of the", &["ln", "-s", "../app/../..", "app/bad name"]),
    ];
    shop.version("v2");
    for (why, tool) in cases {
        make(tool);
        let run = shop.deploy();
        run.code(3).stderr_has("app/bad name").stderr_has(why);
        fs::remove_file(&at).expect("it was made");
        assert_eq!(state(&host), before, "{why}");
    }
    serves(&host, "v1", "v1");
    shop.deploy().ok();
    serves(&host, "v2", "v2");
}
