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
fn the_history_tells_who_froze_and_who_thawed_and_why() {
    let shop = Shop::deployed();
    let ship = |args: &[&str]| shop.controller.ship(args);
    let freeze = ["freeze", "local", "--until", "1h", "--reason", "demo day"];
    ship(&freeze).ok();
    ship(&["thaw", "local"]).ok();
    // Nothing is taken away any more: nothing is told.
    ship(&["thaw", "local"]).ok();
    ship(&["restart", "local"]).ok();
    let json = ship(&["history", "local", "--json"]);
    let entries: serde_json::Value =
        serde_json::from_str(json.ok().stdout.lines().next().expect("a line")).expect("JSON");
    let entries = entries["answer"].as_array().expect("entries").clone();
    let told: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["what"].as_str())
        .collect();
    assert_eq!(told, ["restart", "thaw", "freeze", "deploy"], "{json}");
    let why = |at: usize| entries[at]["why"].as_str().expect("why");
    assert!(
        why(1).contains("demo day") && why(1).contains("dev@"),
        "{json}"
    );
    assert!(
        why(2).starts_with("until 20") && why(2).ends_with(": demo day"),
        "{json}"
    );
    assert!(
        entries[2]["who"]
            .as_str()
            .is_some_and(|who| who.starts_with("dev@")),
        "{json}"
    );
    // Beside them, what a release was deployed after is still known.
    ship(&["cancel", "local"])
        .ok()
        .stderr_has("nothing is going on");
}

#[test]
fn nothing_frozen_and_nothing_going_on() {
    let shop = Shop::deployed();
    shop.controller
        .ship(&["thaw", "local"])
        .ok()
        .stderr_has("shop was not frozen on local\n");
    shop.controller
        .ship(&["cancel", "local"])
        .ok()
        .stderr_has("nothing is going on with shop on local");
}
