//! The stop sign for deploys.

use std::time::{Duration, Instant};

use crate::shop::{Shop, serves};
use crate::support::{Fleet, Host, require_hosts};

const FREEZE: &str = "/srv/shop/.ship/freeze.json";

#[test]
fn a_freeze_stops_every_deploy_and_nothing_else() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.deploy_version("v2").ok();

    let reason = "the fair is on";
    let freeze = ["freeze", "production", "--until", "2h", "--reason", reason];
    shop.ship(&freeze)
        .ok()
        .stderr_has(reason)
        .stderr_has("shop is frozen on production (2 hosts)");
    for host in &*fleet {
        assert!(host.exists(FREEZE));
    }
    shop.version("v3");
    for more in ["", "--force", "--resume", "--skip-unreachable"] {
        let mut args = vec!["deploy", "production"];
        args.extend(Some(more).filter(|more| !more.is_empty()));
        shop.ship(&args)
            .code(5)
            .stderr_has("production is frozen by dev@")
            .stderr_has(reason)
            .stderr_has("ship thaw production");
    }
    shop.ship(&["check", "production"])
        .code(5)
        .stdout_has(reason);
    shop.ship(&["status", "production"]).ok().stdout_has(reason);
    shop.ship(&["status", "production", "--json"])
        .ok()
        .stdout_has(reason);

    shop.ship(&["restart", "production"])
        .ok()
        .stderr_has(reason);
    shop.ship(&["rollback", "production"])
        .ok()
        .stderr_has(reason)
        .stderr_has("a rollback is allowed");
    for host in &*fleet {
        serves(host, "v1", "v1");
        assert!(host.exists(FREEZE));
    }

    shop.ship(&["thaw", "production"])
        .ok()
        .stderr_has(reason)
        .stderr_has("shop is thawed on production (2 hosts)");
    shop.ship(&["thaw", "production"])
        .ok()
        .stderr_has("shop was not frozen on production");
    shop.deploy().ok();
    for host in &*fleet {
        serves(host, "v3", "v3");
    }
}

#[test]
fn a_freeze_ends_by_itself() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    let freeze = |until: &str| {
        let until = [
            "freeze",
            "production",
            "--until",
            until,
            "--reason",
            "a breath",
        ];
        shop.ship(&until).ok();
    };
    freeze("1h");
    shop.deploy_version("v2").code(5);
    freeze("1s");
    let deadline = Instant::now() + Duration::from_secs(30);
    while shop.deploy().status.code() != Some(0) {
        assert!(Instant::now() < deadline, "it lasts and lasts");
    }
    serves(&host, "v2", "v2");
    assert!(!host.exists(FREEZE), "what is over is cleared away");
}

#[test]
fn a_freeze_is_set_where_it_can_be() {
    let Some(()) = require_hosts() else { return };
    let mut fleet = Fleet::boot(2);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    fleet[1].power_cut();
    let freeze = [
        "freeze",
        "production",
        "--until",
        "1d",
        "--reason",
        "holidays",
    ];
    shop.ship(&freeze)
        .code(6)
        .stderr_has("production is frozen on 1 of 2 hosts");
    assert!(fleet[0].exists(FREEZE));
    fleet[1].boot_again();
    fleet[1].wait_for_ssh();
    assert!(!fleet[1].exists(FREEZE));
    // One host's is enough.
    shop.deploy_version("v2").code(5).stderr_has("holidays");
    shop.ship(&["thaw", "production"]).ok();
    shop.deploy().ok();
}

#[test]
fn a_deploy_that_is_under_way_is_told_of() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.tables.push_str(
        "[hooks]\nbefore-activate = [{ name = \"migrate\", run = \"while [ ! -e /tmp/go ]; do sleep 0.1; done\" }]\n",
    );
    shop.write_manifest();
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("migrate");

    let doing = "running hook migrate";
    shop.deploy().code(5).stderr_has(doing);
    shop.ship(&["status", "production"]).ok().stdout_has(doing);
    let freeze = [
        "freeze",
        "production",
        "--until",
        "1h",
        "--reason",
        "enough",
    ];
    shop.ship(&freeze)
        .ok()
        .stderr_has("a deploy by dev@")
        .stderr_has("is still running");
    let waiting = shop.start_deploy(&["--force", "--wait", "1m"]);
    waiting.wait_for("enough");
    waiting.wait().code(5);

    host.sh("touch /tmp/go");
    deploy.wait().ok();
    serves(&host, "v1", "v1");
}
