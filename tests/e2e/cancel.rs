//! Somebody else's deploy, cancelled.

use crate::shop::{Shop, current, history, row, serves};
use crate::support::{Controller, Fleet, Host, eventually, require_hosts};
use crate::watch::why;

/// The same shop as a colleague has it.
fn colleague(fleet: &[Host]) -> Shop {
    let names: Vec<String> = fleet
        .iter()
        .map(|host| format!("deploy@{}", host.name()))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Shop::with(Controller::knowing(fleet), &names)
}

#[test]
fn where_nothing_goes_on_nothing_is_cancelled() {
    let Some(()) = require_hosts() else { return };
    let mut fleet = Fleet::boot(2);
    let shop = Shop::on(&*fleet);
    shop.ship(&["cancel", "production"])
        .ok()
        .stderr_has("nothing is going on with shop on production");
    shop.deploy().ok();
    shop.ship(&["cancel", "production"]).ok();
    serves(&fleet[0], "v1", "v1");
    fleet[1].power_cut();
    shop.ship(&["cancel", "production"]).code(6);
}

#[test]
fn a_deploy_is_cancelled_after_the_flip() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    // Long enough to be caught while it settles.
    let short = shop.tables.clone();
    shop.tables = short
        .replace("settle = \"1s\"", "settle = \"2m\"")
        .replace("timeout = \"20s\"", "timeout = \"3m\"");
    shop.version("v2");
    shop.write_manifest();
    let deploy = shop.start_deploy(&[]);
    eventually("the flip", || {
        fleet.iter().all(|host| current(host) == "releases/v2")
    });

    let other = colleague(&fleet);
    let cancelled = other.ship(&["cancel", "production"]);
    cancelled
        .ok()
        .stderr_has("asking the deploy by dev@")
        .stderr_has("activating v2")
        .stderr_has("was cancelled");
    let run = deploy.wait();
    run.code(130).stderr_has("cancelled by dev@");
    for host in &*fleet {
        serves(host, "v1", "v1");
        assert_eq!(history(host)[0], "deploy v2: reverted");
        let row = row(&cancelled.stderr, host.name());
        assert_eq!(row[2..4], ["v1", "healthy"], "{cancelled}");
    }
    // The lock is free.
    shop.tables = short;
    shop.write_manifest();
    shop.deploy().ok();
}

#[test]
fn a_deploy_is_cancelled_before_anything_is_switched() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.tables
        .push_str("[hooks]\nbefore-activate = [{ name = \"migrate\", run = \"sleep 100\" }]\n");
    shop.version("v2");
    shop.write_manifest();
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("migrate");
    // The host whose lock is asked for first says who deploys; the hook may run on the other one.
    shop.ship(&["deploy", "production", "--force"])
        .code(5)
        .stderr_has("another deploy is being done by dev@");
    shop.ship(&["cancel", "production"])
        .ok()
        .stderr_has("asking the deploy by dev@");
    deploy.wait().code(130).stderr_has("cancelled by dev@");
    for host in &*fleet {
        serves(host, "v1", "v1");
        assert_eq!(history(host), ["deploy v1: good"]);
    }
}

/// The history of both hosts told that the release had failed on the first.
#[test]
fn a_deploy_is_cancelled_while_a_hook_runs_after_the_switch() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.tables
        .push_str("[hooks]\nafter-activate = [{ name = \"warm\", run = \"sleep 100\" }]\n");
    shop.version("v2");
    shop.write_manifest();
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("hook `warm`");
    shop.ship(&["cancel", "production"]).ok();
    let run = deploy.wait();
    run.code(130).stderr_has("cancelled by dev@");
    assert!(!run.stderr.contains("v2 failed"), "{run}");
    for host in &*fleet {
        serves(host, "v1", "v1");
        assert_eq!(history(host)[0], "deploy v2: reverted");
        assert_eq!(why(host), "interrupted");
    }
}
