//! Two deploys of one app at once.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::shop::{PATIENT, Process, Shop, Words};
use crate::support::within;

/// `v1` serves; the next deploy goes on, once it has switched, when it may.
fn slow() -> Shop {
    let shop = Shop::deployed();
    shop.version("two");
    let wait = format!(
        "while [ ! -e {} ]; do sleep 0.05; done",
        go(&shop).display()
    );
    shop.manifest(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: format!("[hooks]\nafter-activate = [\"{wait}\"]\n"),
    });
    shop
}

/// Where the hook looks whether it may.
fn go(shop: &Shop) -> PathBuf {
    shop.controller.home().join("go")
}

/// It may.
fn goes_on(shop: &Shop) {
    fs::write(go(shop), "").expect("write into the home");
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
    goes_on(&shop);
    first.wait().ok();
    shop.serves("two", "v2");
}

#[test]
fn or_waits() {
    let shop = slow();
    let first = shop.start(&[]);
    wait_for_the_switch(&shop);
    let second = shop.start(&["--force", "--wait", "60s"]);
    second.wait_for("waiting");
    goes_on(&shop);
    first.wait().ok();
    second.wait().ok();
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
    goes_on(&shop);
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
    goes_on(&shop);
    first.wait().ok();
    shop.serves("two", "v2");
}

/// Whoever cancels is told what the one who deploys is told.
#[test]
fn one_that_cannot_go_back_is_cancelled() {
    let shop = Shop::new();
    shop.patience(PATIENT, "15s");
    shop.deploy(&[]).ok();
    shop.version("two");
    shop.manifest(&Words {
        service: "settle = \"20m\"".to_owned(),
        ..Words::default()
    });
    let deploy = shop.start(&[]);
    wait_for_the_switch(&shop);
    // The old release does not start any more.
    let mode = shop.root().join("releases/v1/mode");
    fs::remove_file(&mode).expect("a file of v1");
    fs::write(&mode, "exit").expect("write into v1");
    let cancelled = shop.controller.ship(&["cancel", "local"]);
    cancelled
        .code(8)
        .stderr_has("at least one host needs you")
        .stderr_has("putting v1 back failed")
        .stderr_has("ln -sfn releases/v1");
    deploy.wait().code(8).stderr_has("putting v1 back failed");
}

/// What waits for the lock has no door yet to come back to: it was given up as lost.
#[test]
fn and_may_lose_its_connection_while_it_waits() {
    let shop = slow();
    let first = shop.start(&[]);
    wait_for_the_switch(&shop);
    let others = shop.processes();
    let second = shop.start(&["-v", "--force", "--wait", "2m"]);
    second.wait_for("waiting");
    let serves = |process: &Process| process.command.contains(" agent serve ");
    let mut agents = shop.processes();
    agents.retain(|process| serves(process) && !others.contains(process));
    assert_eq!(agents.len(), 1, "{agents:?}");
    agents[0].signal("KILL");
    second.wait_for("connected again");
    goes_on(&shop);
    first.wait().ok();
    second.wait().ok();
    shop.serves("two", "v3");
    assert_eq!(shop.apps().len(), 1);
}
