//! How an archive gets to a host, and what goes wrong on the way.

use super::{ask_for, node_shop, on_host, on_host_of};
use crate::shop::{Shop, answer, current, serves};
use crate::support::runtimes::{NODE_18, NODE_20};
use crate::support::{Disk, Host, HostOptions, Mirror, Running, eventually, require_hosts, within};
use serde_json::Value;
use std::time::Duration;

/// A shop that runs on Node 18, and asks for Node 20 from now on.
fn moving_on(host: &Host, mirror: &Mirror) -> Shop {
    let mut shop = node_shop(Shop::on([host]), "18", mirror);
    shop.deploy().ok();
    assert_eq!(answer(host, "/node"), "v18.20.8");
    ask_for(&mut shop, "20");
    shop.ship(&["pin"]).ok();
    shop
}

/// The last that was said of the archive on its way: bytes on the wire.
fn sent(stdout: &str) -> u64 {
    let events = stdout.lines().rev();
    let mut events = events.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = events.find(|event| event["runtime"] == "node 20.11.1");
    last.and_then(|event| event["sent"].as_u64()).unwrap_or(0)
}

/// Starts a deploy and waits until so many bytes of the archive are on the wire.
fn deploy_until(shop: &Shop, bytes: u64) -> Running {
    let deploy = shop.start_deploy(&["--json"]);
    within(
        Duration::from_secs(120),
        "the archive to be on its way",
        || {
            let (stdout, stderr) = deploy.output();
            let over = stdout.contains("\"event\":\"failed\"") || stdout.contains("\"staged\"");
            assert!(!over, "too late\n{stdout}{stderr}");
            (sent(&stdout) >= bytes).then_some(())
        },
    );
    deploy
}

fn cut(host: &Host, deploy: Running) {
    deploy.signal("KILL");
    deploy.wait().killed_by(9);
    eventually("the lock to be free", || {
        let lock = host.exec("flock -n /srv/shop/.ship/lock true");
        lock.status.success()
    });
}

#[test]
fn an_archive_that_was_cut_goes_on_where_it_was() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_18, NODE_20]) else {
        return;
    };
    let host = Host::boot("web1");
    let shop = moving_on(&host, &mirror);
    let size = std::fs::metadata(mirror.file(&NODE_20)).expect("it").len();
    host.limit_rate(Some(60));
    cut(&host, deploy_until(&shop, size / 2));
    serves(&host, "v1", "v1");
    let left = host.sh("stat -c %s /srv/shop/runtimes/.partial-*");
    let left: u64 = left.parse().expect("one archive");
    assert!(left > size / 4 && left < size, "{left} of {size}");
    assert_eq!(on_host_of(&host, "node-20"), Vec::<String>::new());
    host.limit_rate(None);

    let run = shop.ship(&["deploy", "production", "--json"]);
    run.ok();
    let staged = run
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|event| event["what"] == "staged");
    let staged = staged.expect("a staged release")["sent"]
        .as_u64()
        .expect("bytes");
    assert!(staged < size - left + 1_000_000, "{staged} of {size}");
    assert_eq!(answer(&host, "/node"), "v20.11.1");
    let names = on_host(&host);
    assert!(
        names.iter().all(|name| name.starts_with("node-")),
        "{names:?}"
    );
}

#[test]
fn a_beginning_that_was_spoiled_meanwhile_is_sent_again() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_18, NODE_20]) else {
        return;
    };
    let host = Host::boot("web1");
    let shop = moving_on(&host, &mirror);
    host.limit_rate(Some(60));
    cut(&host, deploy_until(&shop, 4_000_000));
    host.limit_rate(None);
    let spoil =
        "printf spoiled | dd of=$(echo /srv/shop/runtimes/.partial-*) conv=notrunc bs=1 seek=1000";
    host.sh(spoil);
    shop.deploy().ok();
    serves(&host, "v2", "v1");
    assert_eq!(answer(&host, "/node"), "v20.11.1");
}

#[test]
fn a_host_without_room_for_a_runtime_is_refused() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_18, NODE_20]) else {
        return;
    };
    let disk = Some(Disk::at("/srv", 540));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = moving_on(&host, &mirror);
    // Known beforehand.
    host.fill_disk("/srv", 60_000);
    shop.deploy().code(5).stderr_has("no room for the release");
    assert_eq!(current(&host), "releases/v1");
    assert_eq!(on_host_of(&host, "node-20"), Vec::<String>::new());
    host.free_disk("/srv");

    // Taken half way.
    host.limit_rate(Some(60));
    let deploy = deploy_until(&shop, 4_000_000);
    host.fill_disk("/srv", 0);
    let run = deploy.wait();
    run.code(5).stdout_has("the disk is full");
    host.limit_rate(None);
    serves(&host, "v1", "v1");
    assert_eq!(answer(&host, "/node"), "v18.20.8");
    assert_eq!(on_host_of(&host, "node-20"), Vec::<String>::new());
    assert_eq!(on_host_of(&host, ".new-"), Vec::<String>::new());
    host.free_disk("/srv");

    shop.deploy().ok();
    assert_eq!(answer(&host, "/node"), "v20.11.1");
}
