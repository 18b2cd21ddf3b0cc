//! The settings of Caddy and nginx in `docs/guides/domains.md`, with the real programs in front of a
//! real site.

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use support::{eventually, skip};

const GUIDE: &str = include_str!("../docs/guides/domains.md");

/// The text of the guide's block in this language.
fn snippet(language: &str) -> String {
    let fence = format!("```{language}\n");
    let (_, rest) = GUIDE
        .split_once(&fence)
        .expect("the guide has such a block");
    let (block, _) = rest.split_once("```").expect("and it ends");
    block.to_owned()
}

/// A process that ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// ship's own server of a folder, as a service runs it.
struct Site {
    _folder: tempfile::TempDir,
    _process: Killed,
    port: u16,
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let public = folder.path().join("public");
        fs::create_dir(&public).expect("a folder");
        fs::write(public.join("index.html"), "<p>the app</p>").expect("a page");
        fs::write(public.join("large.js"), "let answer = 42;\n".repeat(500)).expect("a file");
        let mut process = Command::new(env!("CARGO_BIN_EXE_ship"))
            .args(["agent", "site", "--fallback=index.html", "public"])
            .env("PORT", "0")
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ship starts");
        let mut line = String::new();
        let log = process.stderr.take().expect("it has a log");
        BufReader::new(log).read_line(&mut line).expect("a line");
        let port = line
            .trim_end()
            .rsplit(' ')
            .next()
            .and_then(|port| port.parse().ok());
        Self {
            _folder: folder,
            _process: Killed(process),
            port: port.expect("the port is said"),
        }
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let found = names.iter().map(Path::new).find(|path| path.is_file());
    if found.is_none() {
        skip(&format!("not installed: {}", names[0]));
    }
    found.map(Path::to_owned)
}

/// Asks with curl, which takes any certificate and goes to this machine for each of the guide's names.
fn ask(port: u16, url: &str, more: &[&str]) -> Output {
    let to = |name: &str| format!("{name}:{port}:127.0.0.1");
    let (name, www) = (to("example.com"), to("www.example.com"));
    Command::new("curl")
        .args([
            "-sSik",
            "--max-time",
            "20",
            "--resolve",
            &name,
            "--resolve",
            &www,
        ])
        .args(more)
        .arg(url)
        .output()
        .expect("curl runs")
}

/// The answer in lower case, header and body.
fn answer(port: u16, url: &str, more: &[&str]) -> String {
    String::from_utf8_lossy(&ask(port, url, more).stdout).to_lowercase()
}

/// A page, a deep link, a missing file and compression, through whatever is in front.
fn visit(port: u16, base: &str) {
    eventually("the proxy answers", || {
        ask(port, &format!("{base}/"), &[]).status.success()
    });
    let page = answer(port, &format!("{base}/"), &[]);
    assert!(page.contains(" 200") && page.contains("the app"), "{page}");
    let deep = answer(
        port,
        &format!("{base}/users/7"),
        &["-H", "accept: text/html"],
    );
    assert!(deep.contains(" 200") && deep.contains("the app"), "{deep}");
    let missing = answer(port, &format!("{base}/missing.js"), &[]);
    assert!(missing.contains(" 404"), "{missing}");
    let small = ["-H", "accept-encoding: gzip", "-o", "/dev/null", "-D", "-"];
    let small = answer(port, &format!("{base}/large.js"), &small);
    assert!(small.contains("content-encoding: gzip"), "{small}");
    let part = answer(port, &format!("{base}/large.js"), &["-r", "0-2"]);
    assert!(part.contains(" 206") && part.ends_with("let"), "{part}");
}

#[test]
fn caddy_gives_the_app_a_name_and_tls() {
    let Some(caddy) = program(&["/usr/bin/caddy"]) else {
        return;
    };
    let site = Site::start();
    let place = tempfile::tempdir().expect("a folder");
    let (http, https) = (free_port(), free_port());
    // Certificates of its own instead of a public authority's; all else is the guide's.
    let options = format!(
        "{{\n\tadmin off\n\thttp_port {http}\n\thttps_port {https}\n\tlocal_certs\n\tskip_install_trust\n}}\n"
    );
    let settings = snippet("caddy").replace("127.0.0.1:8080", &format!("127.0.0.1:{}", site.port));
    let file = place.path().join("Caddyfile");
    fs::write(&file, format!("{options}{settings}")).expect("its settings");
    let _caddy = Killed(
        Command::new(caddy)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(&file)
            .env("HOME", place.path())
            .env("XDG_DATA_HOME", place.path())
            .env("XDG_CONFIG_HOME", place.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("caddy starts"),
    );
    visit(https, &format!("https://example.com:{https}"));
    let led = answer(
        https,
        &format!("https://www.example.com:{https}/a?b=c"),
        &[],
    );
    assert!(led.contains(" 301"), "{led}");
    assert!(led.contains("location: https://example.com/a?b=c"), "{led}");
    let plain = answer(http, &format!("http://example.com:{http}/"), &[]);
    assert!(plain.contains(" 308"), "{plain}");
}

#[test]
fn nginx_gives_the_app_a_name() {
    let Some(nginx) = program(&["/usr/sbin/nginx"]) else {
        return;
    };
    let site = Site::start();
    let place = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let settings = snippet("nginx")
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", site.port))
        .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
        .replace("    listen [::]:80;\n", "");
    let at = place.path().display();
    let main = format!(
        "daemon off;\npid {at}/pid;\nerror_log {at}/error.log;\nevents {{}}\nhttp {{\n\
         access_log off;\nclient_body_temp_path {at}/body;\nproxy_temp_path {at}/proxy;\n\
         fastcgi_temp_path {at}/fastcgi;\nuwsgi_temp_path {at}/uwsgi;\nscgi_temp_path {at}/scgi;\n\
         {settings}}}\n"
    );
    let file = place.path().join("nginx.conf");
    fs::write(&file, main).expect("its settings");
    let _nginx = Killed(
        Command::new(nginx)
            .arg("-c")
            .arg(&file)
            .args(["-g", "master_process off;"])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts"),
    );
    visit(port, &format!("http://example.com:{port}"));
}
