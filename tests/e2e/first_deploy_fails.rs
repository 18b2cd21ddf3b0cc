//! There is nothing to go back to yet.

use crate::shop::{Shop, WEB, answer, releases, serves, state};
use crate::support::{Host, require_hosts};

#[test]
fn a_first_release_that_fails_leaves_nothing_live() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.tables = WEB.replace("20s", "10s");
    shop.write_manifest();
    shop.sick(Some("no shelves yet"));

    let failed = shop.deploy();
    failed
        .code(7)
        .stderr_has("| cannot serve: no shelves yet")
        .stderr_has("put back to nothing live, its services are stopped")
        .stderr_has("there was no release before, so the service is stopped");
    assert!(["inactive", "failed"].contains(&&*state(&host, "shop-web")));
    assert!(!host.exists("/srv/shop/current"));
    assert_eq!(answer(&host, "/"), "connection refused");
    assert_eq!(host.sh("pgrep -c -u shop || true"), "0");
    shop.ship(&["rollback"])
        .code(5)
        .stderr_has("nothing is deployed");
    shop.ship(&["status"]).ok().stdout_has("nothing");

    // Numbers go on: v1 was used, and is kept for a look at it.
    shop.sick(None);
    shop.deploy().ok().stderr_has("shop v2 is live");
    serves(&host, "v2", "v1");
    assert_eq!(releases(&host), ["v1", "v2"]);
    shop.ship(&["rollback"])
        .code(5)
        .stderr_has("there is no good release before v2");
    serves(&host, "v2", "v1");
}
