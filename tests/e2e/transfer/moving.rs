//! Files that change while they are read: a build that still runs.

use super::{deploy_until, is_the_project, is_tidy};
use crate::shop::{Shop, releases, serves};
use crate::support::{Host, noise, require_hosts};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What happens to a file, and what is said of it.
type Move = (&'static str, fn(&Path), &'static str);

const SIZE: usize = 10_000_000;

const MOVES: [Move; 5] = [
    (
        "shrinks",
        |path| open(path).set_len(1000).expect("a file"),
        "it changed after it was scanned",
    ),
    (
        "grows",
        |path| {
            open(path)
                .write_all_at(b"more", SIZE as u64)
                .expect("a file")
        },
        "it changed after it was scanned",
    ),
    (
        "changes in place",
        |path| {
            open(path)
                .write_all_at(b"other", 4_000_000)
                .expect("a file")
        },
        "it changed after it was scanned",
    ),
    (
        "is gone",
        |path| fs::remove_file(path).expect("a file"),
        "No such file",
    ),
    (
        "becomes a link",
        |path| {
            fs::remove_file(path).expect("a file");
            std::os::unix::fs::symlink("/etc/passwd", path).expect("a link");
        },
        "app/moving",
    ),
];

fn open(path: &Path) -> File {
    File::options().write(true).open(path).expect("a file")
}

#[test]
fn a_file_that_moves_ends_the_deploy() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    shop.version("v2");
    let path = shop.project().join("app/moving");
    for ((how, change, why), seed) in MOVES.into_iter().zip(1..) {
        // Before it in the stream, and more than is read ahead.
        shop.write("app/before", noise(10 * seed, 15_000_000));
        shop.write("app/moving", noise(10 * seed + 1, SIZE));
        host.limit_rate(Some(8));
        let deploy = deploy_until(&shop, 1_000_000);
        change(&path);
        host.limit_rate(None);
        let run = deploy.wait();
        run.code(5);
        let events = super::events(&run.stdout);
        let failed = events.iter().filter(|event| event["event"] == "failed");
        let failed: Vec<_> = failed.collect();
        assert_eq!(failed.len(), 1, "{how}: one clear error\n{run}");
        let message = failed[0]["failure"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("app/moving") && message.contains(why),
            "{how}: {message}\n{run}"
        );
        serves(&host, "v1", "v1");
        assert_eq!(releases(&host), ["v1"]);
        let _ = fs::remove_file(&path);
    }
    shop.write("app/moving", "still\n");
    shop.deploy().ok();
    serves(&host, "v2", "v2");
    is_the_project(&host, &shop);
    is_tidy(&host);
}
