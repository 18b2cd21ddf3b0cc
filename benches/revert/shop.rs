//! A host with an app whose next release never passes its health check.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::{Controller, Host, TempDir};

const PORT: u16 = 3000;

/// `/` tells the version; `/healthz` fails in a release that is sick.
const APP: &str = r#"
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

here = Path(__file__).parent
version = (here / "VERSION").read_text().strip()


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        sick = self.path == "/healthz" and version.startswith("sick")
        self.send_response(500 if sick else 200)
        self.end_headers()
        self.wfile.write(version.encode())

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("", int(os.environ["PORT"])), Shop).serve_forever()
"#;

const MANIFEST: &str = r#"
[app]
name = "shop"

[release]
include = ["app"]

[services.web]
command = "python3 app/shop.py"
port = 3000
health = { path = "/healthz", timeout = "2s" }
settle = "0s"

[environments.production]
hosts = ["deploy@web1"]
"#;

pub struct Shop {
    person: Controller,
    host: Host,
    folder: TempDir,
}

impl Shop {
    /// Version `good` is live.
    pub fn open() -> Self {
        let host = Host::boot("web1");
        let person = Controller::knowing([&host]);
        person.write("ship.toml", MANIFEST);
        person.write("app/shop.py", APP);
        person.write("app/VERSION", "good\n");
        person.ship(&["setup", "production", "--as", "root"]).ok();
        person.ship(&["deploy", "production"]).ok();
        Self {
            person,
            host,
            folder: TempDir::new(),
        }
    }

    /// A folder on the disk that the host is on.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `systemctl restart` and questions until one is answered well, timed on the host.
    pub fn restart_by_hand(&self, with: &str) -> Duration {
        let nanos = self.host.sh(&format!(
            "a=$(date +%s%N); {with}systemctl restart shop-web.service; \
             until curl -sf http://127.0.0.1:{PORT}/healthz > /dev/null; do sleep 0.002; done; \
             b=$(date +%s%N); echo $((b - a))"
        ));
        Duration::from_nanos(nanos.parse().expect("a number"))
    }

    /// Deploys a release that fails: from the moment that this is said to the old release's first
    /// answer.
    pub fn way_back(&self) -> Duration {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.person.write("app/VERSION", format!("sick {number}\n"));
        let mut command = self.person.command(env!("CARGO_BIN_EXE_ship"));
        let mut deploy = command
            .args(["deploy", "production", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start ship");
        let stdout = deploy.stdout.take().expect("a pipe");
        let (failed, when_failed) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.contains("going back to") {
                    let _ = failed.send(Instant::now());
                }
            }
        });
        let ended = AtomicBool::new(false);
        let (ended, host) = (&ended, &self.host);
        let time = std::thread::scope(|scope| {
            let failed = when_failed
                .recv_timeout(Duration::from_secs(60))
                .expect("a release that fails");
            let asking = scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let answer = host.http_get(PORT, "/");
                    if answer.is_ok_and(|answer| answer.body.trim() == "good") {
                        return Some(failed.elapsed());
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
                None
            });
            let status = deploy.wait().expect("the end of ship");
            assert_eq!(status.code(), Some(7));
            ended.store(true, Ordering::Relaxed);
            asking.join().expect("an answer").expect("the old release")
        });
        reader.join().expect("the reader");
        time
    }
}
