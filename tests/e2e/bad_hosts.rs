//! Hosts that are not as they should be: one clear error, and what served before serves on.

use crate::shop::{Shop, WEB, current, releases, serves};
use crate::support::{Disk, Host, HostOptions, Run, eventually, noise, require_hosts};

/// Refused, for this reason, and nothing is different.
#[track_caller]
fn refused(host: &Host, run: &Run, why: &str) {
    run.code(5).stderr_has(why);
    let errors = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error"))
        .count();
    assert_eq!(errors, 1, "one clear error\n{run}");
    serves(host, "v1", "v1");
    assert_eq!(releases(host), ["v1"]);
}

#[test]
fn a_full_disk() {
    let Some(()) = require_hosts() else { return };
    // The agent is on it: 20 MB.
    let disk = Some(Disk::at("/srv", 80));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    serves(&host, "v1", "v1");

    shop.write("app/big", noise(0, 6 << 20));
    host.fill_disk("/srv", 2048);
    refused(&host, &shop.deploy_version("v2"), "space");
    host.fill_disk("/srv", 0);
    refused(&host, &shop.deploy(), "space");

    host.free_disk("/srv");
    shop.deploy().ok();
    serves(&host, "v2", "v2");
}

/// Mounts `/srv` with an option, once nothing of the command before writes there any more.
fn remount(host: &Host, option: &str) {
    eventually("the file system to be idle", || {
        host.sh(&format!(
            "mount -o remount,bind,{option} /srv && echo done || true"
        )) == "done"
    });
}

#[test]
fn a_file_system_that_is_read_only_or_starts_no_program() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 80));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    shop.version("v2");
    for (option, undo, why) in [
        ("ro", "rw", "on a file system that is mounted read-only"),
        (
            "noexec",
            "exec",
            "on a file system that is mounted noexec: no program starts from it",
        ),
    ] {
        remount(&host, option);
        refused(&host, &shop.deploy(), why);
        let check = shop.ship(&["check", "production"]);
        assert!(!check.status.success(), "{check}");
        let said = format!("{}{}", check.stdout, check.stderr);
        assert!(said.contains(why), "{check}");
        let setup = shop.ship(&["setup", "production", "--as", "root"]);
        setup.code(5).stderr_has(why);
        remount(&host, undo);
    }
    shop.deploy().ok();
    serves(&host, "v2", "v2");
}

#[test]
fn no_inodes() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 80).inodes(640));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();

    for number in 0..300 {
        shop.write(&format!("app/many/{number}"), number.to_string());
    }
    host.sh("mkdir /srv/hoard; i=0; while [ $(df --output=iavail /srv | tail -1) -gt 100 ]; do touch /srv/hoard/$i; i=$((i+1)); done");
    refused(&host, &shop.deploy_version("v2"), "inode");
    host.sh("rm -r /srv/hoard");
    shop.deploy().ok();
    serves(&host, "v2", "v2");
}

#[test]
fn a_current_that_is_a_folder() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    host.sh("mkdir /srv/shop/current && echo precious > /srv/shop/current/file");
    shop.deploy()
        .code(5)
        .stderr_has("/srv/shop/current")
        .stderr_has("folder");
    assert_eq!(host.read("/srv/shop/current/file"), "precious\n");
    assert_eq!(releases(&host), [""; 0]);
    host.sh("rm -r /srv/shop/current");
    shop.deploy().ok();
    assert_eq!(current(&host), "releases/v1");
}

#[test]
fn a_folder_of_another_environment_no_sudo_and_no_login() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.deploy().ok();

    let manifest = std::fs::read_to_string(shop.project().join("ship.toml")).expect("a manifest");
    shop.write("ship.toml", manifest.replace("production", "staging"));
    shop.version("v2");
    refused(&host, &shop.ship(&["deploy", "staging"]), "belongs to");
    shop.write_manifest();

    // A program that is not there is missed before the switch; one that only the app starts, in
    // its own log.
    shop.tables = WEB.replace("python3", "deno");
    shop.write_manifest();
    refused(
        &host,
        &shop.deploy(),
        "starts `deno`, which is not on this host",
    );
    shop.tables = WEB.replace("python3", "sh -c 'exec deno' #");
    shop.write_manifest();
    shop.deploy().code(7).stderr_has("deno: not found");
    serves(&host, "v1", "v1");
    shop.tables = WEB.to_owned();
    shop.write_manifest();

    host.set_shell("deploy", "/usr/sbin/nologin");
    shop.deploy().code(6);
    host.set_shell("deploy", "/bin/bash");
    serves(&host, "v1", "v1");

    // Rights that setup gave and somebody took: found out before the switch, whose way back would
    // need them too.
    host.sh("mkdir /root/taken && mv /etc/sudoers.d/* /root/taken/");
    shop.deploy()
        .code(5)
        .stderr_has("deploy may not run: sudo /usr/bin/systemctl")
        .stderr_has("ship setup production");
    serves(&host, "v1", "v1");
    host.sh("mv /root/taken/* /etc/sudoers.d/");
    shop.deploy().ok();
    assert_eq!(crate::shop::answer(&host, "/"), "v2");
}

/// A first contact sends the agent compressed with what every host has.
#[test]
fn no_gzip() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    host.sh("rm -f $(command -v gzip) $(command -v gunzip) /bin/gzip /bin/gunzip");
    let shop = Shop::planned_on([&host]);
    let run = shop.ship(&["setup", "production", "--as", "root"]);
    run.code(6).stderr_has("gzip");
    assert!(!host.exists("/srv/shop/releases"));
}
