//! Where nobody watches: closed pipes, no terminal, JSON.

use std::process::Stdio;

use crate::shop::Shop;
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
