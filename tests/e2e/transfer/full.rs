//! A disk that somebody else fills while a release is on its way.

use super::{deploy_until, is_the_project, is_tidy};
use crate::shop::{Shop, releases, serves};
use crate::support::{Disk, Host, HostOptions, Run, noise, require_hosts};

/// Refused, for this reason, and what served serves.
#[track_caller]
fn refused(host: &Host, run: &Run, why: &str) {
    run.code(5);
    let failed: Vec<_> = super::events(&run.stdout)
        .into_iter()
        .filter(|event| event["event"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1, "one clear error\n{run}");
    let message = failed[0]["failure"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(why), "{message}\n{run}");
    serves(host, "v1", "v1");
    assert_eq!(releases(host), ["v1"]);
}

#[track_caller]
fn works_again(host: &Host, shop: &Shop) {
    shop.deploy().ok();
    serves(host, "v2", "v2");
    is_the_project(host, shop);
    is_tidy(host);
}

#[test]
fn the_last_block_is_taken_half_way() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 160));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    shop.write("app/large", noise(1, 30_000_000));
    for number in 0..400 {
        shop.write(
            &format!("app/small/{number}.part"),
            noise(number + 2, 50_000),
        );
    }
    shop.version("v2");
    // Once in a large file, once in a small one.
    for so_far in [12_000_000, 34_000_000] {
        host.limit_rate(Some(50));
        let deploy = deploy_until(&shop, so_far);
        host.fill_disk("/srv", 0);
        refused(&host, &deploy.wait(), "the disk is full");
        // Full still, it is known beforehand.
        host.limit_rate(None);
        shop.deploy().code(5).stderr_has("no room");
        serves(&host, "v1", "v1");
        host.free_disk("/srv");
        shop.ship(&["check", "production", "--deep"]).ok();
    }
    works_again(&host, &shop);
}

/// Releases that failed, and an upload that was cut, make room for the one that mends it all.
#[test]
fn what_failed_makes_room_for_what_mends_it() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 240));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    shop.sick(Some("not well"));
    for number in 2..4 {
        shop.write("app/large", noise(number, 50_000_000));
        shop.deploy_version(&format!("v{number}")).code(7);
    }
    assert_eq!(releases(&host), ["v1", "v2", "v3"]);
    shop.write("app/large", noise(4, 60_000_000));
    host.limit_rate(Some(200));
    let deploy = deploy_until(&shop, 40_000_000);
    deploy.signal("KILL");
    deploy.wait().killed_by(9);
    host.limit_rate(None);

    shop.sick(None);
    shop.write("app/large", noise(5, 70_000_000));
    shop.version("v5");
    let run = shop.ship(&["deploy", "production", "--wait", "1m", "--json"]);
    run.ok().stdout_has("\"pruned\"");
    assert_eq!(releases(&host), ["v1", "v4"]);
    serves(&host, "v4", "v5");
    is_the_project(&host, &shop);
}

#[test]
fn the_last_inode_is_taken_half_way() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 96).inodes(6000));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    for number in 0..3000 {
        let content = noise(number, 5_000);
        shop.write(&format!("app/small/{}/{number}", number % 9), content);
    }
    shop.version("v2");
    host.limit_rate(Some(20));
    let deploy = deploy_until(&shop, 4_000_000);
    // Quickly: what comes later than the upload is another story.
    host.sh("mkdir /srv/hoard && cd /srv/hoard && seq 9000 | xargs touch 2> /dev/null || true");
    refused(&host, &deploy.wait(), "the disk is full");
    host.sh("rm -r /srv/hoard");
    host.limit_rate(None);
    works_again(&host, &shop);
}

/// All contents are there, and then there is no room for what makes them a release.
#[test]
fn the_last_inode_is_taken_before_the_release_is_complete() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 96).inodes(2000));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    // The last file of the stream: no other is created after it.
    shop.write("app/large.zz", noise(1, 20_000_000));
    shop.version("v2");
    host.limit_rate(Some(40));
    let deploy = deploy_until(&shop, 6_000_000);
    host.sh("mkdir /srv/hoard && cd /srv/hoard && seq 3000 | xargs touch 2> /dev/null || true");
    refused(&host, &deploy.wait(), "the disk is full");
    host.sh("rm -r /srv/hoard");
    host.limit_rate(None);
    works_again(&host, &shop);
}

/// A release that takes the last block when it starts, and serves all the same.
#[test]
fn the_last_block_is_taken_by_the_app() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 80));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let mut shop = Shop::on([&host]);
    shop.deploy().ok();
    host.sh("mkdir -m 777 /srv/shop/shared/cache");
    // What a write in memory was promised, and did not need, is free after a sync.
    let warm = "/srv/shop/shared/cache/$i";
    let fill = format!("dd if=/dev/zero of={warm} bs=4k; sync -f {warm}");
    let command = format!("sh -c 'for i in 1 2 3 4; do {fill}; done; exec python3 app/shop.py'");
    shop.tables = shop.tables.replace("python3 app/shop.py", &command);
    // Its syncs are others', too.
    shop.tables = shop.tables.replace("20s", "2m");
    shop.write_manifest();
    shop.version("v2");
    shop.deploy().ok();
    serves(&host, "v2", "v2");
    host.sh("rm -r /srv/shop/shared/cache");
    shop.deploy_version("v3").ok();
    serves(&host, "v3", "v3");
}
