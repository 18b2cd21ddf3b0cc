//! The app that is deployed: it serves its version, and misbehaves as its release says.

use crate::support::Controller;

/// Where it answers.
pub const PORT: u16 = 3000;

/// On a host, the versions that do not run there.
pub const REFUSED: &str = "/etc/shop-refuses";

/// The path that is in the title of its process.
pub const PROGRAM: &str = "app/shop.py";

const APP: &str = r#"
import os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

here = Path(__file__).parent
version = (here / "VERSION").read_text().strip()
behaviour = dict(line.split() for line in (here / "behaviour").read_text().splitlines())
refused = Path("/etc/shop-refuses")


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        sick = "sick" in behaviour and self.path == "/healthz"
        body = ("sick" if sick else version).encode()
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def crash():
    print(f"{version} gives up", flush=True)
    os._exit(3)


if refused.exists() and version in refused.read_text().split():
    sys.exit(f"{version} does not run on this machine")
announced = os.environ["RUNTIME_DIRECTORY"] + "/release"
if "fifo" in behaviour:
    os.unlink(announced)
    os.mkfifo(announced)
if "endless" in behaviour:
    os.unlink(announced)
    os.symlink("/dev/zero", announced)
if "stubborn" in behaviour:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
seconds = float(behaviour.get("crash", "-1"))
if seconds == 0:
    crash()
if seconds > 0:
    begun = int(Path("/proc/self/stat").read_text().rsplit(")")[1].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - begun / os.sysconf("SC_CLK_TCK")
    timer = threading.Timer(max(0, seconds - age), crash)
    timer.daemon = True
    timer.start()
ThreadingHTTPServer(("", int(os.environ["PORT"])), Shop).serve_forever()
"#;

/// How a release behaves where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It serves.
    Good,
    /// Its process exits so many seconds after its start.
    Crashes(u32),
    /// It serves, and fails its health check.
    Sick,
    /// It serves, and does not end when it is asked to.
    Stubborn,
    /// It serves, and leaves a FIFO where its launcher told which release runs.
    Fifo,
    /// It serves, and has that file lead to one without an end.
    Endless,
}

/// Writes a version of the app into a person's project.
pub fn write(person: &Controller, version: &str, behaviour: Behaviour) {
    person.write("app/shop.py", APP);
    person.write("app/VERSION", version);
    let behaviour = match behaviour {
        Behaviour::Good => String::new(),
        Behaviour::Crashes(seconds) => format!("crash {seconds}"),
        Behaviour::Sick => "sick yes".to_owned(),
        Behaviour::Stubborn => "stubborn yes".to_owned(),
        Behaviour::Fifo => "fifo yes".to_owned(),
        Behaviour::Endless => "endless yes".to_owned(),
    };
    person.write("app/behaviour", behaviour);
}
