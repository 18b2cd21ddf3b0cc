//! kill -9 of each of the processes that make a deploy, while the new release is being proven.

use std::fs;
use std::time::Duration;

use crate::shop::{Process, Shop, Words};
use crate::support::within;

/// The shortest lease that a manifest may ask for.
const LEASE_S: u64 = 5;

fn proving() -> (Shop, crate::support::Running) {
    proving_for("40s")
}

fn proving_for(settle: &str) -> (Shop, crate::support::Running) {
    let shop = Shop::deployed();
    shop.version("two");
    shop.manifest(&Words {
        service: format!("settle = \"{settle}\""),
        tables: format!("[environments.local]\nrollout = {{ lease = \"{LEASE_S}s\" }}\n"),
    });
    let deploy = shop.start(&[]);
    within(Duration::from_secs(20), "the switch", || {
        (shop.ask("/").as_deref() == Some("two")).then_some(())
    });
    (shop, deploy)
}

/// The agent that passes on what is said.
fn agent(shop: &Shop) -> Process {
    within(Duration::from_secs(20), "the agent", || {
        shop.processes()
            .into_iter()
            .find(|process| process.command.contains(" agent serve "))
    })
}

fn the_transaction_ends(shop: &Shop) {
    within(Duration::from_secs(30), "the transaction's end", || {
        let left = shop.processes();
        left.iter()
            .all(|process| !process.command.contains("agent transaction"))
            .then_some(())
    });
}

#[track_caller]
fn the_next_deploy_works(shop: &Shop) {
    shop.version("three");
    shop.manifest(&Words {
        service: "settle = \"0s\"".to_owned(),
        ..Words::default()
    });
    // The old release may serve already while it is still being proven.
    shop.deploy(&["--wait", "30s"]).ok();
    assert_eq!(shop.ask("/").as_deref(), Some("three"));
    assert_eq!(shop.apps().len(), 1, "{:?}", shop.apps());
}

#[test]
fn of_the_controller() {
    let (shop, deploy) = proving();
    deploy.signal("KILL");
    deploy.wait().killed_by(9);
    // Nobody calls it: the machine finds out and goes back by itself.
    shop.serves_within(LEASE_S + 30, "one", "v1");
    the_transaction_ends(&shop);
    let history = shop.history();
    assert!(
        history.contains("reverted") && history.contains("lease"),
        "{history}"
    );
    the_next_deploy_works(&shop);
}

#[test]
fn of_the_transaction() {
    let (shop, deploy) = proving();
    shop.transaction().signal("KILL");
    // The agent that started it repairs what it left.
    let run = deploy.wait();
    run.code(7).stderr_has("ended without a result");
    shop.serves("one", "v1");
    let history = shop.history();
    assert!(history.contains("recovery"), "{history}");
    the_next_deploy_works(&shop);
}

#[test]
fn of_both() {
    let (shop, deploy) = proving();
    shop.transaction().signal("KILL");
    deploy.signal("KILL");
    deploy.wait();
    // Straight on with a deploy.
    the_next_deploy_works(&shop);
    let history = shop.history();
    assert!(history.contains("recovery"), "{history}");
}

/// The deploy does not depend on it.
#[test]
fn of_the_agent_that_passes_on() {
    let (shop, deploy) = proving_for("15s");
    agent(&shop).signal("KILL");
    let run = deploy.wait();
    run.ok().stderr_has("was lost, reconnecting");
    assert_eq!(run.stderr.matches("reconnecting").count(), 1, "{run}");
    shop.serves("two", "v2");
    the_next_deploy_works(&shop);
}

/// The controller is away for so long that the restart has come to its end without it.
#[test]
fn of_the_agent_that_passes_on_a_restart() {
    let shop = Shop::deployed();
    let app = shop.root().join("releases/v1/app.py");
    let text = fs::read_to_string(&app).expect("a file of v1");
    let waits =
        "import os, time\nwhile not os.path.exists(\"../../turn\"):\n    time.sleep(0.02)\n";
    fs::remove_file(&app).expect("a file of v1");
    fs::write(&app, format!("{waits}{text}")).expect("write into v1");
    let restart = shop.controller.spawn(&["restart", "local"]);
    within(Duration::from_secs(20), "the restart", || {
        shop.ask("/").is_none().then_some(())
    });
    let serve = agent(&shop);
    restart.signal("STOP");
    serve.signal("KILL");
    shop.turns();
    the_transaction_ends(&shop);
    restart.signal("CONT");
    restart.wait().ok();
    shop.serves("one", "v1");
}

/// The supervisor dies while nothing is deployed: what runs goes on running, and the next contact
/// takes it over.
#[test]
fn of_the_supervisor() {
    let shop = Shop::deployed();
    let supervisor = within(Duration::from_secs(20), "the supervisor", || {
        shop.processes()
            .into_iter()
            .find(|process| process.command.contains("agent supervise"))
    });
    let before = shop.apps();
    supervisor.signal("KILL");
    within(Duration::from_secs(20), "its death", || {
        (!shop.processes().contains(&supervisor)).then_some(())
    });
    shop.serves("one", "v1");
    assert_eq!(shop.apps(), before);
    shop.controller.ship(&["status", "local"]).ok();
    shop.version("two");
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");
    assert_eq!(shop.apps().len(), 1, "{:?}", shop.apps());
}

/// Of all of them, as when a container is restarted: its boot is its machine's. What is not proven
/// is not started again.
#[test]
fn of_the_container() {
    let (shop, deploy) = proving();
    // All at one moment, as the kernel ends a container: a process that sees another one die would
    // begin to repair what that one left.
    let mut stopped = Vec::new();
    while stopped != shop.processes() {
        stopped = shop.processes();
        stopped.iter().for_each(|process| process.signal("STOP"));
    }
    stopped.iter().for_each(|process| process.signal("KILL"));
    deploy.wait().killed_by(9);
    within(Duration::from_secs(20), "all to be gone", || {
        shop.processes().is_empty().then_some(())
    });
    assert_eq!(shop.current().as_deref(), Some("v2"));
    let root = shop.root();
    let mut supervisor = shop
        .controller
        .command(env!("CARGO_BIN_EXE_ship"))
        .args(["agent", "supervise"])
        .arg(&root)
        .spawn()
        .expect("a supervisor");
    shop.serves_within(30, "one", "v1");
    the_next_deploy_works(&shop);
    shop.controller
        .ship(&["stop", "local", "--wait", "30s"])
        .ok();
    supervisor.wait().expect("its end");
}
