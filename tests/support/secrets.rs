//! Secrets of odd shapes, an app that says all of them in many spellings, and a judge who looks for them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Controller, Run, noise};

/// Says every variable called SHOP_… in many spellings; with `needles`, lists as JSON what must not be
/// seen anywhere.
pub const SAYS: &str = r#"
import base64, json, os, re, shlex, sys, urllib.parse
def spellings(value):
    raw = value.encode()
    yield value
    yield value.replace("\n", "\r\n")
    yield json.dumps(value)
    yield json.dumps(value, ensure_ascii=False)
    yield json.dumps({"again": json.dumps(value)})
    yield repr(value)
    yield urllib.parse.quote(value, safe="")
    yield re.sub("%..", lambda code: code.group().lower(), urllib.parse.quote(value))
    yield urllib.parse.quote_plus(value)
    yield base64.b64encode(raw).decode()
    yield "Basic " + base64.b64encode(b"shop:" + raw).decode()
    yield base64.urlsafe_b64encode(b"x" + raw).decode().rstrip("=")
    yield base64.encodebytes(raw).decode()
    yield raw.hex()
    yield raw.hex().upper()
    yield shlex.quote(value)
    yield '"' + "".join("\\" + c if c in '"\\$`' else c for c in value) + '"'
def secrets():
    return {k: v for k, v in sorted(os.environ.items()) if k.startswith("SHOP_")}
def say(out):
    for name, value in secrets().items():
        for spelling in spellings(value):
            out.write(f"{name} is {spelling} here\n")
        out.flush()
def needles():
    for value in secrets().values():
        value = value.strip()
        parts = [value[at:at + 200] for at in (0, 7000, 90000)] if len(value) > 1000 else [value]
        parts += [line.strip() for line in value.splitlines() if len(line.strip()) >= 6]
        if "://" in value:
            parts.append(urllib.parse.urlsplit(value).password)
            parts.append(urllib.parse.unquote(parts[-1]))
        for part in parts:
            raw = part.encode()
            yield part
            yield json.dumps(part)[1:-1]
            yield urllib.parse.quote(part, safe="")
            yield base64.b64encode(raw[:len(raw) // 3 * 3]).decode()
            yield raw.hex()
            yield raw.hex().upper()
if __name__ == "__main__":
    if "needles" in sys.argv:
        json.dump(sorted({n for n in needles() if len(n) >= 6}), sys.stdout)
    else:
        say(sys.stdout)
        say(sys.stderr)
"#;

pub const APP: &str = r#"
import http.server, io, os, sys
import says
mode = open("mode").read().strip()
says.say(sys.stdout)
says.say(sys.stderr)
if mode == "exit":
    sys.exit("giving up with " + os.environ["SHOP_TOKEN"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = "\n".join(says.secrets().values()).encode()
        self.send_response(500 if mode == "500" else 200, os.environ["SHOP_TOKEN"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n\
    OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n\
    1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----\n";

/// The secrets: names and values.
pub fn secrets() -> Vec<(&'static str, String)> {
    let json = r#"{"type": "service_account", "private_key": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n"}"#;
    let texts = [
        ("SHOP_TOKEN", "hunter2-very-secret"),
        ("SHOP_SIX", "x7Qz9!"),
        ("SHOP_PEM", PEM),
        ("SHOP_JSON", json),
        ("SHOP_DOLLARS", "pa$$word$HOME${x}"),
        ("SHOP_QUOTES", "it's \"quoted\" `here`"),
        ("SHOP_ONLY_QUOTES", "''''\"\"\"\""),
        ("SHOP_BACKSLASHES", "c:\\new\\table\\x41\\\\"),
        ("SHOP_BASE64", "dGhpcyBpcyBub3QgYSBzZWNyZXQ+/w=="),
        (
            "SHOP_URL",
            "postgres://shop:s%2Fcr3t-pa55@db.internal:5432/shop?sslmode=require",
        ),
        ("SHOP_SPACES", "  correct horse  battery staple "),
        (
            "SHOP_UNICODE",
            "gr\u{fc}\u{df}e-\u{1f511}-\u{65e5}\u{672c}\u{8a9e}",
        ),
        ("SHOP_PERCENT", "100%25%41+plus&amp;"),
        ("SHOP_LINES", "first-line-of-it\nab\nthird-line-of-it"),
        ("SHOP_LITERAL", "one-part-of-it\\nother-part-of-it"),
        ("SHOP_INSIDE", "very-secret"),
        ("SHOP_MARKUP", "<script>alert('x')</script>"),
        ("SHOP_COMMAND", "::set-output name=a::b##[error]c"),
        ("SHOP_HEX", "deadbeefcafe0123"),
        ("SHOP_KEY", "KEY]=[SHOP"),
    ];
    let mut secrets: Vec<_> = texts.map(|(name, text)| (name, text.to_owned())).into();
    let large: String = noise(3, 50_000)
        .iter()
        .map(|byte| format!("{:02x}", byte ^ 0x5a))
        .collect();
    secrets.push((
        "SHOP_LARGE",
        large.replace('0', "Zq")[..100_000.min(large.len())].to_owned(),
    ));
    secrets
}

/// The tables of a manifest that hand all secrets to a build step, a hook and the app of `environment`.
pub fn tables(environment: &str) -> String {
    let names: Vec<String> = secrets()
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    format!(
        "[build]\ninherit-env = true\nsteps = [\"python3 says.py\"]\n\
         [hooks]\nbefore-activate = [\"python3 says.py\"]\n\
         [environments.{environment}]\nsecrets = [{}]\n",
        names.join(", ")
    )
}

/// Where `needles` were found.
pub struct Judge {
    needles: Vec<String>,
    found: Mutex<BTreeSet<String>>,
}

impl Judge {
    /// Gives the project of `controller` its secrets and its app, and knows what must not be seen.
    pub fn of(controller: &mut Controller) -> Self {
        for (name, value) in secrets() {
            controller.set_env(name, &value);
        }
        controller.write("says.py", SAYS);
        controller.write("app.py", APP);
        controller.write("mode", "good");
        let mut python = controller.command("python3");
        let needles = python.args(["says.py", "needles"]).output();
        let needles = needles.expect("python").stdout;
        let judge = Self {
            needles: serde_json::from_slice(&needles).expect("a list"),
            found: Mutex::default(),
        };
        assert!(judge.needles.len() > 120, "{}", judge.needles.len());
        judge
    }

    /// Deploys to `environment`, asks every question, and deploys what fails; all that is said, and the
    /// arguments of all processes meanwhile, are looked at. Patience is the manifest's `timeout`.
    pub fn story(&self, controller: &Controller, environment: &str, patience: &str) {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| self.arguments(&done));
            let _done = Done(&done);
            let ship = |command: &str, more: &[&str], code| {
                let args = [&[command, environment], more].concat();
                self.run(&args.join(" "), controller.ship(&args), code)
            };
            let said = ship("deploy", &["-v"], 0);
            assert!(said.stderr.contains("[SHOP_TOKEN]"), "{said}");
            controller.write("version", "two");
            let events = ship("deploy", &["--json"], 0).stdout;
            assert!(
                events.contains("hook-output") && events.contains("step-output"),
                "{events}"
            );
            for (command, more) in [
                ("status", &[][..]),
                ("status", &["--json"]),
                ("logs", &["-n", "1000"]),
                ("logs", &["-n", "1000", "--json"]),
                ("logs", &["--since", "1h"]),
                ("history", &[]),
                ("history", &["--json"]),
                ("releases", &[]),
                ("check", &[]),
                ("exec", &["--", "python3", "says.py"]),
                ("exec", &["--", "env"]),
                ("rollback", &[]),
            ] {
                let run = ship(command, more, 0);
                if ["logs", "exec"].contains(&command) {
                    assert!(run.stdout.contains("[SHOP_LARGE]"), "{run}");
                }
            }
            controller.write("mode", "exit");
            ship("deploy", &[], 7);
            ship("deploy", &["--json"], 7);
            controller.write("mode", "500");
            let path = controller.project().join("ship.toml");
            let text = fs::read_to_string(&path).expect("a manifest");
            let timeout = |time: &str| format!("timeout = \"{time}\"");
            let short = text.replace(&timeout(patience), &timeout("2s"));
            assert_ne!(short, text);
            fs::write(&path, short).expect("write the manifest");
            ship("deploy", &["-v"], 7);
            ship("history", &["--json"], 0);
            fs::write(&path, text).expect("write the manifest");
        });
    }

    /// Panics when a secret was found.
    #[track_caller]
    pub fn found_nothing(self) {
        let found = self.found.into_inner().unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }

    pub fn look(&self, place: &str, text: &str) {
        for needle in &self.needles {
            if text.contains(needle.as_str()) {
                let start: String = needle.chars().take(60).collect();
                self.found
                    .lock()
                    .unwrap()
                    .insert(format!("{place}: {start}"));
            }
        }
    }

    pub fn run(&self, name: &str, run: Run, code: i32) -> Run {
        run.code(code);
        self.look(&format!("{name}, stdout"), &run.stdout);
        self.look(&format!("{name}, stderr"), &run.stderr);
        run
    }

    /// All files below `folder` that others can read, and ship's own, whoever can.
    pub fn files(&self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(meta) = fs::symlink_metadata(&path) else {
                continue;
            };
            let is = |end: &str| path.ends_with(end);
            let holds_secrets =
                is(".ship/env") || path.to_string_lossy().contains("/.ship/logs/web.log");
            if meta.is_dir() {
                self.files(&path);
            } else if meta.is_file() && (!holds_secrets || meta.permissions().mode() & 0o004 != 0) {
                let bytes = fs::read(&path).unwrap_or_default();
                self.look(&path.to_string_lossy(), &String::from_utf8_lossy(&bytes));
            }
        }
    }

    /// The arguments of every process, until `done`.
    fn arguments(&self, done: &AtomicBool) {
        while !done.load(Ordering::Relaxed) {
            for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let words = String::from_utf8_lossy(&words);
                if words.contains("ship") {
                    self.look("arguments of a process", &words);
                }
            }
            // Not to find anything sooner, but to leave the machine to what is looked at.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Says that it is over, also when an assertion fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
