//! The spare: the next release is made from it, and nothing depends on it.

use super::{is_the_project, is_tidy, staged};
use crate::shop::{Shop, releases, serves};
use crate::support::{Host, noise, require_hosts};
use std::collections::BTreeMap;

/// The inodes of all below a folder of the host, by path.
fn inodes(host: &Host, folder: &str, kind: char) -> BTreeMap<String, String> {
    let listed = host.sh(&format!(
        "cd {folder} && find app -type {kind} -printf '%i %p\\n'"
    ));
    listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(inode, path)| (path.to_owned(), inode.to_owned()))
        .collect()
}

/// A release of the right names and modes, no more and no less.
#[track_caller]
fn is_exact(host: &Host, release: &str) {
    let folder = format!("/srv/shop/releases/{release}");
    assert_eq!(host.sh(&format!("ls -A {folder}")), ".ship\napp");
    let others = format!(
        "find {folder}/app ! -type l ! \\( -type d -perm 0555 \\) ! \\( -type f -perm 0444 \\)"
    );
    assert_eq!(host.sh(&others), "");
    let metadata = host.sh(&format!("stat -c '%U %a' {folder} {folder}/app"));
    assert_eq!(metadata, "deploy 555\ndeploy 555");
}

#[test]
fn the_next_release_is_made_of_the_spare() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    for number in 0..2000 {
        let content = noise(number, 500);
        shop.write(&format!("app/many/{}/{number}", number % 20), content);
    }
    shop.deploy().ok();
    is_exact(&host, "v1");
    is_tidy(&host);
    let spare = inodes(&host, "/srv/shop/.ship/spare/tree", 'd');

    shop.version("v2");
    shop.write("app/many/new/file", "new");
    std::fs::remove_dir_all(shop.project().join("app/many/0")).expect("a folder");
    let staged = staged(&shop);
    assert_eq!(staged.files_sent, 2);
    serves(&host, "v2", "v2");
    is_the_project(&host, &shop);
    is_exact(&host, "v1");
    is_exact(&host, "v2");
    is_tidy(&host);

    let [before, after] = ["v1", "v2"].map(|release| {
        let folder = format!("/srv/shop/releases/{release}");
        inodes(&host, &folder, 'f')
    });
    for (path, inode) in &after {
        let is_new = ["app/VERSION", "app/many/new/file"].contains(&&**path);
        assert_eq!(before.get(path) == Some(inode), !is_new, "{path}");
    }
    let folders = inodes(&host, "/srv/shop/releases/v2", 'd');
    let taken = folders
        .iter()
        .filter(|(path, inode)| spare.get(*path) == Some(inode));
    assert_eq!(
        taken.count(),
        21,
        "the spare's own folders: app, many and 19"
    );
    shop.ship(&["check", "production", "--deep"]).ok();
}

#[test]
fn deploys_and_rollbacks_back_to_back() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.release = "keep = 20".into();
    shop.tables = shop.tables.replace("settle = \"1s\"", "settle = \"0s\"");
    shop.write_manifest();
    for number in 0..3000 {
        let content = noise(number, 200);
        shop.write(&format!("app/many/{}/{number}", number % 30), content);
    }
    // Each meets the tidying of the one before.
    let numbers = 1..=6;
    for number in numbers.clone() {
        shop.write(&format!("app/many/7/of-{number}"), number.to_string());
        shop.deploy_version(&format!("v{number}")).ok();
    }
    is_the_project(&host, &shop);
    let names: Vec<_> = numbers.clone().map(|number| format!("v{number}")).collect();
    assert_eq!(releases(&host), names);
    for name in names.iter().rev().skip(1).chain([&names[5]]) {
        shop.ship(&["rollback", "production", "--to", name]).ok();
        serves(&host, name, name);
    }
    // A deploy right after a rollback: the spare was another release's.
    shop.ship(&["rollback", "production", "--to", "v2"]).ok();
    shop.deploy_version("v7").ok();
    serves(&host, "v7", "v7");
    is_the_project(&host, &shop);
    for name in &names {
        is_exact(&host, name);
        let own = host.sh(&format!("cat /srv/shop/releases/{name}/app/many/7/of-*"));
        let number: usize = name[1..].parse().expect("a number");
        let expected: String = (1..=number).map(|n| n.to_string()).collect();
        assert_eq!(own, expected, "{name}");
    }
    is_exact(&host, "v7");
    is_tidy(&host);
    shop.ship(&["check", "production", "--deep"]).ok();
}

#[test]
fn a_spare_that_somebody_spoiled_is_done_without() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.write("app/sub/one", "1");
    shop.deploy().ok();
    for (version, spoil) in [
        ("v2", "rm -rf spare/tree/app/sub"),
        ("v3", "rm -rf spare/tree"),
        ("v4", "echo nonsense > spare/index"),
        ("v5", "rm -rf spare/tree/app && touch spare/tree/app"),
    ] {
        is_tidy(&host);
        host.sh(&format!("cd /srv/shop/.ship && ls spare/tree && {spoil}"));
        shop.write(&format!("app/sub/{version}"), version);
        shop.version(version);
        shop.deploy().ok();
        serves(&host, version, version);
        is_the_project(&host, &shop);
    }
}
