//! Pinned runtimes on real hosts: the service runs on the very archive that the build used.

mod cut_off;
mod installed;
mod needs;
mod node;
mod others;
mod transfer;

use crate::shop::Shop;
use crate::support::{Host, Mirror};

/// Tells its runtime: `/node` its version, `/path` its `PATH`.
const SERVER: &str = r#"
const fs = require("fs");
const path = require("path");
const version = fs.readFileSync(path.join(__dirname, "VERSION"), "utf8").trim();
const answers = { "/node": process.version, "/path": process.env.PATH };
require("http")
  .createServer((request, response) => response.end((answers[request.url] ?? version) + "\n"))
  .listen(process.env.PORT);
"#;

/// A service on Node, built and tested with it.
const TABLES: &str = r#"
[build]
steps = ["node --version > app/BUILT"]

[test]
steps = ["node --version > TESTED"]

[services.web]
command = "node app/server.js"
port = 3000
health = { path = "/healthz", timeout = "20s" }
settle = "1s"
"#;

/// The shop as a Node app that asks for `node`, pinned from `mirror`.
fn node_shop(mut shop: Shop, node: &str, mirror: &Mirror) -> Shop {
    shop.set_env("SHIP_NODE_MIRROR", &mirror.address("node"));
    shop.write("app/server.js", SERVER);
    ask_for(&mut shop, node);
    shop.ship(&["pin"]).ok();
    shop
}

/// What the manifest asks for from now on; not pinned yet.
fn ask_for(shop: &mut Shop, node: &str) {
    shop.tables = format!("[runtimes]\nnode = \"{node}\"\n{TABLES}");
    shop.write_manifest();
}

/// The runtimes that lie on the host, with whatever else is in their folder.
fn on_host(host: &Host) -> Vec<String> {
    let listed = host.sh("ls -A /srv/shop/runtimes 2> /dev/null | sort");
    listed.split_whitespace().map(str::to_owned).collect()
}

/// Those of which the name begins so.
fn on_host_of(host: &Host, beginning: &str) -> Vec<String> {
    let mut names = on_host(host);
    names.retain(|name| name.starts_with(beginning));
    names
}
