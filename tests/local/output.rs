//! Where nobody watches: closed pipes, no terminal, JSON.

use std::process::Stdio;

use crate::shop::{PATIENT, Shop};
use crate::support::Running;

/// No cursor movement, no colour: bytes that only a terminal understands.
fn is_plain(text: &str) -> bool {
    !text.contains('\u{1b}') && !text.contains('\r')
}

#[test]
fn a_closed_stdout_and_stderr_are_ordinary() {
    for line in [
        "\"$0\" deploy local | head -0",
        "\"$0\" deploy local 2>&1 | head -0",
    ] {
        let shop = Shop::new();
        let mut sh = shop.controller.command("/bin/bash");
        let line = format!("set -o pipefail; {line}");
        let run = Running::start(sh.args(["-c", &line, env!("CARGO_BIN_EXE_ship")])).wait();
        run.ok();
        shop.serves("one", "v1");
    }
}

#[test]
fn help_and_data_into_a_closed_pipe() {
    let shop = Shop::deployed();
    for args in [
        "--help",
        "status local",
        "check --print",
        "man",
        "completions bash",
        "history local",
        "--json status local",
    ] {
        let mut sh = shop.controller.command("/bin/bash");
        let line = format!("set -o pipefail; \"$0\" {args} | head -0");
        let run = Running::start(sh.args(["-c", &line, env!("CARGO_BIN_EXE_ship")])).wait();
        run.ok();
        assert_eq!(run.stderr, "", "{run}");
    }
}

#[test]
fn no_standard_input_output_or_error_at_all() {
    let shop = Shop::new();
    let mut sh = shop.controller.command("/bin/sh");
    let line = "exec \"$0\" deploy local <&- >&- 2>&-";
    let status = sh
        .args(["-c", line, env!("CARGO_BIN_EXE_ship")])
        .stdin(Stdio::null())
        .status()
        .expect("sh");
    assert_eq!(status.code(), Some(0));
    shop.serves("one", "v1");
}

#[test]
fn without_a_terminal_the_lines_are_plain() {
    let shop = Shop::new();
    let run = shop.deploy(&[]);
    run.ok();
    assert!(is_plain(&run.stderr) && is_plain(&run.stdout), "{run}");
    assert_eq!(run.stdout, "", "talk goes to stderr\n{run}");
    shop.mode("exit");
    let run = shop.deploy(&[]);
    run.code(7);
    assert!(is_plain(&run.stderr) && is_plain(&run.stdout), "{run}");
}

/// Runs `ship` on a terminal of its own, by script(1).
fn on_a_terminal(shop: &Shop, line: &str) -> crate::support::Run {
    let mut script = shop.controller.command("script");
    let line = format!("{} {line}", env!("CARGO_BIN_EXE_ship"));
    script
        .args(["-qefc", &line, "/dev/null"])
        .env("TERM", "xterm-256color");
    Running::start(&mut script).wait()
}

#[test]
fn no_color_at_a_terminal() {
    let mut shop = Shop::new();
    let coloured = on_a_terminal(&shop, "deploy local");
    coloured.ok();
    assert!(
        coloured.stdout.contains("\u{1b}["),
        "a terminal gets live progress\n{coloured}"
    );
    shop.mode("exit");
    shop.controller.set_env("NO_COLOR", "1");
    let run = on_a_terminal(&shop, "deploy local");
    run.code(7);
    // SGR sequences end with `m`; progress may still move the cursor.
    let colours = run.stdout.split("\u{1b}[").skip(1).filter(|rest| {
        let end = rest.find(|c: char| c.is_ascii_alphabetic());
        end.is_some_and(|at| rest[at..].starts_with('m') && &rest[..at] != "0")
    });
    assert_eq!(colours.count(), 0, "{run:?}");
}

#[test]
fn every_line_of_json_parses_and_the_last_one_has_the_exit() {
    let shop = Shop::new();
    let lines = |run: &crate::support::Run| -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        run.stdout.lines().map(parse).collect()
    };
    let good = shop.deploy(&["--json"]);
    good.ok();
    let said = lines(&good);
    assert_eq!(said.last().expect("a line")["event"], "finished", "{good}");
    shop.mode("exit");
    let bad = shop.deploy(&["--json", "-v"]);
    bad.code(7);
    let said = lines(&bad);
    assert_eq!(said.last().expect("a line")["exit"], 7, "{bad}");
    for args in [
        &["status", "local", "--json"][..],
        &["releases", "local", "--json"],
        &["history", "local", "--json"],
        &["logs", "local", "--json"],
        &["check", "local", "--json"],
        &["check", "--json"],
    ] {
        let run = shop.controller.ship(args);
        run.ok();
        lines(&run);
    }
}

/// What the app and the steps write cannot forge a line of ship's own JSON, nor move the cursor.
#[test]
fn output_of_others_is_inert() {
    let shop = Shop::new();
    let evil = "printf '\\\\033]0;owned\\\\007\\\\033[2J::error::forged\\\\r\\\\n##[error]forged\\\\n'; exit 1";
    let text =
        std::fs::read_to_string(shop.controller.project().join("ship.toml")).expect("a manifest");
    shop.controller.write(
        "ship.toml",
        format!("{text}\n[build]\nsteps = [\"{evil}\"]\n"),
    );
    let run = shop.deploy(&[]);
    run.code(4);
    assert!(is_plain(&run.stderr) && is_plain(&run.stdout), "{run:?}");
}

#[test]
fn a_probe_tells_by_its_exit_code_whether_all_is_well() {
    let shop = Shop::deployed();
    let status = |more: &[&str]| shop.controller.ship(&[&["status", "local"], more].concat());
    status(&["--exit-code"]).ok().stdout_has("healthy");
    shop.controller.ship(&["stop", "local"]).ok();
    status(&[]).ok().stdout_has("stopped");
    status(&["--exit-code"])
        .code(10)
        .stdout_has("stopped")
        .stderr_has("shop is not healthy on local")
        .stderr_has("local: web is stopped");
    shop.controller.ship(&["start", "local"]).ok();
    status(&["--exit-code"]).ok();
}

/// Tables of real answers, at a terminal that is too narrow for them: `COLUMNS` says how wide.
#[test]
fn the_listings_fit_and_break_no_word() {
    let shop = Shop::deployed();
    shop.mode("500");
    shop.patience(PATIENT, "2s");
    shop.deploy(&[]).code(7);
    for command in ["status", "releases", "history", "check"] {
        let at = |columns: &str| {
            let mut ship = shop.controller.command(env!("CARGO_BIN_EXE_ship"));
            ship.args([command, "local"]).env("COLUMNS", columns);
            let output = ship.output().expect("ship runs");
            String::from_utf8(output.stdout).expect("text")
        };
        let words = |text: &str| {
            let words = text.split_whitespace().filter(|word| *word != "·");
            words
                .map(|word| word.trim_end_matches(':').to_lowercase())
                .collect::<Vec<_>>()
        };
        let wide = words(&at("10000"));
        for columns in [40, 60, 80, 120] {
            let narrow = at(&columns.to_string());
            for word in words(&narrow) {
                let is_time = word.starts_with(|c: char| c.is_ascii_digit());
                assert!(is_time || wide.contains(&word), "{word}\n{narrow}");
            }
            for line in narrow.lines() {
                let fits = line.chars().count() <= columns;
                assert!(
                    fits || line.split_whitespace().count() == 1,
                    "{columns}: {line}"
                );
            }
        }
    }
}

#[test]
fn a_new_user_reads_true_words_about_this_machine() {
    let mut shop = Shop::deployed();
    // As under cron: the name then comes from the account, not from the environment.
    shop.controller.unset_env("USER");
    shop.controller.unset_env("LOGNAME");
    let ship = |args: &[&str]| shop.controller.ship(args);
    let me = account_name();
    let check = ship(&["check", "local"]);
    check.ok().stdout_has(&format!("this machine, as {me}"));
    assert!(!check.stdout.contains("host key"), "{check}");
    let status = ship(&["status", "local"]);
    status.ok().stdout_has("local: v1 went live ");
    let quiet = ship(&["logs", "local"]);
    quiet
        .ok()
        .stderr_has("the services have not written any log lines");
    assert_eq!(quiet.stdout, "", "{quiet}");
    let filtered = ship(&["logs", "local", "--grep", "no such line"]);
    filtered.ok().stderr_has("no log lines match");
    assert_eq!(ship(&["logs", "local", "-q"]).ok().stderr, "");
    assert_eq!(ship(&["logs", "local", "--json"]).ok().stdout, "");
}

/// The name of this process's user, as id(1) tells it.
fn account_name() -> String {
    let id = std::process::Command::new("id").arg("-un").output();
    let name = id.expect("id(1) runs").stdout;
    String::from_utf8(name).expect("a name").trim().to_owned()
}
