//! Hosts that see nothing of the world but the machine that deploys.

use super::{node_shop, on_host_of};
use crate::shop::{Shop, answer, serves};
use crate::support::runtimes::NODE_20;
use crate::support::{Fleet, Host, Mirror, Run, require_hosts};

/// Leaves the host nothing but its own network, which holds who deploys.
fn cut_off(host: &Host) {
    host.sh("ip route del default 2> /dev/null || true");
    let out = host.exec("curl -sS --max-time 3 http://192.0.2.1/");
    assert!(!out.status.success(), "{out:?}");
}

#[test]
fn hosts_that_are_cut_off_get_their_runtime_all_the_same() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let fleet = Fleet::boot(2);
    fleet.iter().for_each(cut_off);
    let mut shop = node_shop(Shop::on(fleet.iter()), "20.11.1", &mirror);
    shop.deploy().ok();
    for host in fleet.iter() {
        serves(host, "v1", "v1");
        assert_eq!(answer(host, "/node"), "v20.11.1");
        assert_eq!(on_host_of(host, "node-20.11.1-").len(), 1);
    }
    // Fetched once for the build and for both hosts.
    assert_eq!(mirror.requests(NODE_20.place), 1);

    // It costs no round trip when it is there: as many as without any.
    shop.version("v2");
    let with = round_trips(&shop.ship(&["deploy", "production", "-v"]));
    shop.tables = shop.tables.replace("node = \"20.11.1\"", "");
    shop.tables = shop.tables.replace("node app/", "/usr/bin/node app/");
    shop.write_manifest();
    std::fs::remove_file(shop.project().join("ship.lock")).expect("a lock");
    let without = round_trips(&shop.ship(&["deploy", "production", "-v"]));
    assert_eq!(with, without);
    assert!(with >= 2 * 4, "{with} round trips");
}

/// How many there were: `-v` names each with its time.
fn round_trips(run: &Run) -> usize {
    run.ok().stderr.matches("round trip").count()
}

/// The environment of this machine goes the same way.
#[test]
fn a_local_deploy_runs_on_the_pinned_runtime() {
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let person = crate::support::Controller::new();
    let shop = node_shop(Shop::with(person, &["deploy@nowhere"]), "20", &mirror);
    let manifest = std::fs::read_to_string(shop.project().join("ship.toml")).expect("a manifest");
    shop.write("ship.toml", manifest.replace("3000", "38127"));
    shop.ship(&["deploy", "local"]).ok();
    let said = shop.ship(&["exec", "local", "--", "node", "--version"]);
    assert_eq!(said.ok().stdout, "v20.11.1\n");
    shop.ship(&["status", "local"])
        .ok()
        .stdout_has("node 20.11.1");
    shop.ship(&["stop", "local"]).ok();
}
