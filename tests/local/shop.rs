//! A small web app in a project of its own, deployed to this machine; judged from outside.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::support::{Controller, Run, Running, get, within};

/// The app: what `app.py` does is in the file `mode`, what it answers is in the file `version`.
const APP: &str = r#"
import http.server, os, signal, sys, threading, time
mode = open("mode").read().strip()
port = int(os.environ["PORT"])
if mode == "exit":
    print("no database is configured", file=sys.stderr, flush=True)
    sys.exit(3)
if mode == "silent":
    print("thinking", flush=True)
    time.sleep(3600)
announced = os.environ["RUNTIME_DIRECTORY"] + "/release"
if mode in ["fifo", "endless"]:
    os.unlink(announced)
    os.mkfifo(announced) if mode == "fifo" else os.symlink("/dev/zero", announced)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
address = "127.0.0.2" if mode == "address" else "127.0.0.1"
if mode == "elsewhere":
    port = int(open("elsewhere").read())
def age():
    "seconds since this process began: proc(5), starttime"
    begun = int(open("/proc/self/stat").read().rsplit(")")[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - begun / os.sysconf("SC_CLK_TCK")
def dies():
    while not os.path.exists("../../turn"):
        time.sleep(0.02)
    os._exit(9)
if mode == "crash":
    threading.Timer(max(0, 3 - age()), lambda: os._exit(9)).start()
if mode == "dies":
    threading.Thread(target=dies, daemon=True).start()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("version", "rb").read()
        if self.path.startswith("/env/"):
            body = os.environ.get(self.path[5:], "<unset>").encode()
        if self.path == "/write":
            os.makedirs("uploads", exist_ok=True)
            for name in ["notes.db", "notes.db-wal", "uploads/a.png"]:
                open(name, "a").write("kept")
        sour = mode == "sour" and os.path.exists("../../turn")
        strict = self.path == "/healthz" and mode == "good"
        self.send_response(404 if strict else 500 if sour or mode == "500" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer((address, port), Handler).serve_forever()
"#;

/// How long a release may take to be healthy that will be, on a machine that has much to do.
pub const PATIENT: &str = "60s";

/// Listens on a free port. A child that another test is just starting may still have it open from
/// when it was looked for.
pub fn listen(port: u16) -> TcpListener {
    within(Duration::from_secs(10), "the port to be free", || {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
    })
}

/// A port of this machine that nobody has. Below the range of ephemeral ports (ip(7),
/// `ip_local_port_range`), so that no outgoing connection takes it meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 12_000 + u16::try_from(std::process::id() % 180).expect("small") * 100;
    (0..1000)
        .map(|_| start + NEXT.fetch_add(1, Ordering::Relaxed))
        .find(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok())
        .expect("a free port")
}

/// What the manifest of a [`Shop`] says beyond the least.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Lines of `[services.web]`.
    pub service: String,
    /// Whole tables, at the end.
    pub tables: String,
}

/// The project, and the machine's user that deploys it. Dropped, its services are stopped; what
/// still runs then fails the test.
pub struct Shop {
    pub controller: Controller,
    pub port: u16,
}

impl Shop {
    /// A project that would deploy well, with a quick proof.
    pub fn new() -> Self {
        Self::with(&Words {
            service: "settle = \"0s\"".to_owned(),
            ..Words::default()
        })
    }

    pub fn with(words: &Words) -> Self {
        let mut shop = Self {
            controller: Controller::new(),
            port: free_port(),
        };
        // The system's own python, not a version manager's wrapper.
        shop.controller
            .set_env("PATH", "/usr/local/bin:/usr/bin:/bin");
        shop.manifest(words);
        shop.mode("good");
        shop.version("one");
        shop.controller.write("app.py", APP);
        shop
    }

    /// One whose `v1` serves.
    pub fn deployed() -> Self {
        let shop = Self::new();
        shop.deploy(&[]).ok();
        shop.serves("one", "v1");
        shop
    }

    pub fn manifest(&self, words: &Words) {
        let Words { service, tables } = words;
        let port = self.port;
        // The proof must be allowed to take longer than the process must stay up.
        let timeout = match service.contains("\"0s\"") {
            true => PATIENT,
            false => "40m",
        };
        self.controller.write(
            "ship.toml",
            format!(
                "[app]\nname = \"shop\"\n\n[services.web]\ncommand = \"python3 app.py\"\nport = {port}\n\
                 health = {{ path = \"/\", timeout = \"{timeout}\", interval = \"50ms\" }}\n\
                 {service}\n\n{tables}\n"
            ),
        );
    }

    /// What the app does: `good`, `exit`, `crash` after 3 s, `dies` or `sour` (500) from
    /// [`Shop::turns`] on, `silent`, `elsewhere`, `address` (it listens on another one), `500`, `stubborn`
    /// (it ignores SIGTERM), `fifo` or `endless` (it puts that in the place of what its launcher
    /// announced), or `strict`, which is good at `/healthz`, too.
    pub fn mode(&self, mode: &str) {
        self.controller.write("mode", mode);
    }

    /// From now on an app that `dies` or is `sour` does what it is called after.
    pub fn turns(&self) {
        fs::write(self.root().join("turn"), "").expect("write into the app's folder");
    }

    /// How long the next release may take to be healthy: not long, where it never will be.
    pub fn patience(&self, from: &str, to: &str) {
        let path = self.controller.project().join("ship.toml");
        let text = fs::read_to_string(&path).expect("a manifest");
        let [from, to] = [from, to].map(|time| format!("timeout = \"{time}\""));
        fs::write(path, text.replace(&from, &to)).expect("write the manifest");
    }

    /// What the app answers.
    pub fn version(&self, version: &str) {
        self.controller.write("version", version);
    }

    #[track_caller]
    pub fn deploy(&self, more: &[&str]) -> Run {
        self.start(more).wait()
    }

    pub fn start(&self, more: &[&str]) -> Running {
        let args: Vec<&str> = ["deploy", "local"].iter().chain(more).copied().collect();
        self.controller.spawn(&args)
    }

    /// The app's folder on this machine.
    pub fn root(&self) -> PathBuf {
        self.controller.home().join("ship/apps/shop")
    }

    /// The release that `current` names, such as `v3`.
    pub fn current(&self) -> Option<String> {
        let target = fs::read_link(self.root().join("current")).ok()?;
        Some(target.strip_prefix("releases").ok()?.to_str()?.to_owned())
    }

    /// What a visitor of `path` is answered. At `/write` the app writes `notes.db` and
    /// `uploads/a.png` beside its code.
    pub fn ask(&self, path: &str) -> Option<String> {
        let answer = get(Ipv4Addr::LOCALHOST, self.port, path).ok()?;
        (answer.status == 200).then_some(answer.body)
    }

    /// Panics unless a visitor gets this answer, and `current` names this release.
    #[track_caller]
    pub fn serves(&self, answer: &str, release: &str) {
        assert_eq!(
            self.ask("/").as_deref(),
            Some(answer),
            "what a visitor gets"
        );
        assert_eq!(
            self.current().as_deref(),
            Some(release),
            "what `current` names"
        );
    }

    /// The same, within so many seconds.
    #[track_caller]
    pub fn serves_within(&self, seconds: u64, answer: &str, release: &str) {
        within(
            Duration::from_secs(seconds),
            &format!("{release} to serve"),
            || {
                let there = self.ask("/").as_deref() == Some(answer)
                    && self.current().as_deref() == Some(release);
                there.then_some(())
            },
        );
    }

    /// Panics unless nothing is live and nobody listens.
    #[track_caller]
    pub fn serves_nothing(&self) {
        assert_eq!(self.current(), None, "what `current` names");
        assert_eq!(self.ask("/"), None, "what a visitor gets");
        assert_eq!(self.apps(), Vec::new(), "processes of the app");
    }

    /// The releases that are there, in the order of their names.
    pub fn releases(&self) -> BTreeSet<String> {
        names(&self.root().join("releases"))
    }

    /// The processes of the app: those that run `app.py` of this project.
    pub fn apps(&self) -> Vec<Process> {
        let mut found = self.processes();
        found.retain(|process| process.command.contains("app.py"));
        found
    }

    /// Every process that works for this controller: it has the controller's folder in its
    /// environment, its command line, or as its working directory.
    pub fn processes(&self) -> Vec<Process> {
        let folder = self.controller.project();
        processes_of(folder.parent().expect("the controller's folder"))
    }

    /// Waits until a program runs that was started with this command line. A shell that is just
    /// starting it may lose a signal, with and without ship: dash(1) does, between the fork and the
    /// exec.
    pub fn wait_for_command(&self, command: &str) {
        within(Duration::from_secs(20), command, || {
            let mut processes = self.processes().into_iter();
            processes
                .any(|process| process.command == command)
                .then_some(())
        });
    }

    /// The transaction's process, once there is one.
    pub fn transaction(&self) -> Process {
        within(Duration::from_secs(20), "a transaction", || {
            self.processes()
                .into_iter()
                .find(|process| process.command.ends_with("agent transaction"))
        })
    }

    pub fn history(&self) -> String {
        self.controller
            .ship(&["history", "local"])
            .ok()
            .stdout
            .clone()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // The last manifest of a test may be a bad one.
        self.manifest(&Words::default());
        let stop = self
            .controller
            .command(env!("CARGO_BIN_EXE_ship"))
            .args(["stop", "local", "--wait", "30s"])
            .output();
        let gone = |what: &Self| what.processes().is_empty();
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        while !gone(self) && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = self.processes();
        for process in &left {
            process.signal("KILL");
        }
        if !left.is_empty() && !std::thread::panicking() {
            panic!("left behind after `ship stop`: {left:#?}\n{stop:?}");
        }
    }
}

/// A process as the process list shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: u32,
    pub command: String,
}

impl Process {
    pub fn signal(&self, name: &str) {
        let _ = std::process::Command::new("kill")
            .args([format!("-{name}"), self.pid.to_string()])
            .output();
    }
}

/// See [`Shop::processes`]. Zombies do not count.
fn processes_of(folder: &Path) -> Vec<Process> {
    // With the slash: the folder of another test begins with the same words.
    let mark = [folder.as_os_str().as_bytes(), b"/"].concat();
    let holds = |bytes: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<Process> = entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let dir = entry.path();
            let command = fs::read(dir.join("cmdline"))
                .ok()
                .filter(|bytes| !bytes.is_empty())?;
            let environ = fs::read(dir.join("environ")).unwrap_or_default();
            let cwd = fs::read_link(dir.join("cwd")).unwrap_or_default();
            let ours = holds(&command) || holds(&environ) || holds(cwd.as_os_str().as_bytes());
            let words = command
                .split(|byte| *byte == 0)
                .map(String::from_utf8_lossy);
            let command = words.collect::<Vec<_>>().join(" ").trim_end().to_owned();
            ours.then_some(Process { pid, command })
        })
        .collect();
    found.sort();
    found
}

/// The names in a folder; none when it is not there.
pub fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
