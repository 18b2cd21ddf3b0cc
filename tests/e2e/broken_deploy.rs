//! The rollback story.

use crate::shop::{Shop, WEB, answer, current, rows, serves};
use crate::support::{Host, require_hosts};

#[test]
fn a_broken_release_is_put_back_and_never_gone_back_to() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.tables = WEB.replace("20s", "10s");
    shop.write_manifest();
    shop.git(&["init", "--quiet"]);
    let commit = |message: &str| {
        shop.git(&["add", "."]);
        shop.git(&["commit", "--quiet", "--message", message]);
        shop.git(&["rev-parse", "--short=9", "HEAD"])
    };

    // Two good releases.
    let first = commit("open the shop");
    shop.deploy()
        .ok()
        .stderr_has("shop v1 is live on production (web1)");
    serves(&host, "v1", "v1");
    shop.version("v2");
    let second = commit("sell more");
    shop.deploy().ok().stderr_has("switched from v1 to v2");
    serves(&host, "v2", "v2");

    // The third starts, and its health check fails.
    shop.version("v3");
    shop.sick(Some("the database is on fire"));
    let third = commit("sell everything");
    let broken = shop.deploy();
    broken.code(7);
    serves(&host, "v2", "v2");
    for said in [
        "web of v3 is not healthy: not healthy within 10s",
        "500",
        "of its log:",
        "| shop v3 opens",
        "| cannot serve: the database is on fire",
        "put back to v2, which is healthy",
        "v3 failed on deploy@web1; the previous release is serving",
    ] {
        broken.stderr_has(said);
    }
    assert_eq!(broken.stdout, "", "{broken}");
    let listed = shop.ship(&["releases", "production"]);
    let listed = rows(&listed.ok().stdout);
    assert_eq!(listed[1][..2], ["v3", "bad"]);
    assert_eq!(listed[2][..3], ["v2", "live", "good"]);
    assert_eq!(listed[3][..2], ["v1", "good"]);

    // The way back leads past the broken one.
    shop.ship(&["rollback"])
        .ok()
        .stderr_has("shop v1 is live again on production (web1)");
    serves(&host, "v1", "v1");
    let nowhere = shop.ship(&["rollback"]);
    nowhere.code(5);
    for said in [
        "error: there is no good release before v1 to go back to",
        "good on every host: v2",
        "hint: ship rollback production --to v2",
    ] {
        nowhere.stderr_has(said);
    }
    serves(&host, "v1", "v1");

    // Forth to a named one, but not to a bad one, nor to one that never was.
    shop.ship(&["rollback", "--to", "v2"]).ok();
    serves(&host, "v2", "v2");
    let bad = shop.ship(&["rollback", "production", "--to", "v3"]);
    bad.code(5)
        .stderr_has("v3 is bad on deploy@web1")
        .stderr_has("good on every host: v1, v2");
    shop.ship(&["rollback", "--to", "v9"])
        .code(5)
        .stderr_has("v9 is not on deploy@web1");
    shop.ship(&["rollback", "--to", "v2"])
        .code(5)
        .stderr_has("v2 is live already");
    shop.ship(&["rollback", "--to", "latest"]).code(2);
    assert_eq!(
        (current(&host), answer(&host, "/")),
        ("releases/v2".into(), "v2".into())
    );

    // All of it is in the history, newest first; what was refused touched nothing.
    let history = shop.ship(&["history", "production", "--json"]);
    let history: serde_json::Value = serde_json::from_str(&history.ok().stdout).expect("JSON");
    let told: Vec<String> = history["answer"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            let word = |key: &str| entry[key].to_string().replace(['"'], "");
            let commit: String = word("commit").chars().take(9).collect();
            let [what, release, from, outcome] = ["what", "release", "from", "outcome"].map(word);
            assert!(word("who").starts_with("dev@"), "{entry}");
            format!("{what} {release} from {from}: {outcome} {commit}")
        })
        .collect();
    assert_eq!(
        told,
        [
            format!("rollback 2 from 1: good {second}"),
            format!("rollback 1 from 2: good {first}"),
            format!("deploy 3 from 2: reverted {third}"),
            format!("deploy 2 from 1: good {second}"),
            format!("deploy 1 from null: good {first}"),
        ]
    );
    let page = shop.ship(&["history", "production"]);
    page.ok()
        .stdout_has("not healthy within 10s")
        .stdout_has(&third);
}
