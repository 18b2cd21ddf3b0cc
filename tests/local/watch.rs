//! `watch` on this machine: the release is good only after it.

use std::thread::sleep;
use std::time::Duration;

use crate::shop::{Shop, Words};
use crate::support::{Run, within};

/// `v1` serves; the next release, in this mode, is watched for so long after a proof that takes no
/// time.
fn watched(mode: &str, watch: &str) -> Shop {
    let shop = Shop::deployed();
    shop.version("two");
    shop.mode(mode);
    shop.manifest(&Words {
        service: "settle = \"0s\"".to_owned(),
        // Where the machine is left to itself, it shall not take long.
        tables: format!(
            "[environments.local]\nwatch = \"{watch}\"\nrollout = {{ lease = \"5s\" }}\n"
        ),
    });
    shop
}

/// The next release is good until it is watched.
fn turns_bad(shop: &Shop) -> Run {
    let deploy = shop.start(&[]);
    deploy.wait_for("is watched for 1200 s");
    shop.turns();
    deploy.wait()
}

/// The state of `v2`, as `ship releases` has it.
fn state(shop: &Shop) -> String {
    let listed = shop.controller.ship(&["releases", "local"]);
    let line = listed
        .ok()
        .stdout
        .lines()
        .find(|line| line.starts_with("v2"));
    let mut words = line.expect("a line of v2").split_whitespace().skip(1);
    words
        .find(|word| *word != "live")
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_release_that_stays_healthy_is_good_only_after_it() {
    let shop = watched("good", "10s");
    let deploy = shop.start(&[]);
    deploy.wait_for("v2 is watched for 10 s before it counts as good");
    shop.serves("two", "v2");
    assert_eq!(state(&shop), "active");
    let run = deploy.wait();
    run.ok().stderr_has("v2 stayed healthy");
    assert!(run.duration >= Duration::from_secs(10), "{run}");
    assert_eq!(state(&shop), "good");
    shop.serves("two", "v2");
}

#[test]
fn one_that_turns_bad_goes_back() {
    let shop = watched("sour", "20m");
    let run = turns_bad(&shop);
    run.code(7)
        .stderr_has("web: answered 500 Internal Server Error, 1 of 3")
        .stderr_has("3 health checks in a row failed, the last one: answered 500")
        .stderr_has("v2 failed on local; the previous release is serving")
        .stderr_has("the service did not answer for");
    shop.serves("one", "v1");
    assert_eq!(state(&shop), "bad");
    let history = shop.history();
    assert!(history.contains("turned bad") && history.contains("s after it was proven"));
}

#[test]
fn one_that_dies_goes_back_at_once() {
    let shop = watched("dies", "20m");
    let run = turns_bad(&shop);
    run.code(7)
        .stderr_has("the process ended: exit code 9")
        .stderr_has("the service did not answer for");
    shop.serves("one", "v1");
    assert_eq!(state(&shop), "bad");
    assert_eq!(shop.apps().len(), 1, "{:?}", shop.apps());
}

#[test]
fn it_can_be_interrupted() {
    let shop = watched("good", "20m");
    let deploy = shop.start(&[]);
    deploy.wait_for("is watched for 1200 s");
    shop.serves("two", "v2");
    deploy.signal("INT");
    let run = deploy.wait();
    run.code(130);
    shop.serves("one", "v1");
    // It was not the release's fault.
    assert_eq!(state(&shop), "staged");
}

/// The second Ctrl-C leaves at once; the machine goes back by itself.
#[test]
fn or_left_to_the_machine() {
    let shop = watched("good", "20m");
    let deploy = shop.start(&[]);
    deploy.wait_for("is watched for 1200 s");
    deploy.signal("INT");
    deploy.wait_for("a second Ctrl-C");
    // Sooner it is taken for the same one.
    sleep(Duration::from_millis(600));
    deploy.signal("INT");
    deploy.wait().code(130);
    within(Duration::from_secs(40), "v1", || {
        (shop.current().as_deref() == Some("v1")).then_some(())
    });
    shop.serves_within(20, "one", "v1");
}
