//! Two deploys of one app at once.

use std::time::Duration;

use crate::shop::{Shop, Words};
use crate::support::within;

fn slow() -> Shop {
    let shop = Shop::deployed();
    shop.version("two");
    shop.manifest(&Words {
        service: "settle = \"4s\"".to_owned(),
        ..Words::default()
    });
    shop
}

fn wait_for_the_switch(shop: &Shop) {
    within(Duration::from_secs(20), "the switch", || {
        (shop.current().as_deref() == Some("v2")).then_some(())
    });
}

#[test]
fn the_second_is_told_who_and_since_when() {
    let shop = slow();
    let first = shop.start(&[]);
    wait_for_the_switch(&shop);
    let second = shop.deploy(&["--force"]);
    second
        .code(5)
        .stderr_has("dev@")
        .stderr_has("since")
        .stderr_has("--wait");
    let rollback = shop.controller.ship(&["rollback", "local"]);
    rollback.code(5).stderr_has("dev@");
    let status = shop.controller.ship(&["status", "local"]);
    status.ok().stdout_has("dev@");
    first.wait().ok();
    shop.serves("two", "v2");
}

#[test]
fn or_waits() {
    let shop = slow();
    let first = shop.start(&[]);
    wait_for_the_switch(&shop);
    let second = shop.deploy(&["--force", "--wait", "60s"]);
    first.wait().ok();
    second.ok().stderr_has("waiting");
    shop.serves("two", "v3");
    assert_eq!(shop.apps().len(), 1);
}

#[test]
fn but_not_for_ever() {
    let shop = slow();
    let first = shop.start(&[]);
    wait_for_the_switch(&shop);
    let second = shop.deploy(&["--force", "--wait", "300ms"]);
    second.code(5).stderr_has("dev@");
    first.wait().ok();
    shop.serves("two", "v2");
}

/// Ctrl-C of one that only waits ends it at once, and leaves the other alone.
#[test]
fn and_can_be_interrupted_while_it_waits() {
    let shop = slow();
    let first = shop.start(&[]);
    wait_for_the_switch(&shop);
    let second = shop.start(&["--force", "--wait"]);
    second.wait_for("waiting");
    second.signal("INT");
    let second = second.wait();
    second.code(130);
    first.wait().ok();
    shop.serves("two", "v2");
}
