//! The app of these stories, and the person who deploys it.

use crate::support::{Controller, Host, Run, Running};
use std::ops::{Deref, DerefMut};

/// Where the app answers.
pub const PORT: u16 = 3000;

/// `/` tells the version that this process was started with. `/healthz` fails when the
/// release holds a file `SICK`; on a host whose `/etc/shop-refuses` names the version, the
/// process does not even start; where `/etc/shop-sours` names it, `/healthz` fails from the third second
/// on, and where `/etc/shop-dies` does, the process ends after five.
const APP: &str = r#"
import os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

here = Path(__file__).parent
version = (here / "VERSION").read_text().strip()
sick = here / "SICK"
begun = time.monotonic()


def named(file):
    return file.exists() and file.read_text().strip() == version



class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz" and sick.exists():
            self.answer(500, "sick")
        elif self.path == "/healthz" and sours and time.monotonic() > begun + 3:
            self.answer(500, "sour")
        elif self.path.startswith("/log/"):
            print(self.path[5:], flush=True)
            self.answer(200, "logged")
        elif self.path == "/key":
            self.answer(200, os.environ.get("API_KEY", "none"))
        else:
            self.answer(200, version)

    def answer(self, status, text):
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


print(f"shop {version} opens", flush=True)
if named(Path("/etc/shop-refuses")):
    sys.exit(f"{version} does not run on this machine")
sours = named(Path("/etc/shop-sours"))
if named(Path("/etc/shop-dies")):
    threading.Timer(5, lambda: os._exit(9)).start()
if sick.exists():
    print(f"cannot serve: {sick.read_text().strip()}", flush=True)
ThreadingHTTPServer(("", int(os.environ["PORT"])), Shop).serve_forever()
"#;

const WORKER: &str = r#"
import time
from pathlib import Path

print("worker", (Path(__file__).parent / "VERSION").read_text().strip(), "begins", flush=True)
while True:
    time.sleep(60)
"#;

/// The two services, as the manifest has them.
pub const WEB: &str = r#"
[services.web]
command = "python3 app/shop.py"
port = 3000
health = { path = "/healthz", timeout = "20s" }
settle = "1s"
"#;

/// The other one.
pub const JOBS: &str = r#"
[services.worker]
command = "python3 app/worker.py"
settle = "1s"
"#;

/// An interpreter for it that begins when it may: not while there is `/etc/hold`.
pub const HELD_PYTHON: &str =
    "#!/bin/sh\nwhile [ -e /etc/hold ]; do sleep 0.1; done\nexec /usr/bin/python3 \"$@\"\n";

/// A project folder with the shop in it, whose environment `production` is some hosts.
pub struct Shop {
    person: Controller,
    hosts: String,
    /// The tables `[services.*]`, and any other but `[app]`, `[release]` and the environment.
    pub tables: String,
    /// Lines of `[environments.production]`.
    pub environment: String,
    /// Lines of `[release]`.
    pub release: String,
}

impl Shop {
    /// On hosts that `ship setup` made ready.
    pub fn on<'a>(hosts: impl IntoIterator<Item = &'a Host> + Clone) -> Self {
        let shop = Self::planned_on(hosts);
        shop.setup();
        shop
    }

    /// On hosts that nothing was done to.
    pub fn planned_on<'a>(hosts: impl IntoIterator<Item = &'a Host> + Clone) -> Self {
        let names = hosts
            .clone()
            .into_iter()
            .map(|host| format!("\"deploy@{}\"", host.name()));
        let hosts_line = names.collect::<Vec<_>>().join(", ");
        Self::of(Controller::knowing(hosts), hosts_line)
    }

    /// The same shop as another person has it, who knows the same hosts.
    pub fn with(person: Controller, hosts: &[&str]) -> Self {
        let names: Vec<_> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
        Self::of(person, names.join(", "))
    }

    fn of(person: Controller, hosts: String) -> Self {
        let shop = Self {
            person,
            hosts,
            tables: WEB.to_owned(),
            environment: String::new(),
            release: String::new(),
        };
        shop.person.write("app/shop.py", APP);
        shop.person.write("app/worker.py", WORKER);
        shop.version("v1");
        shop.write_manifest();
        shop
    }

    /// Writes `ship.toml`; needed after a change of its parts.
    pub fn write_manifest(&self) {
        let Self {
            hosts,
            tables,
            environment,
            release,
            ..
        } = self;
        let text = format!(
            "[app]\nname = \"shop\"\n\n[release]\ninclude = [\"app\"]\n{release}\n{tables}\n\
             [environments.production]\nhosts = [{hosts}]\n{environment}\n"
        );
        self.person.write("ship.toml", text);
    }

    /// Has these hosts from now on.
    pub fn move_to<'a>(&mut self, hosts: impl IntoIterator<Item = &'a Host>) {
        let names = hosts
            .into_iter()
            .map(|host| format!("\"deploy@{}\"", host.name()));
        self.hosts = names.collect::<Vec<_>>().join(", ");
        self.write_manifest();
    }

    /// Makes the hosts ready.
    #[track_caller]
    pub fn setup(&self) {
        self.ship(&["setup", "production", "--as", "root"]).ok();
    }

    /// The version that the next release tells.
    pub fn version(&self, version: &str) {
        self.person.write("app/VERSION", format!("{version}\n"));
    }

    /// Makes the next release answer its health check with 500, for this reason, or heals it.
    pub fn sick(&self, why: Option<&str>) {
        let file = self.project().join("app/SICK");
        match why {
            Some(why) => self.person.write("app/SICK", format!("{why}\n")),
            None => std::fs::remove_file(file).expect("a sick app"),
        }
    }

    /// `ship deploy production`.
    #[track_caller]
    pub fn deploy(&self) -> Run {
        self.ship(&["deploy", "production"])
    }

    /// Deploys another version.
    #[track_caller]
    pub fn deploy_version(&self, version: &str) -> Run {
        self.version(version);
        self.deploy()
    }

    /// Starts `ship deploy production` and lets it run.
    pub fn start_deploy(&self, more: &[&str]) -> Running {
        self.spawn(&[&["deploy", "production"], more].concat())
    }
}

impl Deref for Shop {
    type Target = Controller;

    fn deref(&self) -> &Controller {
        &self.person
    }
}

impl DerefMut for Shop {
    fn deref_mut(&mut self) -> &mut Controller {
        &mut self.person
    }
}

/// What a visitor gets, or why not.
pub fn answer(host: &Host, path: &str) -> String {
    match host.http_get(PORT, path) {
        Ok(response) if response.status == 200 => response.body.trim().to_owned(),
        Ok(response) => format!("status {}", response.status),
        Err(error) => error.kind().to_string(),
    }
}

/// Where `current` of the shop points; empty when there is none.
pub fn current(host: &Host) -> String {
    host.sh("readlink /srv/shop/current || true")
}

/// The releases of the shop that are there.
pub fn releases(host: &Host) -> Vec<String> {
    let listed = host.sh("ls -v /srv/shop/releases");
    listed.split_whitespace().map(str::to_owned).collect()
}

/// The state of a unit: `active`, `inactive`, `failed`…
pub fn state(host: &Host, unit: &str) -> String {
    host.sh(&format!("systemctl is-active {unit} || true"))
}

/// This release serves on the host: `current` leads to it, and a visitor gets its version.
#[track_caller]
pub fn serves(host: &Host, release: &str, version: &str) {
    assert_eq!(
        current(host),
        format!("releases/{release}"),
        "on {}",
        host.name()
    );
    assert_eq!(answer(host, "/"), version, "on {}", host.name());
}

/// The row of a host in a table, as its words: a line that begins with its name, which no line
/// of a story does.
#[track_caller]
pub fn row<'a>(text: &'a str, host: &str) -> Vec<&'a str> {
    let names = [host.to_owned(), format!("deploy@{host}")];
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| {
            words
                .first()
                .is_some_and(|first| names.iter().any(|name| name == first))
        })
        .unwrap_or_else(|| panic!("no row of {host} in:\n{text}"))
}

/// What the history of one host tells, newest first: `deploy v2: good`.
pub fn history(host: &Host) -> Vec<String> {
    let lines = host.read("/srv/shop/.ship/history.jsonl");
    let entry = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let word = |key: &str| entry[key].to_string().replace('"', "");
        format!("{} v{}: {}", word("what"), word("release"), word("outcome"))
    };
    lines.lines().rev().map(entry).collect()
}

/// The rows of a printed table, each as its words.
pub fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}
