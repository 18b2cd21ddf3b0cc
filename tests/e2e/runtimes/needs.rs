//! Hosts that lack what a runtime needs.

use super::{node_shop, on_host};
use crate::shop::{Shop, answer, current};
use crate::support::runtimes::NODE_20;
use crate::support::{Host, Mirror, require_hosts};

#[test]
fn a_missing_library_is_named_with_its_package() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let host = Host::boot("web1");
    let shop = node_shop(Shop::on([&host]), "20", &mirror);
    let library = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
    host.sh(&format!(
        "mkdir /root/away && mv {library}* /root/away/ && ldconfig"
    ));
    let missing = "node 20.11.1 needs libstdc++.so.6, which this host does not have";
    shop.ship(&["check", "production"])
        .code(5)
        .stdout_has(missing)
        .stdout_has("apt-get install libstdc++6");
    shop.deploy()
        .code(5)
        .stderr_has(missing)
        .stderr_has("apt-get install libstdc++6");
    // Nothing was changed, and nothing was sent.
    assert_eq!(current(&host), "");
    assert_eq!(on_host(&host), Vec::<String>::new());

    host.sh("mv /root/away/* /usr/lib/x86_64-linux-gnu/ && ldconfig");
    shop.ship(&["check", "production"]).ok();
    shop.deploy().ok();
    assert_eq!(answer(&host, "/node"), "v20.11.1");
}

#[test]
fn a_host_with_an_older_c_library_is_told_both_versions() {
    let Some(()) = require_hosts() else { return };
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let host = Host::boot("web1");
    let shop = node_shop(Shop::on([&host]), "20", &mirror);
    // A real one of that age cannot be had here; what is asked is what tells.
    let getconf = "/usr/local/bin/getconf";
    host.write(getconf, "#!/bin/sh\necho glibc 2.17\n");
    host.sh(&format!("chmod 755 {getconf}"));
    let old = "node 20.11.1 needs glibc 2.28 or newer; this host has glibc 2.17";
    shop.ship(&["check", "production"]).code(5).stdout_has(old);
    shop.deploy().code(5).stderr_has(old);
    assert_eq!(current(&host), "");
    host.sh(&format!("rm {getconf}"));
    shop.deploy().ok();
}
