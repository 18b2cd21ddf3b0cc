//! A host that an older build of `ship` set up and deployed to: this build takes it over.

use crate::shop::{Shop, answer, current, serves, state};
use crate::support::{Host, Run, require_hosts, ship_before};

/// The shop with a secret and a hook, as the older build knows them.
fn shop_on(host: &Host) -> Shop {
    let mut shop = Shop::planned_on([host]);
    shop.tables += "\n[hooks]\nbefore-activate = [\"echo hook\"]\n";
    shop.release = "shared = [\"uploads\"]\n".into();
    shop.environment = "secrets = [\"API_KEY\"]\n".into();
    shop.write_manifest();
    shop
}

/// That shop on a host that the older build set up.
#[track_caller]
fn set_up_by(old: &std::path::Path, host: &Host) -> Shop {
    let shop = shop_on(host);
    shop.run_program(old, &["setup", "production", "--as", "root"])
        .ok();
    shop
}

/// Has the older build deploy this version with this secret.
#[track_caller]
fn old_deploy(shop: &mut Shop, old: &std::path::Path, version: &str, key: &str) {
    shop.version(version);
    shop.set_env("API_KEY", key);
    shop.run_program(old, &["deploy", "production"]).ok();
}

#[test]
fn a_host_that_an_older_build_set_up_is_taken_over() {
    let Some(()) = require_hosts() else { return };
    let Some(old) = ship_before() else { return };
    let host = Host::boot("web1");
    let mut shop = set_up_by(old, &host);
    old_deploy(&mut shop, old, "v1", "the-first-key");
    old_deploy(&mut shop, old, "v2", "the-second-key");

    // Questions and a rollback need no setup.
    shop.ship(&["status"]).ok().stdout_has("v2 went live");
    shop.ship(&["logs", "production"])
        .ok()
        .stdout_has("shop v2 opens");
    shop.ship(&["history"]).ok().stdout_has("deploy");
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(answer(&host, "/key"), "the-first-key");

    // The first deploy goes on, and says what it lacks.
    shop.set_env("API_KEY", "the-third-key");
    let first = shop.deploy_version("v3");
    first.ok().stderr_has("ship setup production --as root");
    serves(&host, "v3", "v3");
    assert_eq!(answer(&host, "/key"), "the-third-key");
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(answer(&host, "/key"), "the-first-key");

    // One setup moves the host.
    let moved = shop.ship(&["setup", "production", "--as", "root"]);
    moved.ok();
    let again = shop.ship(&["setup", "production", "--as", "root"]);
    again.ok().stderr_has("nothing to change");
    assert_eq!(answer(&host, "/key"), "the-first-key");

    // What the older build staged still runs, with its own environment.
    shop.ship(&["rollback", "--to", "v2"]).ok();
    serves(&host, "v2", "v2");
    assert_eq!(answer(&host, "/key"), "the-second-key");
    let next = shop.deploy_version("v4");
    next.ok();
    says_nothing_of_setup(&next);
    serves(&host, "v4", "v4");
    assert_eq!(answer(&host, "/key"), "the-third-key");
    shop.ship(&["rollback"]).ok();
    serves(&host, "v2", "v2");
    assert_eq!(state(&host, "shop-web"), "active");
}

#[track_caller]
fn says_nothing_of_setup(run: &Run) {
    assert!(!run.stderr.contains("ship setup"), "{run}");
}

#[test]
fn an_activation_that_an_older_build_left_is_brought_to_its_end() {
    let Some(()) = require_hosts() else { return };
    let Some(old) = ship_before() else { return };
    let host = Host::boot("web1");
    let mut shop = set_up_by(old, &host);
    old_deploy(&mut shop, old, "v1", "the-first-key");
    // The next release never answers well, so the proof goes on until all of it is killed.
    shop.sick(Some("not yet"));
    let mut command = shop.command(old);
    command.args(["deploy", "production"]);
    let running = crate::support::Running::start(&mut command);
    crate::support::eventually("the flip", || current(&host) == "releases/v2");
    host.sh("pkill -KILL -f '[a]gent transaction'; pkill -KILL -f '[a]gent serve'; true");
    running.signal("KILL");
    running.wait();

    shop.sick(None);
    shop.ship(&["status"]).ok();
    let next = shop.deploy_version("v3");
    next.ok();
    serves(&host, "v3", "v3");
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
}
