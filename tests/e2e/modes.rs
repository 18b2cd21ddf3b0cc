//! Hosts on which root has nothing to do with it.

use crate::shop::{PORT, Shop, WEB, answer};
use crate::support::{Host, eventually, require_hosts};

/// The main process of the shop, which must be the one of `deploy`.
fn pid(host: &Host) -> String {
    let listening = host.sh(&format!("ss -Hltnp 'sport = :{PORT}'"));
    let pid = listening
        .split("pid=")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    let pid = pid.expect("a process that listens").to_owned();
    assert_eq!(host.sh(&format!("ps -o user= -p {pid}")), "deploy");
    pid
}

/// v2 comes, v3 fails, v1 comes back.
fn goes_forth_and_back(shop: &mut Shop, host: &Host, root: &str) {
    let current = || host.sh(&format!("readlink {root}/current"));
    shop.deploy_version("v2").ok().stderr_has("shop v2 is live");
    assert_eq!(
        (answer(host, "/"), current()),
        ("v2".into(), "releases/v2".into())
    );
    shop.tables = WEB.replace("20s", "10s");
    shop.write_manifest();
    shop.version("v3");
    shop.sick(Some("not without root"));
    let broken = shop.deploy();
    broken
        .code(7)
        .stderr_has("| shop v3 opens")
        .stderr_has("| cannot serve: not without root")
        .stderr_has("put back to v2, which is healthy");
    assert_eq!(
        (answer(host, "/"), current()),
        ("v2".into(), "releases/v2".into())
    );
    shop.ship(&["rollback"]).ok();
    assert_eq!(
        (answer(host, "/"), current()),
        ("v1".into(), "releases/v1".into())
    );
}

/// A process that dies comes back by itself.
fn comes_back(host: &Host) {
    let old = pid(host);
    host.sh(&format!("kill -9 {old}"));
    eventually("the service to be back", || answer(host, "/") == "v1");
    assert_ne!(pid(host), old);
}

fn logs(shop: &Shop) {
    let logs = shop.ship(&["logs", "production", "web"]);
    logs.ok()
        .stdout_has("web  shop v2 opens")
        .stdout_has("web  cannot serve: not without root");
}

#[test]
fn services_of_a_user() {
    let Some(()) = require_hosts() else { return };
    let mut host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    shop.environment = "manager = \"systemd-user\"".into();
    shop.write_manifest();

    // Only linger needs root, once, and the sentence says so.
    let refused = shop.ship(&["setup", "production"]);
    refused.code(5).stderr_has("loginctl enable-linger deploy");
    shop.ship(&["setup", "production", "--as", "root"])
        .ok()
        .stderr_has("enabled linger");
    shop.ship(&["setup", "production"])
        .ok()
        .stderr_has("shop-web.service");
    shop.ship(&["setup", "production"])
        .ok()
        .stderr_has("nothing to change, it is ready");
    assert!(!host.exists("/etc/systemd/system/shop-web.service"));
    assert!(!host.exists("/etc/sudoers.d/ship-shop"));

    shop.deploy().ok();
    assert_eq!(answer(&host, "/"), "v1");
    assert_eq!(
        host.sh_as("deploy", "systemctl --user is-active shop-web"),
        "active"
    );
    goes_forth_and_back(&mut shop, &host, "/home/deploy/apps/shop");
    logs(&shop);
    comes_back(&host);

    host.reboot();
    eventually("the service after a reboot", || answer(&host, "/") == "v1");
    pid(&host);
}

#[test]
fn services_of_the_supervisor() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    shop.environment = "manager = \"supervisor\"\nroot = \"~/shop\"".into();
    shop.write_manifest();

    // Nothing to set up.
    shop.deploy().ok();
    assert_eq!(answer(&host, "/"), "v1");
    pid(&host);
    goes_forth_and_back(&mut shop, &host, "/home/deploy/shop");
    logs(&shop);
    comes_back(&host);
    shop.ship(&["stop", "production"]).ok();
    assert_eq!(answer(&host, "/"), "connection refused");
    shop.ship(&["start", "production"]).ok();
    assert_eq!(answer(&host, "/"), "v1");
    assert_eq!(
        host.sh("systemctl list-unit-files --no-legend 'shop*' || true"),
        ""
    );
}
