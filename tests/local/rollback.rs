//! A rollback on this machine that has nowhere to go.

use crate::shop::Shop;
use crate::support::Run;

/// The error, its details and its hint.
fn refusal(run: &Run) -> Vec<&str> {
    let said = run.stderr.lines();
    said.skip_while(|line| !line.starts_with("error:"))
        .collect()
}

#[test]
fn a_rollback_at_the_oldest_release_names_the_releases_and_the_next_command() {
    let shop = Shop::deployed();
    let only = shop.controller.ship(&["rollback", "local"]);
    assert_eq!(
        refusal(only.code(5)),
        [
            "error: there is no good release before v1 to go back to",
            "  v1 is the only good release on every host",
            "hint: deploy a corrected release: ship deploy local",
        ],
        "{only}"
    );
    shop.version("two");
    shop.deploy(&[]).ok();
    shop.controller.ship(&["rollback", "local"]).ok();
    shop.serves("one", "v1");
    let oldest = shop.controller.ship(&["rollback", "local"]);
    assert_eq!(
        refusal(oldest.code(5)),
        [
            "error: there is no good release before v1 to go back to",
            "  good on every host: v2",
            "hint: ship rollback local --to v2",
        ],
        "{oldest}"
    );
    shop.serves("one", "v1");
    // The command of the hint is right.
    let hinted = shop.controller.ship(&["rollback", "local", "--to", "v2"]);
    hinted.ok();
    shop.serves("two", "v2");
}

#[test]
fn the_releases_that_a_rollback_can_go_to_are_offered_to_whoever_types() {
    let shop = Shop::deployed();
    shop.version("two");
    shop.deploy(&[]).ok();
    let words = ["complete", "--", "rollback", "local", "--to", ""];
    let run = shop.controller.ship(&words);
    run.ok();
    assert!(
        run.stdout.lines().any(|line| line.starts_with("v1")),
        "{}",
        run.stdout
    );
}
