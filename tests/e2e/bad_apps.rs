//! Apps that behave badly under systemd: the deploy says what they do, and ends within its limits.

use crate::shop::{Shop, WEB, serves};
use crate::support::{Host, HostOptions, require_hosts};

#[test]
fn one_that_does_not_stop_and_ones_that_replace_what_their_launcher_announced() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot_with("web1", &HostOptions::default());
    let mut shop = Shop::planned_on([&host]);
    let web = format!("{}stop-timeout = \"1s\"\n", WEB.replace("20s", "5s"));
    let runs = |shop: &mut Shop, before: &str| {
        shop.tables = web.replace("\"python3", &format!("\"{before} exec python3"));
        shop.write_manifest();
    };
    runs(&mut shop, "trap '' TERM;");
    shop.setup();
    shop.deploy().ok();
    shop.ship(&["stop", "production"])
        .ok()
        .stderr_has("web did not stop within 1s and was killed");
    shop.ship(&["start", "production"]).ok();

    runs(&mut shop, "");
    shop.deploy_version("v2")
        .ok()
        .stderr_has("the old web did not stop within 1s and was killed");
    serves(&host, "v2", "v2");

    let announced = "$RUNTIME_DIRECTORY/release";
    for (replaces, what) in [
        (format!("rm {announced}; mkfifo {announced};"), "a FIFO"),
        (format!("ln -sf /dev/zero {announced};"), "a link"),
    ] {
        runs(&mut shop, &replaces);
        let deploy = shop.deploy();
        deploy.code(7).stderr_has(&format!(
            "not healthy within 5s: /run/shop-web/release is {what}, not a regular file"
        ));
        assert!(deploy.duration.as_secs() < 60, "{deploy}");
        serves(&host, "v2", "v2");
    }
}
