//! Commands that ask several hosts at once.

use crate::shop::{Shop, answer, row};
use crate::support::{Fleet, Host, Run, eventually, require_hosts};

#[test]
fn logs_and_commands_of_one_host_or_all_and_the_status_beside_hosts_that_only_live() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    logs(&shop, &fleet);
    commands(&shop);
    only_live(&shop, &fleet);
}

/// The host and the text of each line.
fn lines(run: &Run) -> Vec<(&str, &str)> {
    let lines = run.ok().stdout.lines().map(|line| {
        let host = line.split(' ').next().expect("a host");
        (host, line.split_once(" web  ").expect("a line").1)
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines
}

fn logs(shop: &Shop, fleet: &[Host]) {
    for (host, words) in fleet.iter().zip(["sold-1", "sold-2", "lost-3"]) {
        assert_eq!(answer(host, &format!("/log/{words}")), "logged");
    }
    let of = |more: &[&str]| shop.ship(&[&["logs", "production", "web"], more].concat());
    let sold = [("web1", "sold-1"), ("web2", "sold-2")];
    eventually("the lines in the journals", || {
        let all = of(&["-n", "1", "--grep", "sold|lost"]);
        lines(&all) == [&sold[..], &[("web3", "lost-3")]].concat()
    });
    let since = ["--since", "10m", "--grep", "^sold-"];
    assert_eq!(lines(&of(&since)), sold);
    let one = of(&[&since[..], &["--host", "web2"]].concat());
    assert!(one.ok().stdout.ends_with("Z web  sold-2\n"), "{one}");
    assert_eq!(one.stdout.lines().count(), 1, "{one}");
    assert_eq!(lines(&of(&["--since", "10m"])).len(), 6);
    let none = of(&[&since[..], &["--host", "deploy@web3"]].concat());
    assert_eq!(none.ok().stdout, "", "{none}");
    none.stderr_has("no log lines match");
    of(&["--host", "web9"])
        .code(5)
        .stderr_has("its hosts are: deploy@web1, deploy@web2, deploy@web3");
}

fn commands(shop: &Shop) {
    let exec = |options: &[&str], script: &str| {
        let words = ["--", "sh", "-c", script];
        shop.ship(&[&["exec", "production"], options, &words[..]].concat())
    };
    for host in ["web1", "web2", "deploy@web3"] {
        let said = exec(&["--host", host], "hostname; pwd; exit 4");
        let name = host.trim_start_matches("deploy@");
        let expected = format!("{name}\n/srv/shop/releases/v1\n");
        assert_eq!((&*said.code(4).stdout, &*said.stderr), (&*expected, ""));
    }
    // Each line says whose it is; the worst exit code is that of the whole.
    let all = exec(
        &["--all"],
        "echo \"$SHIP_RELEASE $(hostname)\"; echo oops >&2; test $(hostname) != web2 || exit 3",
    );
    all.code(3).stderr_has("web2: exit code 3");
    for name in ["web1", "web2", "web3"] {
        assert_eq!(row(&all.stdout, name)[1..], ["v1", name], "{all}");
        assert_eq!(row(&all.stderr, name)[1..], ["oops"], "{all}");
    }
    assert_eq!(all.stdout.lines().count(), 3, "{all}");
    exec(&["--all", "--host", "web1"], "true").code(2);
}

/// In the place of the agent: answers the opening as the agent does, if `--open` is wanted of it,
/// and says to everything else that it lives.
const LIVES: &str = r#"#!/bin/sh
case $(hostname) in
    web2) "$0.real" "$@" < /dev/null ;;
    *) printf '\377ship-agent\376' ;;
esac
while printf '\000\013\000\000\000"heartbeat"'; do sleep 1; done
"#;

/// A status ends within its limit, and shows the host that answers.
fn only_live(shop: &Shop, fleet: &[Host]) {
    for host in &fleet[1..] {
        host.write("/root/lives", LIVES);
        host.sh(
            "cd /srv/shop/.ship/bin && agent=$(ls -d ship-*) && mv $agent $agent.real && \
             cp /root/lives $agent && chown deploy: $agent && chmod 755 $agent",
        );
    }
    let status = shop.ship(&["status", "production"]);
    let seconds = status.duration.as_secs();
    assert!((30..50).contains(&seconds), "{status}");
    status.code(6);
    assert_eq!(
        row(&status.stdout, "web1")[1..5],
        ["v1", "web", "running", "healthy"],
        "{status}"
    );
    for (name, asked) in [("web2", "question"), ("web3", "what is live there?")] {
        assert_eq!(row(&status.stdout, name)[1..], ["unreachable"], "{status}");
        status.stdout_has(&format!(
            "{name}: the agent is alive but has not answered ({asked}) within 30 s"
        ));
    }
}
