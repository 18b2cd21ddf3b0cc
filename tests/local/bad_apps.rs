//! Apps that do not serve: the deploy ends in one clear error, and the release before serves.

use crate::shop::{PATIENT, Shop, Words, free_port, listen};
use crate::support::Run;

/// Deploys `mode` as the first release and as a later one. The whole of what was said must hold
/// all of `words`, and the machine must be as it was.
#[track_caller]
fn fails(mode: &str, words: &[&str]) {
    let shop = Shop::new();
    bad(&shop, mode, words, "there was no release before");
    shop.serves_nothing();

    shop.mode("good");
    shop.deploy(&[]).ok();
    let live = shop.current().expect("a live release");
    let before = shop.apps().len();
    bad(&shop, mode, words, "the previous release is serving");
    shop.serves("one", &live);
    assert_eq!(shop.apps().len(), before, "{:?}", shop.apps());
}

#[track_caller]
fn bad(shop: &Shop, mode: &str, words: &[&str], truth: &str) {
    shop.mode(mode);
    let never_healthy = ["silent", "500", "elsewhere", "address"].contains(&mode);
    if never_healthy {
        shop.patience(PATIENT, "4s");
    }
    let run = shop.deploy(&[]);
    if never_healthy {
        shop.patience("4s", PATIENT);
    }
    run.code(7).stderr_has(truth);
    one_error(&run);
    for word in words {
        run.stderr_has(word);
    }
}

/// Exactly one line begins with `error`.
#[track_caller]
fn one_error(run: &Run) {
    let errors = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error"))
        .count();
    assert_eq!(errors, 1, "one clear error\n{run}");
}

#[test]
fn one_that_exits_at_once() {
    fails("exit", &["exit code 3", "no database is configured"]);
}

#[test]
fn one_that_never_listens() {
    fails(
        "silent",
        &[
            "not healthy within 4s",
            "listens on no TCP port",
            "thinking",
        ],
    );
}

#[test]
fn one_that_answers_500() {
    fails("500", &["answered 500"]);
}

/// The first held the deploy for ever; the second filled its memory. It is looked at until the
/// release has settled: the launcher's own words are there first.
#[test]
fn one_that_replaces_what_its_launcher_announced() {
    let shop = Shop::with(&Words {
        service: "settle = \"1s\"".to_owned(),
        ..Words::default()
    });
    shop.deploy(&[]).ok();
    shop.patience("40m", "2s");
    for (mode, what) in [("fifo", "a FIFO"), ("endless", "a link")] {
        let is = format!("not healthy within 2s: {}", shop.root().display());
        let what = format!(
            "/.ship/runtime/web/release is {what}, not a regular file; only the launcher may write it"
        );
        bad(
            &shop,
            mode,
            &[&is, &what],
            "the previous release is serving",
        );
        shop.serves("one", "v1");
    }
}

#[test]
fn one_that_listens_on_another_port() {
    let shop = Shop::new();
    let other = free_port();
    shop.controller.write("elsewhere", other.to_string());
    let words = [
        format!("127.0.0.1:{other}"),
        format!("expected {}", shop.port),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    bad(&shop, "elsewhere", &words, "there was no release before");
    shop.serves_nothing();
    shop.mode("good");
    shop.deploy(&[]).ok();
    bad(
        &shop,
        "elsewhere",
        &words,
        "the previous release is serving",
    );
    shop.serves("one", "v2");
}

#[test]
fn one_that_listens_on_another_address() {
    let shop = Shop::deployed();
    let words = format!("listens on 127.0.0.2:{} only", shop.port);
    bad(
        &shop,
        "address",
        &[&words],
        "the previous release is serving",
    );
    shop.serves("one", "v1");
}

#[test]
fn an_old_process_that_ignores_the_signal_is_said_to_have_been_killed() {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"\nstop-timeout = \"1s\"".to_owned(),
        ..Words::default()
    });
    shop.mode("stubborn");
    shop.deploy(&[]).ok();
    shop.mode("good");
    shop.version("two");
    let run = shop.deploy(&[]);
    run.ok()
        .stderr_has("the old web did not stop within 1s and was killed");
    shop.serves("two", "v2");
    assert_eq!(shop.apps().len(), 1, "{:?}", shop.apps());

    shop.mode("stubborn");
    shop.deploy(&[]).ok();
    let stop = shop.controller.ship(&["stop", "local"]);
    stop.ok()
        .stderr_has("web did not stop within 1s and was killed");
    assert_eq!(shop.apps(), []);
}

/// It answers for three seconds: only the default of `settle` finds it out.
#[test]
fn one_that_crashes_after_three_seconds() {
    let shop = Shop::with(&Words::default());
    shop.deploy(&[]).ok();
    shop.version("two");
    bad(
        &shop,
        "crash",
        &["exit code 9"],
        "the previous release is serving",
    );
    shop.serves("one", "v1");
    assert_eq!(shop.apps().len(), 1);
}

#[test]
fn one_whose_program_is_not_there() {
    let shop = Shop::deployed();
    let text =
        std::fs::read_to_string(shop.controller.project().join("ship.toml")).expect("a manifest");
    shop.controller.write(
        "ship.toml",
        text.replace("python3 app.py", "no-such-runtime app.py"),
    );
    let run = shop.deploy(&[]);
    run.code(5)
        .stderr_has("the service web starts `no-such-runtime`, which is not on this host")
        .stderr_has("install no-such-runtime on the host");
    one_error(&run);
    shop.serves("one", "v1");
}

#[test]
fn one_whose_port_is_taken() {
    let shop = Shop::new();
    let stranger = listen(shop.port);
    let run = shop.deploy(&[]);
    let port = shop.port.to_string();
    run.code(5)
        .stderr_has(&format!("port {port}"))
        .stderr_has("taken by another process");
    one_error(&run);
    assert_eq!(shop.current(), None);
    assert!(shop.releases().is_empty(), "{:?}", shop.releases());
    drop(stranger);
    shop.deploy(&[]).ok();
    shop.serves("one", "v1");
}

/// The app is live on one port; the next release wants another one, which a stranger has.
#[test]
fn one_whose_new_port_is_taken() {
    let mut shop = Shop::deployed();
    let old = shop.port;
    shop.port = free_port();
    let stranger = listen(shop.port);
    shop.manifest(&Words {
        service: "settle = \"0s\"".to_owned(),
        ..Words::default()
    });
    let run = shop.deploy(&[]);
    run.code(5).stderr_has("taken by another process");
    drop(stranger);
    shop.port = old;
    shop.serves("one", "v1");
}

/// Users had no answer for the whole health timeout, and the end of the deploy did not say so.
#[test]
fn the_time_without_an_answer_is_told_when_the_deploy_fails_too() {
    let shop = Shop::deployed();
    shop.mode("silent");
    shop.patience(PATIENT, "4s");
    let run = shop.deploy(&["--json"]);
    shop.patience("4s", PATIENT);
    run.code(7);
    let events: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let outcome = &events.last().expect("a last event")["outcome"];
    let ms = outcome["unanswered_ms"].as_u64().expect("a figure");
    let all = outcome["ms"].as_u64().expect("a duration");
    assert!((4_000..all).contains(&ms), "{ms} of {all} ms\n{run}");
    assert_eq!(outcome["hosts"][0]["unanswered_ms"], ms);
    let reverted = events.iter().find(|event| event["what"] == "reverted");
    assert_eq!(reverted.expect("a way back")["unanswered_ms"], ms);
}

/// The health path of the release before is another one: it answers there, and nowhere else.
#[test]
fn a_release_with_another_health_path_is_measured_too() {
    let shop = Shop::deployed();
    let manifest = shop.controller.project().join("ship.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    shop.controller.write(
        "ship.toml",
        text.replace("path = \"/\"", "path = \"/healthz\""),
    );
    shop.mode("strict");
    let run = shop.deploy(&[]);
    run.ok().stderr_has("did not answer for");
}
