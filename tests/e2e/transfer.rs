//! How a release gets to a host: what travels, what does not, and what goes wrong on the way.

mod damaged;
mod full;
mod interrupted;
mod little;
mod moving;
mod odd;
mod slow;
mod spare;

use crate::shop::Shop;
use crate::support::{Host, Run, Running, within};
use serde_json::Value;
use std::time::Duration;

/// What `--json` says of the release on a host.
#[derive(Debug)]
struct Staged {
    /// Bytes on the wire.
    sent: u64,
    /// Files that travelled.
    files_sent: u64,
    /// Bytes that were there already.
    reused: u64,
}

/// The events of a run with `--json`.
fn events(stdout: &str) -> Vec<Value> {
    let lines = stdout.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// `ship deploy production --json`.
#[track_caller]
fn deploy_json(shop: &Shop) -> Run {
    shop.ship(&["deploy", "production", "--json"])
}

/// A deploy to one host that goes well.
#[track_caller]
fn staged(shop: &Shop) -> Staged {
    let run = deploy_json(shop);
    let events = events(&run.ok().stdout);
    let staged = events.iter().find(|event| event["what"] == "staged");
    let staged = staged.unwrap_or_else(|| panic!("nothing was staged\n{run}"));
    let number = |name: &str| staged[name].as_u64().expect("a number");
    Staged {
        sent: number("sent"),
        files_sent: number("files_sent"),
        reused: number("reused"),
    }
}

/// Starts a deploy and waits until so many bytes of content are on the wire.
#[track_caller]
fn deploy_until(shop: &Shop, sent: u64) -> Running {
    let deploy = shop.start_deploy(&["--json"]);
    within(Duration::from_secs(120), "the transfer to go on", || {
        let (stdout, stderr) = deploy.output();
        let so_far = transferred(&stdout);
        let over = stdout.contains("\"event\":\"failed\"") || stdout.contains("\"staged\"");
        assert!(!over, "too late at {so_far}\n{stdout}{stderr}");
        (so_far >= sent).then_some(())
    });
    deploy
}

/// How many bytes of content were on the wire when that was said last.
fn transferred(stdout: &str) -> u64 {
    let events = events(stdout);
    let last = events.iter().rfind(|event| event["what"] == "transferring");
    last.and_then(|event| event["sent"].as_u64()).unwrap_or(0)
}

/// Names, kinds, executable bits, links and contents of a tree, whoever reads it.
const LIST: &str = r#"
    cd "$1" && export LC_ALL=C &&
    find . -mindepth 1 \( -type d -printf 'd %P\0' -o -type l -printf 'l %P to %l\0' \
        -o -perm -u+x -printf 'x %P\0' -o -printf '%y %P\0' \) | sort -z | tr '\0' '\n' &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum"#;

/// What the live release of the host is, is what the project is.
#[track_caller]
fn is_the_project(host: &Host, shop: &Shop) {
    let mut list = shop.command("sh");
    let here = list.args(["-c", LIST, "sh", "app"]).output().expect("sh");
    assert!(here.status.success(), "{here:?}");
    let here = String::from_utf8_lossy(&here.stdout).into_owned();
    let live = "/srv/shop/current/app";
    let there = host.sh(&format!("set -- {live}; {LIST}"));
    let differing = here
        .trim()
        .lines()
        .zip(there.lines())
        .find(|(here, there)| here != there);
    assert!(here.trim() == there, "differs on the host: {differing:?}");
}

/// The tidying after a deploy is done: there is a spare, and nothing is left of anything else.
#[track_caller]
fn is_tidy(host: &Host) {
    let list = "cd /srv/shop/.ship && find staging trash spare* -mindepth 1 -maxdepth 1 | sort";
    // At low priority, and with a sync.
    within(
        Duration::from_secs(120),
        "nothing but the spare to be left",
        || {
            let found = host.exec(list);
            let found = String::from_utf8_lossy(&found.stdout);
            (found.trim() == "spare/artifact\nspare/index\nspare/tree").then_some(())
        },
    );
}
