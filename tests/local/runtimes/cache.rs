//! The cache that all projects of a user share.

use std::fs;
use std::time::Duration;

use super::{Site, relock};
use crate::support::runtimes::{DENO_2, NODE_18, NODE_20, sha256};
use crate::support::{Fault, Run, Running, within};

#[test]
fn the_second_time_is_without_network() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.run(&["node", "--version"]).ok();
    let Site {
        mut controller,
        mirror,
    } = site;
    drop(mirror);
    controller.set_env("SHIP_NODE_MIRROR", "http://127.0.0.1:1/nobody");
    let run = controller.ship(&["run", "--", "node", "--version"]);
    assert_eq!(run.ok().stdout, "v20.11.1\n");
}

#[test]
fn two_builds_at_once_download_each_once() {
    let Some(site) = Site::on(&[NODE_20, DENO_2]) else {
        return;
    };
    site.controller
        .write("build.sh", "node --version; deno --version\n");
    site.mirror
        .fault(".tar.gz", Fault::Slow(Duration::from_millis(2)));
    let builds: Vec<Running> = (0..3).map(|_| site.controller.spawn(&["build"])).collect();
    for build in builds {
        build.wait().ok();
    }
    assert_eq!(site.mirror.requests("node-v20.11.1-linux-x64.tar.gz"), 1);
    assert_eq!(site.mirror.requests("deno-x86_64-unknown-linux-gnu.zip"), 1);
    assert_eq!(site.cached().len(), 4, "{:?}", site.cached());
}

#[test]
fn interrupted_and_resumed() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    for signal in ["INT", "KILL"] {
        site.mirror.fault(".tar.gz", Fault::HangAfter(2_000_000));
        let build = site.controller.spawn(&["build"]);
        within(Duration::from_secs(20), "some of the archive", || {
            let archives = fs::read_dir(site.cache().join("archives")).ok()?;
            let mut files = archives.flatten().filter_map(|entry| entry.metadata().ok());
            files.any(|about| about.len() >= 2_000_000).then_some(())
        });
        build.signal(signal);
        let build = build.wait();
        match signal {
            "INT" => {
                build.code(130).stderr_has("interrupted");
            }
            _ => {
                build.killed_by(9);
            }
        }
        let mut left = site.cached();
        // Who is killed cannot even remove an empty file.
        left.retain(|name| signal == "INT" || !name.ends_with(".lock"));
        let [part] = &left[..] else {
            panic!("{left:?}");
        };
        assert!(part.ends_with(".part"), "{part}");
    }
    // With no more than this in one answer, what was there must have been built on.
    let whole = fs::metadata(site.mirror.file(&NODE_20)).expect("the archive");
    let rest = usize::try_from(whole.len()).expect("small") - 2_000_000;
    site.mirror.fault(".tar.gz", Fault::StopAfter(rest));
    let before = site.mirror.requests(".tar.gz");
    site.controller.ship(&["build"]).ok();
    assert_eq!(site.mirror.requests(".tar.gz"), before + 1);
}

/// A part that is not the beginning of the archive costs a second download, no more.
#[test]
fn a_damaged_part_and_a_damaged_archive() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let sum = sha256(&site.mirror.file(&NODE_20));
    let archives = site.cache().join("archives");
    fs::create_dir_all(&archives).expect("a folder");
    fs::write(archives.join(format!("{sum}.part")), vec![7; 1_000_000]).expect("a part");
    site.controller.ship(&["build"]).ok();
    assert_eq!(site.mirror.requests(".tar.gz"), 2);
    // The unpacked one is gone and the archive is damaged: it is not built on.
    let unpacked = site
        .cached()
        .into_iter()
        .find(|name| name.starts_with("node-"));
    let unpacked = site.cache().join(unpacked.expect("unpacked"));
    fs::remove_dir_all(unpacked).expect("remove");
    fs::write(archives.join(&sum), b"damaged").expect("damage");
    assert_eq!(site.run(&["node", "--version"]).ok().stdout, "v20.11.1\n");
    assert_eq!(site.mirror.requests(".tar.gz"), 3);
}

/// The archive of another version is in the cache, for another project.
#[test]
fn a_lock_with_the_checksum_of_another_version() {
    let Some((site, other)) = Site::on(&[NODE_20]).zip(NODE_18.archive()) else {
        return;
    };
    let archives = site.cache().join("archives");
    fs::create_dir_all(&archives).expect("a folder");
    let (ours, theirs) = (sha256(&site.mirror.file(&NODE_20)), sha256(&other));
    let kept = archives.join(&theirs);
    fs::copy(&other, &kept).expect("the archive of another version");

    let lock = site.controller.project().join("ship.lock");
    let text = fs::read_to_string(&lock).expect("the lock");
    fs::write(&lock, text.replace(&ours, &theirs)).expect("edit the lock");
    let build = site.controller.ship(&["build"]);
    build
        .code(5)
        .stderr_has("bytes long; ship.lock says")
        .stderr_has("ship pin --upgrade node");
    assert!(kept.exists(), "the other project's archive");

    relock(&site, &NODE_20, &other);
    let build = site.controller.ship(&["build"]);
    build
        .code(5)
        .stderr_has("the archive of node 20.11.1 holds another version: 18.20.8")
        .stderr_has("ship pin --upgrade node");
    assert_eq!(site.cached(), [theirs[..12].to_owned()]);

    fs::remove_file(&kept).expect("empty the cache");
    fs::write(&lock, text.replace(&ours, &theirs)).expect("edit the lock");
    let build = site.controller.ship(&["build"]);
    build.code(5).stderr_has("its checksum is wrong");
    assert_eq!(site.cached(), Vec::<String>::new());
}

#[test]
fn a_file_where_the_cache_should_be() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    fs::create_dir_all(site.controller.home().join(".cache")).expect("a folder");
    fs::write(site.controller.home().join(".cache/ship"), "").expect("a file");
    let build = site.controller.ship(&["build"]);
    build.code(5).stderr_has("cannot make the cache folder");
}

/// `ship` with its cache mounted as `mount` says.
fn mounted(site: &Site, mount: &str, args: &str) -> Option<Run> {
    crate::support::require_hosts()?;
    let ship = env!("CARGO_BIN_EXE_ship");
    let cache = site.controller.home().join(".cache");
    fs::create_dir_all(&cache).expect("a folder");
    let script = format!("cd / && {mount} && cd \"$OLDPWD\" && exec {ship} {args}");
    let script = script.replace("CACHE", &cache.display().to_string());
    let mut command = site.controller.command("/usr/bin/unshare");
    Some(Running::start(command.args(["--mount", "sh", "-c", &script])).wait())
}

#[test]
fn a_full_disk() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    for size in ["10m", "60m"] {
        let mount = format!("mount -t tmpfs -o size={size} none CACHE");
        let Some(build) = mounted(&site, &mount, "build") else {
            return;
        };
        build
            .code(5)
            .stderr_has("No space left on device")
            .stderr_has("XDG_CACHE_HOME");
    }
}

#[test]
fn a_cache_that_cannot_be_written() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let read_only = "mount --bind CACHE CACHE && mount -o remount,bind,ro CACHE";
    let Some(build) = mounted(&site, read_only, "build") else {
        return;
    };
    build
        .code(5)
        .stderr_has("Read-only file system")
        .stderr_has("XDG_CACHE_HOME");
    // What is there can be used.
    site.controller.ship(&["build"]).ok();
    let run = mounted(&site, read_only, "run -- node --version").expect("as before");
    assert_eq!(run.ok().stdout, "v20.11.1\n");
}
