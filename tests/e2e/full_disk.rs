//! The disk fills up in the middle of an activation, blocks and inodes: the way back needs neither.

use crate::shop::{Shop, WEB, answer, current, history, serves};
use crate::support::{Disk, Host, HostOptions, eventually, require_hosts};

#[test]
fn between_the_flip_and_the_proof() {
    let Some(()) = require_hosts() else { return };
    let disk = Some(Disk::at("/srv", 96).inodes(700));
    let host = Host::boot_with("web1", &HostOptions { disk });
    let mut shop = Shop::on([&host]);
    shop.tables = WEB.replace("20s", "40s");
    shop.write_manifest();
    shop.deploy().ok();
    serves(&host, "v1", "v1");
    // What is still being tidied up would give room back.
    eventually("the spare", || host.exists("/srv/shop/.ship/spare/tree"));

    shop.version("v2");
    shop.sick(Some("no room to work in"));
    let deploy = shop.start_deploy(&[]);
    eventually("the flip", || current(&host) == "releases/v2");
    // It serves, but is not healthy: what follows is done before the 40 s for its proof are over.
    eventually("an answer of v2", || answer(&host, "/") == "v2");
    take_all_room(&host);
    assert_eq!(current(&host), "releases/v2", "it is not over yet");
    let run = deploy.wait();
    run.code(7).stderr_has("put back to v1, which is healthy");
    serves(&host, "v1", "v1");
    assert!(!host.sh("ls -A /srv/shop").contains(".current."));
    let journal = host.read("/srv/shop/.ship/journal.jsonl");
    assert!(journal.trim_end().ends_with('}') && journal.contains("reverted"));
    let releases = shop.ship(&["releases", "production"]);
    releases.ok().stdout_has("bad");

    host.free_inodes("/srv");
    host.free_disk("/srv");
    shop.sick(None);
    shop.version("v3");
    shop.deploy().ok();
    assert_eq!(answer(&host, "/"), "v3");
    a_rollback_needs_no_room(&shop, &host);
}

/// Without a byte or an inode left a rollback said that the release failed, which never ran.
fn a_rollback_needs_no_room(shop: &Shop, host: &Host) {
    eventually("what is set aside", || {
        host.exists("/srv/shop/.ship/reserve/7")
    });
    host.sh("rm -rf /srv/shop/.ship/spare");
    take_all_room(host);
    let rollback = shop.ship(&["rollback", "production"]);
    rollback.ok();
    serves(host, "v1", "v1");
    assert_eq!(history(host)[0], "rollback v1: good");
    // Again, with nothing set aside: in the place of the journal that has ended.
    host.sh("rm -rf /srv/shop/.ship/reserve");
    take_all_room(host);
    host.sh("cd /srv/.hoard && rm 1 2 3");
    let rollback = shop.ship(&["rollback", "production", "--to", "v3"]);
    rollback.ok();
    assert_eq!(
        (answer(host, "/").as_str(), current(host).as_str()),
        ("v3", "releases/v3")
    );
}

/// To the last block: what is held in reserve while data waits to be written is taken as well.
fn take_all_room(host: &Host) {
    host.sh("flock /srv/shop/.ship/tidy.lock true");
    host.free_inodes("/srv");
    host.free_disk("/srv");
    host.fill_disk("/srv", 1024);
    host.take_inodes("/srv", 0);
    let free = host.sh(
        "for i in 1 2 3 4; do dd if=/dev/zero bs=1k oflag=append conv=notrunc of=/srv/.ballast 2>&-; \
         sync -f /srv; done; df --output=avail,iavail /srv | tail -1",
    );
    assert_eq!(free.split_whitespace().collect::<Vec<_>>(), ["0", "0"]);
}
