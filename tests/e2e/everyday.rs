//! An ordinary day with a release that is live.

use crate::shop::{JOBS, Shop, WEB, answer, serves, state};
use crate::support::{Host, Run, Running, Terminal, eventually, noise, require_hosts};
use serde_json::Value;

fn two_services(host: &Host) -> Shop {
    let mut shop = Shop::planned_on([host]);
    shop.tables = format!("{WEB}{JOBS}");
    shop.environment = "env = { SHELF = \"full\" }".into();
    shop.write_manifest();
    shop.setup();
    shop
}

fn pid(host: &Host, service: &str) -> String {
    host.sh(&format!("systemctl show --value -p MainPID shop-{service}"))
}

#[test]
fn services_are_looked_at_restarted_stopped_and_started() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = two_services(&host);
    shop.ship(&["status"]).ok().stdout_has("nothing");
    shop.ship(&["releases"]).ok().stdout_has("no releases");
    shop.ship(&["history"])
        .ok()
        .stdout_has("nothing was ever deployed here");
    shop.deploy().ok();
    let status = shop.ship(&["status"]);
    status
        .ok()
        .stdout_has("v1 went live")
        .stdout_has("healthy")
        .stdout_has("worker");
    assert_eq!(status.stderr, "", "{status}");

    let [web, worker] = ["web", "worker"].map(|service| pid(&host, service));
    shop.ship(&["restart", "production", "web"]).ok();
    assert_ne!(pid(&host, "web"), web);
    assert_eq!(pid(&host, "worker"), worker);
    serves(&host, "v1", "v1");

    shop.ship(&["stop", "production", "web"]).ok();
    assert_eq!(state(&host, "shop-web"), "inactive");
    assert_eq!(state(&host, "shop-worker"), "active");
    assert_eq!(answer(&host, "/"), "connection refused");
    shop.ship(&["status"]).ok().stdout_has("stopped");
    shop.ship(&["start", "production", "web"]).ok();
    serves(&host, "v1", "v1");

    shop.ship(&["stop", "production"]).ok();
    assert_eq!(state(&host, "shop-worker"), "inactive");
    shop.ship(&["start", "production"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(state(&host, "shop-worker"), "active");

    let history = shop.ship(&["history"]);
    let whats: Vec<&str> = history.ok().stdout.lines().skip(1).collect();
    let told = ["start", "stop", "start", "stop", "restart", "deploy"];
    assert_eq!(whats.len(), told.len(), "{history}");
    for (line, what) in whats.iter().zip(told) {
        assert!(line.contains(&format!(" {what} ")), "{what}: {history}");
    }
    shop.ship(&["restart", "production", "mailer"])
        .code(2)
        .stderr_has("`mailer`");
}

#[test]
fn logs_are_shown_and_followed() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = two_services(&host);
    shop.deploy().ok();
    assert_eq!(answer(&host, "/log/one"), "logged");
    eventually("the line in the journal", || {
        shop.ship(&["logs", "production", "web", "-n", "1"])
            .ok()
            .stdout
            .ends_with(" web  one\n")
    });
    // The worker was proven by being there.
    eventually("both to have said something", || {
        let said = shop.ship(&["logs", "production"]).ok().stdout.clone();
        said.contains("worker v1 begins")
    });
    let both = shop.ship(&["logs", "production"]);
    both.ok()
        .stdout_has("web  shop v1 opens")
        .stdout_has("worker  worker v1 begins");
    assert_eq!(both.stderr, "", "{both}");
    let json = shop.ship(&["logs", "production", "web", "--json", "-n", "1"]);
    let line: Value = serde_json::from_str(&json.ok().stdout).expect("a line of JSON");
    assert_eq!(
        (&line["service"], &line["text"]),
        (&"web".into(), &"one".into())
    );

    let chosen = |more: &[&str]| {
        let run = shop.ship(&[&["logs", "production", "web"], more].concat());
        run.ok().stdout.lines().count()
    };
    assert_eq!(
        chosen(&["--grep", "^shop v[0-9] opens$", "--host", "web1"]),
        1
    );
    assert_eq!(chosen(&["--since", "1h"]), 2);
    assert_eq!(
        chosen(&["--since", "1h", "--until", "1m", "--grep", "never said"]),
        0
    );
    assert_eq!(chosen(&["--until", "2020-01-01 10:00"]), 0);
    let follower = shop.spawn(&["logs", "production", "web", "--follow", "-n", "1"]);
    follower.wait_for("web  one");
    // Between the old lines and the new ones nothing is asked twice; a line that comes just then
    // is looked for with the next.
    eventually("a line that is logged later", || {
        assert_eq!(answer(&host, "/log/two"), "logged");
        follower.output().0.contains("web  two")
    });
    follower.signal("INT");
    let followed = follower.wait();
    followed.ok();
    assert!(!followed.stdout.contains("shop v1 opens"), "{followed}");
    eventually("the reader of the journal to end", || {
        host.sh("pgrep -cf '[j]ournalctl.*--follow' || true") == "0"
    });
}

#[test]
fn a_command_runs_in_the_live_release() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = two_services(&host);
    shop.ship(&["exec", "production", "--", "true"])
        .code(5)
        .stderr_has("nothing is deployed");
    shop.deploy().ok();
    let exec = |script: &str| shop.ship(&["exec", "production", "--", "sh", "-c", script]);

    let said = exec("echo out; echo err >&2; echo $SHELF $SHIP_RELEASE $PWD; id -un; exit 7");
    said.code(7);
    assert_eq!(said.stdout, "out\nfull v1 /srv/shop/releases/v1\nshop\n");
    assert_eq!(said.stderr, "err\n");
    let silent = exec("true");
    assert_eq!((&*silent.ok().stdout, &*silent.stderr), ("", ""));
    exec("kill -9 $$").code(137);
    // No shell reads the words again.
    let words = shop.ship(&[
        "exec",
        "production",
        "--",
        "printf",
        "%s|",
        "a b",
        "$HOME",
        "*",
        "'",
    ]);
    assert_eq!(words.ok().stdout, "a b|$HOME|*|'|");
    shop.ship(&["exec", "production", "--", "no-such-program"])
        .code(127)
        .stderr_has("no-such-program: command not found");
    let bytes = exec("head -c 300000 /dev/zero | tr '\\0' x");
    assert_eq!(bytes.ok().stdout.len(), 300_000);
    shop.ship(&["exec", "production", "--host", "web9", "--", "true"])
        .code(5)
        .stderr_has("web1");
}

/// As `rails console` and `psql < dump.sql` need it.
#[test]
fn exec_is_a_console_over_ssh() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    shop.tables = format!("{WEB}env = {{ PYTHONPATH = \"app/vendor\" }}\n");
    shop.write_manifest();
    shop.write("app/vendor/greet.py", "HELLO = 'hello from web1'\n");
    shop.setup();
    shop.deploy().ok();
    let exec = |words: &[&str]| {
        let mut command = shop.command(env!("CARGO_BIN_EXE_ship"));
        command.args([&["exec", "--"], words].concat());
        command
    };
    // The default environment, and a module that the service's environment leads to.
    let import =
        "import greet, os; print(greet.HELLO, os.environ['PORT'], os.environ['RUNTIME_DIRECTORY'])";
    let said = Running::start(&mut exec(&["python3", "-c", import])).wait();
    assert_eq!(said.ok().stdout, "hello from web1 3000 /run/shop-web\n");

    // Ten megabytes in, and what came of them out.
    let sent = noise(3, 10_000_000);
    let path = shop.project().join("dump");
    std::fs::write(&path, &sent).expect("write");
    let back = shop.project().join("back");
    let mut cat = exec(&["cat"]);
    cat.stdin(std::fs::File::open(&path).expect("open"))
        .stdout(std::fs::File::create(&back).expect("create"));
    assert!(cat.status().expect("run ship").success());
    assert!(std::fs::read(&back).expect("read") == sent);

    let mut terminal = Terminal::start(exec(&["python3", "-q"]));
    terminal.shows(">>> ");
    terminal.types("import greet, os, time; greet.HELLO, tuple(os.get_terminal_size())\n");
    terminal.shows("('hello from web1', (100, 40))");
    terminal.resize(50, 120);
    terminal.types("while os.get_terminal_size().lines != 50: time.sleep(0.02)\n\n");
    terminal.types("print('fol' + 'lowed'); time.sleep(1000)\n");
    terminal.shows("followed");
    terminal.types("\x03");
    terminal.shows("KeyboardInterrupt");
    terminal.types("raise SystemExit(7)\n");
    assert_eq!(terminal.end().code(), Some(7));
    assert!(terminal.is_ordinary(), "the terminal is as it was");

    // The cable is cut: both ends notice.
    let mut terminal = Terminal::start(exec(&["sh", "-c", "echo on; sleep 971"]));
    terminal.shows("on");
    let sleeps = || host.sh("pgrep -fc '^sleep [9]71' || true");
    assert_eq!(sleeps(), "1");
    host.link_down();
    assert_eq!(terminal.end().code(), Some(6));
    terminal.shows("the connection was lost");
    assert!(terminal.is_ordinary());
    eventually("the command to end", || sleeps() == "0");
    host.link_up();
}

#[test]
fn programs_get_json() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    let good = shop.ship(&["deploy", "production", "--json"]);
    let events = events(good.ok());
    assert_eq!(good.stderr, "", "{good}");
    assert_eq!(events[0]["event"], "started");
    let last = events.last().expect("an event");
    assert_eq!(last["event"], "finished");
    assert_eq!(last["outcome"]["verb"], "deployed");
    assert_eq!(last["outcome"]["hosts"][0]["healthy"], true);

    shop.tables = WEB.replace("20s", "10s");
    shop.write_manifest();
    shop.sick(Some("no more bread"));
    let bad = shop.ship(&["deploy", "production", "--json"]);
    let events = self::events(bad.code(7));
    let last = events.last().expect("an event");
    assert_eq!(
        (&last["event"], &last["exit"]),
        (&"failed".into(), &7.into())
    );
    assert_eq!(last["failure"]["kind"], "reverted");
    let unproven = events
        .iter()
        .find(|event| event["what"] == "unproven")
        .expect("a diagnosis");
    let log = unproven["diagnosis"]["log"].as_array().expect("a log");
    assert!(
        log.contains(&"cannot serve: no more bread".into()),
        "{unproven}"
    );

    for command in ["status", "releases", "history"] {
        let run = shop.ship(&[command, "production", "--json"]);
        let line: Value = serde_json::from_str(run.ok().stdout.trim()).expect("a line of JSON");
        assert_eq!(line["host"], "deploy@web1");
    }
}

/// Every line of stdout is an event.
#[track_caller]
fn events(run: &Run) -> Vec<Value> {
    let event =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    run.stdout.lines().map(event).collect()
}

/// Of everything that a shell, systemd or a log could trip over.
const SECRET: &str = "tok-7f3a \"$HOME\" `id` \\ 'x' #y";

#[test]
fn a_secret_reaches_the_service_and_nobody_else() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    let watcher = "[hooks]\nbefore-activate = [\"ps axww > /tmp/seen\"]\n";
    shop.tables = format!("{WEB}{watcher}");
    shop.environment = "secrets = [\"API_KEY\"]".into();
    shop.write_manifest();
    shop.setup();
    shop.deploy()
        .code(5)
        .stderr_has("no value for the secret API_KEY");
    assert!(!host.exists("/srv/shop/releases/v1"));

    shop.set_env("API_KEY", SECRET);
    let mut said = String::new();
    for more in ["--verbose", "--json"] {
        let run = shop.ship(&["deploy", "production", "--force", more]);
        said += &format!("{}{}", run.ok().stdout, run.stderr);
    }
    serves(&host, "v2", "v1");
    assert_eq!(answer(&host, "/key"), SECRET);
    said += &shop.ship(&["logs", "production"]).ok().stdout;
    said += &shop.ship(&["status", "production", "--json"]).ok().stdout;
    said += &shop.ship(&["history", "production", "--json"]).ok().stdout;
    said += &host.read("/tmp/seen");
    said += &host.sh("ps axww; journalctl --no-pager --all --output=json");
    assert!(!said.contains("tok-7f3a"), "the secret was said");

    let env = "/srv/shop/releases/v2/.ship/env";
    assert_eq!(host.sh(&format!("stat -c '%a %U' {env}")), "640 deploy");
    let files = host.sh("grep -rlF tok-7f3a /srv /home /tmp /var /etc /run 2>/dev/null | sort");
    assert_eq!(files, format!("/srv/shop/releases/v1/.ship/env\n{env}"));
    let mine = shop
        .command("grep")
        .args(["-rlF", "tok-7f3a", ".."])
        .output()
        .expect("grep");
    assert_eq!(
        String::from_utf8_lossy(&mine.stdout),
        "",
        "left on the controller"
    );

    // Another value is another release; a rollback brings the old one back.
    shop.set_env("API_KEY", "tok-new");
    shop.deploy().ok();
    assert_eq!(answer(&host, "/key"), "tok-new");
    shop.unset_env("API_KEY");
    shop.ship(&["rollback"]).ok();
    assert_eq!(answer(&host, "/key"), SECRET);
}
