//! Which lines of the logs are shown.

use std::time::Duration;

use crate::shop::{Shop, Words};
use crate::support::within;

/// A shop whose worker says `line 1` to `line 300`, some of them of another kind, and then what is
/// in the file `say` as soon as it is there.
fn talkative() -> Shop {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[services.worker]\ncommand = \"sh talk.sh\"\nsettle = \"0s\"\n".to_owned(),
    });
    let talk = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); \
                [ $((i % 100)) = 7 ] && echo \"ERROR [db] at $i\" || echo \"line $i\"; done\n\
                while [ ! -e ../../say ]; do sleep 0.05; done; cat ../../say; exec sleep 1000\n";
    shop.controller.write("talk.sh", talk);
    shop.deploy(&[]).ok();
    let last = || {
        shop.controller
            .ship(&["logs", "local", "worker", "-n", "1"])
    };
    within(Duration::from_secs(20), "the last line", || {
        last().stdout.ends_with("line 300\n").then_some(())
    });
    shop
}

#[test]
fn lines_are_chosen_by_time_and_text_and_host() {
    let shop = talkative();
    let logs = |more: &[&str]| {
        shop.controller
            .ship(&[&["logs", "local", "worker"], more].concat())
    };
    let texts = |more: &[&str]| -> Vec<String> {
        let run = logs(more);
        let lines = run.ok().stdout.lines();
        let text = |line: &str| line.split_once("worker  ").expect("a line").1.to_owned();
        lines.map(text).collect()
    };
    assert_eq!(texts(&[]).len(), 100);
    assert_eq!(texts(&["--since", "10m"]).len(), 300);
    assert_eq!(
        texts(&["--since", "10m", "-n", "2"]),
        ["line 299", "line 300"]
    );
    assert_eq!(texts(&["-n", "0"]), [""; 0]);
    let errors = ["ERROR [db] at 7", "ERROR [db] at 107", "ERROR [db] at 207"];
    assert_eq!(texts(&["--grep", "ERROR"]), errors);
    assert_eq!(
        texts(&["--grep", r"(?i)error \[db\] .*[0-2]07$", "-n", "1"]),
        errors[2..]
    );
    assert_eq!(texts(&["--until", "10m"]), [""; 0]);
    assert_eq!(
        texts(&["--since", "2020-01-01", "--until", "2020-01-02 10:00"]),
        [""; 0]
    );
    assert_eq!(
        texts(&["--since", "2020-01-01", "--grep", "line 30."]),
        ["line 300"]
    );
    assert_eq!(texts(&["--host", "local", "-n", "1"]), ["line 300"]);
    // Of a service that says nothing, nothing; of both, in the order of time.
    let both = shop.controller.ship(&["logs", "local", "--since", "10m"]);
    assert_eq!(both.ok().stdout.lines().count(), 300, "{both}");

    logs(&["--host", "web9"])
        .code(5)
        .stderr_has("its hosts are: local");
    logs(&["--grep", "a["])
        .code(2)
        .stderr_has("is not a regular expression");
    logs(&["--since", "yesterday"])
        .code(2)
        .stderr_has("expected `10m`");
    logs(&["--since", "1h", "--until", "2h"])
        .code(2)
        .stderr_has("lies before --since");
    logs(&["-f", "--until", "1h"]).code(2);
}

#[test]
fn what_comes_is_chosen_too() {
    let shop = talkative();
    let args = [
        "logs", "local", "worker", "-f", "-n", "1", "--grep", "ERROR",
    ];
    let follower = shop.controller.spawn(&args);
    follower.wait_for("ERROR [db] at 207");
    std::fs::write(shop.root().join("say"), "nothing\nERROR late\n").expect("write");
    follower.wait_for("ERROR late");
    follower.signal("INT");
    let run = follower.wait();
    let lines: Vec<&str> = run.ok().stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{run}");
}

#[test]
fn a_first_release_that_failed_can_be_asked_why() {
    let shop = Shop::new();
    shop.mode("exit");
    shop.deploy(&[]).code(7);
    let run = shop.controller.ship(&["logs", "local"]);
    run.ok();
    assert!(
        run.stdout.contains("no database is configured"),
        "{}",
        run.stdout
    );
}
