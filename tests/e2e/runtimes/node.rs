//! Node on a host that has one of its own.

use super::{ask_for, node_shop, on_host, on_host_of};
use crate::shop::{Shop, answer, serves};
use crate::support::runtimes::{NODE_18, NODE_20, NODE_22};
use crate::support::{Host, Mirror, eventually, require_hosts};

#[test]
fn a_host_with_its_own_node_runs_the_pinned_one() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_18, NODE_20]) else {
        return;
    };
    let host = Host::boot("web1");
    let own = host.sh("node --version");
    assert!(own.starts_with("v18."), "{own}");
    let shop = node_shop(Shop::on([&host]), "20", &mirror);

    shop.ship(&["check", "production"])
        .ok()
        .stdout_has("node          20.11.1 will be sent (");
    shop.deploy().ok();
    serves(&host, "v1", "v1");
    for built in ["app/BUILT", "TESTED"] {
        let said = std::fs::read_to_string(shop.project().join(built)).expect("what was built");
        assert_eq!(said, "v20.11.1\n", "{built}");
    }
    assert_eq!(answer(&host, "/node"), "v20.11.1");
    let path = answer(&host, "/path");
    assert!(
        path.starts_with("/srv/shop/runtimes/node-20.11.1-"),
        "{path}"
    );
    assert!(path.contains(":/usr/bin"), "{path}");
    // The host's own is untouched, and whoever deploys runs commands on the pinned one.
    assert_eq!(host.sh("node --version"), own);
    let exec = shop.ship(&["exec", "production", "--", "node", "--version"]);
    assert_eq!(exec.ok().stdout, "v20.11.1\n");
    shop.ship(&["status"]).ok().stdout_has("node 20.11.1");
    shop.ship(&["releases"]).ok().stdout_has("node 20.11.1");
    let json = shop.ship(&["releases", "--json"]);
    json.ok().stdout_has(r#""runtimes":{"node":"20.11.1"}"#);
    shop.ship(&["check", "production"])
        .ok()
        .stdout_has("20.11.1 is there");

    // The services' user reads it and cannot write to it.
    let folder = "/srv/shop/runtimes/node-20.11.1-*";
    let refused = host.exec(&format!("cd {folder} && runuser -u shop -- touch bin/node"));
    assert!(!refused.status.success(), "{refused:?}");
    host.sh(&format!(
        "cd {folder} && runuser -u shop -- bin/node --version"
    ));

    shop.write(".nvmrc", "18\n");
    shop.deploy()
        .code(3)
        .stderr_has(".nvmrc")
        .stderr_has("ship.toml");
    serves(&host, "v1", "v1");
}

#[test]
fn a_rollback_across_a_change_of_runtimes_runs_the_old_one_without_network() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_20, NODE_22]) else {
        return;
    };
    let host = Host::boot("web1");
    let mut shop = node_shop(Shop::on([&host]), "20", &mirror);
    shop.deploy().ok();
    assert_eq!(answer(&host, "/node"), "v20.11.1");

    // Only the runtime changes: that is another release.
    ask_for(&mut shop, "22");
    shop.deploy().code(3).stderr_has("ship pin");
    shop.ship(&["pin"]).ok();
    shop.deploy().ok();
    assert_eq!(answer(&host, "/node"), "v22.14.0");
    assert_eq!(on_host_of(&host, "node-").len(), 2);
    let unchanged = shop.deploy();
    unchanged.ok().stderr_has("v2");
    assert_eq!(super::super::shop::releases(&host), ["v1", "v2"]);

    // Nothing to download from any more, and nothing to find it in.
    drop(mirror);
    std::fs::remove_dir_all(shop.home().join(".cache/ship/runtimes")).expect("a cache");
    shop.ship(&["rollback", "production"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(answer(&host, "/node"), "v20.11.1");
    let status = shop.ship(&["status"]);
    status.ok().stdout_has("node 20.11.1");
}

#[test]
fn a_runtime_goes_when_no_release_runs_on_it() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_18, NODE_20]) else {
        return;
    };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.release = "keep = 2".into();
    let mut shop = node_shop(shop, "18", &mirror);
    shop.deploy().ok();
    ask_for(&mut shop, "20");
    shop.ship(&["pin"]).ok();
    shop.deploy().ok();
    assert_eq!(on_host_of(&host, "node-18").len(), 1, "a rollback needs it");
    shop.deploy_version("v3").ok();
    serves(&host, "v3", "v3");
    eventually(
        "node 18 to be gone",
        || matches!(&on_host(&host)[..], [only] if only.starts_with("node-20.11.1-")),
    );
    shop.ship(&["rollback", "production"]).ok();
    assert_eq!(answer(&host, "/node"), "v20.11.1");
}
