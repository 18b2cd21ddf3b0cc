//! Ctrl-C, SIGTERM and SIGHUP at every stage: the release before serves, and the exit code says so.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::shop::{Shop, Words};
use crate::support::within;

/// `v1` serves; the next deploy takes `settle` to be proven.
fn settling(settle: &str) -> Shop {
    let shop = Shop::deployed();
    shop.version("two");
    shop.manifest(&Words {
        service: format!("settle = \"{settle}\""),
        // Where the machine is left to itself, it shall not take long.
        tables: "[environments.local]\nrollout = { lease = \"5s\" }\n".to_owned(),
    });
    shop
}

fn switched(shop: &Shop) {
    within(Duration::from_secs(20), "the switch", || {
        (shop.current().as_deref() == Some("v2") && shop.ask("/").as_deref() == Some("two"))
            .then_some(())
    });
}

#[test]
fn during_the_build() {
    for signal in ["INT", "TERM", "HUP"] {
        let shop = Shop::deployed();
        shop.version("two");
        shop.manifest(&Words {
            service: "settle = \"0s\"".to_owned(),
            tables: "[build]\nsteps = [\"touch begun; sleep 904\"]\n".to_owned(),
        });
        let begun = shop.controller.project().join("begun");
        let deploy = shop.start(&[]);
        within(Duration::from_secs(20), "the step", || {
            begun.exists().then_some(())
        });
        deploy.signal(signal);
        let run = deploy.wait();
        run.code(130);
        shop.serves("one", "v1");
        let steps: Vec<_> = shop
            .processes()
            .into_iter()
            .filter(|process| process.command.contains("sleep 904"))
            .collect();
        assert_eq!(steps, [], "SIG{signal}");
    }
}

#[test]
fn during_the_activation() {
    for signal in ["INT", "TERM", "HUP"] {
        let shop = settling("20m");
        let deploy = shop.start(&[]);
        switched(&shop);
        deploy.signal(signal);
        let run = deploy.wait();
        run.code(130).stderr_has("v1");
        shop.serves("one", "v1");
        assert_eq!(shop.apps().len(), 1, "{:?}", shop.apps());
        // It was not the release's fault.
        shop.manifest(&Words {
            service: "settle = \"0s\"".to_owned(),
            ..Words::default()
        });
        shop.deploy(&[]).ok();
        assert_eq!(shop.ask("/").as_deref(), Some("two"));
    }
}

/// There is no transaction yet that could hear of it.
#[test]
fn while_something_is_asked() {
    let shop = Shop::deployed();
    let app = shop.apps().remove(0).pid.to_string();
    let kill = |signal: &str| {
        let mut kill = std::process::Command::new("kill");
        let ended = kill.args([signal, &app]).status();
        assert!(ended.expect("kill").success());
    };
    // The question whether the live release is healthy takes its 3 s.
    kill("-STOP");
    for args in [&["deploy", "local", "-v"][..], &["status", "local"]] {
        let running = shop.controller.spawn(args);
        std::thread::sleep(Duration::from_millis(1200));
        running.signal("INT");
        let run = running.wait();
        run.code(130);
        assert!(run.duration < Duration::from_secs(3), "{run}");
    }
    kill("-CONT");
    shop.serves("one", "v1");
}

#[test]
fn during_the_first_activation() {
    let shop = Shop::with(&Words {
        service: "settle = \"30s\"".to_owned(),
        ..Words::default()
    });
    let deploy = shop.start(&[]);
    within(Duration::from_secs(20), "the app", || shop.ask("/"));
    deploy.signal("INT");
    deploy.wait().code(130);
    shop.serves_nothing();
}

#[test]
fn during_the_proof_of_a_restart() {
    let shop = Shop::deployed();
    let mode = shop.root().join("releases/v1/mode");
    let becomes = |word: &str| {
        fs::remove_file(&mode).expect("a file of v1");
        fs::write(&mode, word).expect("write into v1");
    };
    becomes("silent");
    let restart = shop.controller.spawn(&["restart", "local"]);
    within(Duration::from_secs(20), "the restart", || {
        shop.ask("/").is_none().then_some(())
    });
    restart.signal("INT");
    let run = restart.wait();
    run.code(130).stderr_has("unproven");
    let history = shop.history();
    assert!(history.contains("interrupted"), "{history}");
    becomes("good");
    shop.controller.ship(&["restart", "local"]).ok();
    shop.serves("one", "v1");
}

/// The second Ctrl-C leaves at once; the machine goes back by itself.
#[test]
fn twice() {
    let shop = settling("30s");
    let deploy = shop.start(&[]);
    switched(&shop);
    deploy.signal("INT");
    deploy.wait_for("a second Ctrl-C");
    // Sooner it is taken for the same one.
    sleep(Duration::from_millis(600));
    deploy.signal("INT");
    let run = deploy.wait();
    run.code(130);
    shop.serves_within(40, "one", "v1");
}

/// A terminal that is closed says so twice: that is no second wish.
#[test]
fn twice_as_a_closed_terminal_does() {
    let shop = settling("20m");
    let deploy = shop.start(&[]);
    switched(&shop);
    deploy.signal("HUP");
    deploy.signal("HUP");
    deploy.wait().code(130);
    // It was waited for.
    shop.serves("one", "v1");
}

/// A signal to the whole process group, as a terminal sends it: what keeps the app running is not
/// of this group.
#[test]
fn to_the_whole_process_group() {
    use std::os::unix::process::CommandExt;
    let shop = settling("30s");
    let mut command = shop.controller.command(env!("CARGO_BIN_EXE_ship"));
    let deploy = crate::support::Running::start(command.args(["deploy", "local"]).process_group(0));
    switched(&shop);
    let group = format!("-{}", deploy.pid());
    let sent = std::process::Command::new("kill")
        .args(["-INT", "--", &group])
        .status();
    assert!(sent.expect("kill").success());
    deploy.wait().code(130);
    shop.serves("one", "v1");
}

/// A script's job in the background ignores SIGINT; what keeps the app running, and the app, do not.
#[test]
fn that_ship_ignores_are_heard_by_the_app() {
    let shop = Shop::new();
    let mut command = shop.controller.command("/bin/sh");
    command
        .args(["-c", "trap '' INT QUIT HUP; \"$SHIP\" deploy local"])
        .env("SHIP", env!("CARGO_BIN_EXE_ship"));
    crate::support::Running::start(&mut command).wait().ok();
    let app = shop.apps().remove(0).pid;
    let status = fs::read_to_string(format!("/proc/{app}/status")).expect("the app's status");
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:\t"));
    let mask = u64::from_str_radix(mask.expect("a mask"), 16).expect("a mask");
    assert_eq!(mask & 0b111, 0, "{status}");
}
