//! Runtimes that the host brings (`source = "host"`).

use crate::shop::{Shop, WEB, answer, current, serves};
use crate::support::{Host, require_hosts};
use std::process::Command;

/// What this machine has of perl, which every Debian has.
fn perl_here() -> String {
    let said = Command::new("perl")
        .args(["-e", "printf '%vd', $^V"])
        .output();
    String::from_utf8_lossy(&said.expect("perl").stdout).into_owned()
}

fn shop(host: &Host, runtimes: &str) -> Shop {
    let mut shop = Shop::on([host]);
    shop.tables = format!("[runtimes]\n{runtimes}\n{WEB}");
    shop.write_manifest();
    shop
}

#[test]
fn a_runtime_of_the_host_must_be_the_one_of_this_machine() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let here = perl_here();
    let shop = shop(
        &host,
        &format!(
            "perl = {{ version = \"{}\", source = \"host\" }}",
            &here[..4]
        ),
    );
    // Nothing is pinned: there is nothing to pin.
    let there = host.sh("perl -e 'printf \"%vd\", $^V'");
    // Another one comes first on the host.
    let other = "#!/bin/sh\necho 5.99.1\n";
    host.write("/usr/local/bin/perl", other);
    host.sh("chmod 755 /usr/local/bin/perl");
    let differs = format!(
        "perl is 5.99.1 on this host (/usr/local/bin/perl) and {here} on the machine that deploys"
    );
    shop.ship(&["check", "production"])
        .code(5)
        .stdout_has(&differs);
    shop.deploy().code(5).stderr_has(&differs);
    assert_eq!(current(&host), "");

    host.sh("rm /usr/local/bin/perl");
    let run = shop.deploy();
    if here == there {
        run.ok();
        serves(&host, "v1", "v1");
        shop.ship(&["status"])
            .ok()
            .stdout_has(&format!("perl {here}"));
        shop.ship(&["check", "production"])
            .ok()
            .stdout_has(&format!(
                "{here} is installed, as on the machine that deploys"
            ));
        assert_eq!(host.sh("ls -A /srv/shop/runtimes"), "");
    } else {
        run.code(5).stderr_has(&here).stderr_has(&there);
    }
}

#[test]
fn a_runtime_that_is_missing_on_either_end_is_told() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = shop(&host, "zork = { version = \"3\", source = \"host\" }");
    shop.deploy().code(3).stderr_has("zork 3 is required");
    // Here now, and not there.
    let folder = shop.home().join("bin");
    std::fs::create_dir(&folder).expect("a folder");
    let zork = folder.join("zork");
    std::fs::write(&zork, "#!/bin/sh\necho zork 3.2.1\n").expect("a program");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&zork, mode).expect("chmod");
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").expect("PATH")
    );
    shop.set_env("PATH", &path);
    shop.deploy()
        .code(5)
        .stderr_has("zork 3.2.1 is not on this host: there is no zork in /usr/local/sbin:");
    assert_eq!(current(&host), "");
    assert_eq!(answer(&host, "/"), "connection refused");
}
