//! A release whose app, hook and health check write what terminals and CI systems obey: no command of
//! ship hands it on.

use std::fs;

use crate::shop::{PATIENT, Shop, Words};
use crate::support::{Run, Terminal};

/// Writes escape sequences (CSI, OSC 8 and 52, as C0 and as C1), marks that turn text around, and
/// commands of CI systems.
const EVIL: &str = r###"
TEXT = "\n".join([
    "csi \x1b[31mred\x1b[2J\x1b[1A gone",
    "link \x1b]8;;http://evil.example/\x1b\\here\x1b]8;;\x07 end",
    "clipboard \x1b]52;c;ZXZpbA==\x07 end",
    "c1 \u009b2J \u009d52;c;ZXZpbA==\u009c \u0085 \u0090x\u009c end",
    "bidi \u202eevil\u202c \u2066x\u2069 \u200f \u061c tag \U000e0041 end",
    "::error::forged", "##[group]forged", "##[error]forged", "  ::add-mask::x",
    "progress\rover\r::warning::forged", "back\x08\x08space bell\x07 nul\x00 end",
    "section_start:1:evil[collapsed=true]\r\x1b[0Kforged",
])
if __name__ == "__main__":
    import sys
    for out in (sys.stdout, sys.stderr):
        out.reconfigure(encoding="utf-8")
        print(TEXT, file=out, flush=True)
"###;

const APP: &str = r#"
import http.server, os, sys
import evil
sys.stdout.reconfigure(encoding="utf-8")
print(evil.TEXT, flush=True)
mode = open("mode").read().strip()
if mode == "exit":
    sys.exit(3)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = evil.TEXT.encode()
        self.send_response_only(500 if mode == "500" else 200, "::error::forged \u202e".encode().decode("latin-1"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// Whether the character says nothing and changes what others say.
fn is_raw(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

#[track_caller]
fn is_inert(what: &str, text: &str) {
    for line in text.lines() {
        let raw: String = line.chars().filter(|c| is_raw(*c)).collect();
        assert!(raw.is_empty(), "{what}: {raw:?} in {line:?}");
    }
}

#[track_caller]
fn is_inert_json(what: &str, text: &str) {
    assert!(!text.is_empty(), "{what}");
    is_inert(what, text);
    for line in text.lines() {
        let parsed = serde_json::from_str::<serde_json::Value>(line);
        parsed.unwrap_or_else(|why| panic!("{what}: {why}: {line}"));
    }
}

/// A shop that writes all that, and whose hook and command do.
fn evil_shop() -> Shop {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[hooks]\nbefore-activate = [\"python3 evil.py\"]\n".to_owned(),
    });
    shop.controller.write("app.py", APP);
    shop.controller.write("evil.py", EVIL);
    shop
}

#[track_caller]
fn inert(what: &str, run: &Run) {
    is_inert(&format!("{what}, stdout"), &run.stdout);
    is_inert(&format!("{what}, stderr"), &run.stderr);
}

#[test]
fn no_command_hands_on_what_a_terminal_obeys() {
    let mut shop = evil_shop();
    let deployed = shop.deploy(&["-v"]);
    deployed.ok().stderr_has("clipboard");
    inert("deploy -v", &deployed);
    for args in [
        &["logs", "local"][..],
        &["status", "local"],
        &["history", "local"],
        &["releases", "local"],
        &["check", "local"],
        &["exec", "local", "--", "python3", "evil.py"],
    ] {
        let what = args.join(" ");
        let run = shop.controller.ship(args);
        inert(&what, run.ok());
        if ["logs", "exec"].contains(&args[0]) {
            run.stdout_has("clipboard").stdout_has("bidi");
        }
        if args[0] != "exec" {
            let run = shop.controller.ship(&[args, &["--json"]].concat());
            is_inert_json(&what, &run.ok().stdout);
        }
    }
    let logs = shop.controller.ship(&["logs", "local", "--json"]).stdout;
    assert!(
        logs.contains("\\u202e") && logs.contains("\\u009b"),
        "{logs}"
    );
    shop.mode("exit");
    for system in ["GITHUB_ACTIONS", "GITLAB_CI"] {
        shop.controller.set_env(system, "true");
        let run = shop.deploy(&[]);
        run.code(7).stderr_has("clipboard");
        no_ci_system_obeys(system, &run);
        for args in [
            &["logs", "local"][..],
            &["exec", "local", "--", "python3", "evil.py"],
        ] {
            let run = shop.controller.ship(args);
            no_ci_system_obeys(system, run.ok().stdout_has("clipboard"));
        }
        let run = shop.deploy(&["--json"]);
        is_inert_json(system, &run.code(7).stdout);
        assert!(!run.stdout.contains("##["), "{run}");
        shop.controller.unset_env(system);
    }
    shop.mode("500");
    shop.patience(PATIENT, "2s");
    inert("a sick app", shop.deploy(&[]).code(7));
    shop.patience("2s", PATIENT);
}

/// Beside ship's own groups, sections and annotations, nothing is a command, and nothing is drawn over.
/// Between `::stop-commands::WORD` and `::WORD::`, GitHub's runner takes no commands.
#[track_caller]
fn no_ci_system_obeys(system: &str, run: &Run) {
    let mut stopped: Option<String> = None;
    for line in format!("{}{}", run.stdout, run.stderr).lines() {
        let start = line.trim_start();
        if let Some(word) = line.strip_prefix("::stop-commands::") {
            stopped = Some(format!("::{word}::"));
        } else if stopped.as_deref() == Some(line) {
            stopped = None;
        }
        let forged = start.starts_with("::") && start.contains("::forged")
            || start.starts_with("::add-mask::");
        let is_obeyed = match system {
            "GITHUB_ACTIONS" => forged && stopped.is_none() || line.contains("##["),
            _ => line.contains("section_start:1:evil"),
        };
        assert!(!is_obeyed, "{system}: {line:?}");
        if !line.contains("section_start:") && !line.contains("section_end:") {
            is_inert(system, &without_colours(line));
        }
    }
    assert_eq!(stopped, None, "{system}: {run}");
}

/// `text` without SGR sequences (ECMA-48 8.3.117).
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        match end {
            Some(at) if part[at..].starts_with('m') => plain.push_str(&part[at + 1..]),
            _ => plain.push_str(&format!("\x1b[{part}")),
        }
    }
    plain
}

#[test]
fn a_failure_at_a_terminal_hands_on_nothing_that_it_obeys() {
    let shop = evil_shop();
    shop.mode("exit");
    let mut ship = shop.controller.command(env!("CARGO_BIN_EXE_ship"));
    ship.args(["deploy", "local", "-v"]);
    let mut terminal = Terminal::start(ship);
    terminal.shows("clipboard");
    assert_eq!(terminal.end().code(), Some(7), "{}", terminal.text());
    let text = terminal.text();
    // Ship's own progress moves the cursor; none of it is what the app wrote.
    for evil in [
        "\x1b]",
        "\x1b[2J",
        "\u{9b}",
        "\u{9d}",
        "\u{202e}",
        "\u{2066}",
        "\u{e0041}",
        "\x07",
        "\x08",
    ] {
        assert!(!text.contains(evil), "{evil:?} in {text:?}");
    }
    let forged = |line: &str| line.trim_start().starts_with("::error::forged");
    assert!(!text.split(['\n', '\r']).any(forged), "{text:?}");
    drop(terminal);
    fs::metadata(shop.root()).expect("the app's folder");
}
