//! What a deploy does when little has changed, or nothing.

use crate::shop::{JOBS, Shop, WEB, answer, current, releases, serves, state};
use crate::support::{Fleet, Host, eventually, require_hosts};

fn pid(host: &Host) -> String {
    host.sh("systemctl show --value -p MainPID shop-web")
}

#[test]
fn what_is_live_already_is_not_deployed_again() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.deploy().ok().stderr_has("sent 3 of 3 files");
    let first = pid(&host);

    let again = shop.deploy();
    again
        .ok()
        .stderr_has("shop v1 is already live on production; nothing changed");
    assert_eq!(
        (releases(&host), pid(&host)),
        (vec!["v1".to_owned()], first.clone())
    );

    shop.ship(&["deploy", "production", "--force"])
        .ok()
        .stderr_has("nothing had to be sent");
    serves(&host, "v2", "v1");
    assert_ne!(pid(&host), first);

    shop.deploy_version("v3")
        .ok()
        .stderr_has("sent 1 of 3 files");
    serves(&host, "v3", "v3");

    // What is live but does not run is deployed again.
    host.sh("systemctl stop shop-web");
    shop.deploy().ok();
    serves(&host, "v4", "v3");

    // Few are kept, but always the way back.
    assert_eq!(releases(&host), ["v1", "v2", "v3", "v4"]);
    shop.release = "keep = 2".into();
    shop.write_manifest();
    shop.deploy_version("v5").ok();
    serves(&host, "v5", "v5");
    eventually("old releases to go", || releases(&host) == ["v4", "v5"]);
    shop.ship(&["rollback"]).ok();
    serves(&host, "v4", "v3");
    assert_eq!(host.sh("ls -A /srv/shop/.ship/staging"), "");
}

#[test]
fn services_come_and_go_with_the_release() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    shop.tables = format!("{WEB}{JOBS}");
    shop.write_manifest();
    shop.setup();
    shop.deploy().ok();
    serves(&host, "v1", "v1");
    assert_eq!(state(&host, "shop-worker"), "active");
    let said = "journalctl -u shop-worker -o cat --no-pager";
    eventually("the worker to begin", || {
        host.sh(said).contains("worker v1 begins")
    });

    shop.tables = WEB.to_owned();
    shop.write_manifest();
    shop.deploy_version("v2").ok().stderr_has("stopped worker");
    serves(&host, "v2", "v2");
    assert_eq!(state(&host, "shop-worker"), "inactive");
    shop.ship(&["restart", "production", "worker"]).code(2);

    // Setup leaves the way back what it needs.
    shop.setup();
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(state(&host, "shop-worker"), "active");

    // A service that no setup has seen is refused before anything is touched.
    shop.tables = format!("{WEB}{}", JOBS.replace("worker]", "mailer]"));
    shop.write_manifest();
    let refused = shop.deploy_version("v3");
    refused
        .code(5)
        .stderr_has("shop-mailer.service")
        .stderr_has("ship setup production");
    serves(&host, "v1", "v1");
    assert_eq!(releases(&host), ["v1", "v2"]);

    // On the way back, too, nothing of the host is touched.
    shop.tables = WEB.to_owned();
    shop.write_manifest();
    shop.deploy_version("v3").ok();
    let pid = "systemctl show -p MainPID shop-web";
    let before = host.sh(pid);
    host.sh("mv /etc/systemd/system/shop-worker.service /root && systemctl daemon-reload");
    let refused = shop.ship(&["rollback"]);
    refused
        .code(7)
        .stderr_has("not set up for shop-worker.service")
        .stderr_has("ship setup production");
    serves(&host, "v3", "v3");
    assert_eq!(host.sh(pid), before);
}

#[test]
fn hooks_run_before_the_switch_in_the_new_release() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    let hooks = |migrate: &str| {
        format!(
            "{WEB}\n[hooks]\nbefore-activate = [\n  \
             {{ name = \"migrate\", run = \"\"\"{migrate}\"\"\", on = \"one-host\" }},\n  \
             {{ name = \"warm\", run = \"cat app/VERSION >> /tmp/warmed\", on = \"each-host\" }},\n]\n"
        )
    };
    shop.tables = hooks(
        "echo migrating; echo $PWD $(cat app/VERSION) $(id -un) \
         $(readlink /srv/shop/current || echo nothing) $STAGE >> /tmp/migrated",
    );
    shop.environment = "env = { STAGE = \"live\" }".into();
    shop.write_manifest();
    shop.deploy().ok().stderr_has("ok hook   migrate");
    shop.deploy_version("v2").ok();
    assert_eq!(
        fleet[0].read("/tmp/migrated"),
        "/srv/shop/releases/v1 v1 shop nothing live\n\
         /srv/shop/releases/v2 v2 shop releases/v1 live\n"
    );
    assert!(!fleet[1].exists("/tmp/migrated"));
    for host in &*fleet {
        serves(host, "v2", "v2");
        assert_eq!(host.read("/tmp/warmed"), "v1\nv2\n");
    }

    // One that fails ends the deploy: nothing is switched, and the release is gone.
    shop.tables = hooks("echo the table is locked; exit 3");
    shop.write_manifest();
    let failed = shop.deploy_version("v3");
    failed
        .code(7)
        .stderr_has("the table is locked")
        .stderr_has("hook `migrate` failed: exit code 3")
        .stderr_has("nothing was switched; v2 is still live");
    for host in &*fleet {
        serves(host, "v2", "v2");
        assert_eq!(releases(host), ["v1", "v2"]);
        assert_eq!(host.read("/tmp/warmed"), "v1\nv2\n");
    }
    assert_eq!(
        (&*answer(&fleet[1], "/"), &*current(&fleet[1])),
        ("v2", "releases/v2")
    );
}
