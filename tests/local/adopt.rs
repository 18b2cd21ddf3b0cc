//! What another tool left live on this machine.

use std::fs;
use std::os::unix::fs::symlink;

use crate::shop::Shop;

/// A root folder as Deployer makes it: releases are counted, and `current` is a relative link.
fn deployer(shop: &Shop) {
    let root = shop.root();
    let live = root.join("releases/7");
    fs::create_dir_all(&live).expect("a folder");
    fs::create_dir_all(root.join(".dep")).expect("a folder");
    for file in ["app.py", "mode"] {
        fs::copy(shop.controller.project().join(file), live.join(file)).expect("a copy");
    }
    fs::write(live.join("version"), "seven").expect("a file");
    symlink("releases/7", root.join("current")).expect("a link");
}

#[test]
fn what_deployer_left_is_adopted_and_gone_back_to() {
    let shop = Shop::new();
    deployer(&shop);
    shop.deploy(&[])
        .ok()
        .stderr_has("adopted releases/7 as v0; a rollback can return to it");
    shop.serves("one", "v1");
    shop.controller.ship(&["rollback", "local"]).ok();
    shop.serves("seven", "v0");
    let live = fs::canonicalize(shop.root().join("current")).expect("a folder");
    assert!(live.ends_with("releases/7"), "{}", live.display());
    shop.version("two");
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");
}

#[test]
fn a_first_deploy_that_fails_goes_back_to_it() {
    let shop = Shop::new();
    deployer(&shop);
    shop.mode("exit");
    shop.deploy(&[]).code(7).stderr_has("put back to v0");
    shop.serves("seven", "v0");
    shop.mode("good");
    shop.deploy(&[]).ok();
    shop.serves("one", "v2");
}

/// A tool that calls its folders as ship does: they are its own, and stay.
#[test]
fn folders_that_are_called_like_releases_are_left_alone() {
    let shop = Shop::new();
    deployer(&shop);
    let root = shop.root();
    for folder in ["v1", "v2"] {
        fs::create_dir(root.join("releases").join(folder)).expect("a folder");
    }
    fs::rename(root.join("releases/7"), root.join("releases/v3")).expect("a rename");
    fs::remove_file(root.join("current")).expect("a link");
    symlink("releases/v3", root.join("current")).expect("a link");
    for version in ["four", "five", "six", "seven", "eight", "nine", "ten"] {
        shop.version(version);
        shop.deploy(&[]).ok();
    }
    shop.serves("ten", "v10");
    let there = shop.releases();
    for folder in ["v1", "v2", "v3"] {
        assert!(there.contains(folder), "{there:?}");
    }
    let version = fs::read_to_string(root.join("releases/v3/version"));
    assert_eq!(version.expect("a file"), "seven");
}
