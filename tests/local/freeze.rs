//! A freeze on this machine.

use crate::shop::Shop;

#[test]
fn a_freeze_stops_a_deploy_and_says_why() {
    let shop = Shop::deployed();
    let freeze = ["freeze", "local", "--until", "1h", "--reason", "demo day"];
    let frozen = shop.controller.ship(&freeze);
    frozen
        .ok()
        .stderr_has("demo day")
        .stderr_has("shop is frozen on local");
    shop.version("two");
    shop.deploy(&[]).code(5).stderr_has("demo day");
    shop.controller
        .ship(&["status", "local"])
        .ok()
        .stdout_has("demo day");
    // Another one takes its place.
    let freeze = ["freeze", "local", "--until", "2h", "--reason", "more of it"];
    shop.controller.ship(&freeze).ok().stderr_has("in place of");
    shop.controller
        .ship(&["thaw", "local"])
        .ok()
        .stderr_has("more of it");
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");
}

#[test]
fn nothing_frozen_and_nothing_going_on() {
    let shop = Shop::deployed();
    shop.controller
        .ship(&["thaw", "local"])
        .ok()
        .stderr_has("shop was not frozen on local");
    shop.controller
        .ship(&["cancel", "local"])
        .ok()
        .stderr_has("nothing is going on with shop on local");
}
