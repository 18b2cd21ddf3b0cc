//! Mirrors that send something else, or nothing: one clear error, and nothing of it stays.

use std::fs;
use std::process::Command;

use super::{Site, relock};
use crate::support::runtimes::{NODE_20, sha256};
use crate::support::{Fault, Mirror, Running, TempDir};

#[test]
fn a_mirror_that_sends_something_else_is_refused() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let cases = [
        (Fault::Html, 5, "answers with an HTML page instead"),
        (Fault::Endless, 5, "sends more than"),
        (Fault::SaysLonger, 5, "bytes long; ship.lock says"),
        (Fault::SaysShorter, 5, "bytes long; ship.lock says"),
        (Fault::Corrupt, 5, "its checksum is wrong"),
        (
            Fault::Status(404),
            5,
            "there is nothing at http://127.0.0.1:",
        ),
        (Fault::Status(403), 6, "answers 403 (Forbidden)"),
        (Fault::Status(503), 6, "answers 503 (Service Unavailable)"),
        (
            Fault::Redirect("ftp://127.0.0.1/x".to_owned()),
            5,
            "redirects to ftp://127.0.0.1/x",
        ),
        (
            Fault::Redirect("/node/loop.tar.gz".to_owned()),
            5,
            "redirects more than 10 times",
        ),
    ];
    for (fault, code, text) in cases {
        site.mirror.fault(".tar.gz", fault);
        let build = site.controller.ship(&["build"]);
        build.code(code).stderr_has(text);
        assert_eq!(site.cached(), Vec::<String>::new(), "{build}");
    }
    let both = site.mirror.file(&NODE_20);
    site.mirror.fault(".tar.gz", Fault::Corrupt);
    site.controller
        .ship(&["build"])
        .code(5)
        .stderr_has(&format!("ship.lock: sha256 {}", sha256(&both)))
        .stderr_has("found:     sha256 ");
    site.mirror.heal();
    site.controller.ship(&["build"]).ok();
}

/// Checksums say what is taken, wherever it comes from.
#[test]
fn a_mirror_that_leads_to_another() {
    let Some((site, other)) = Site::on(&[NODE_20]).zip(Mirror::of(&[NODE_20])) else {
        return;
    };
    let elsewhere = format!("{}/{}", other.address("node"), NODE_20.place);
    site.mirror.fault(".tar.gz", Fault::Redirect(elsewhere));
    other.fault(".tar.gz", Fault::Corrupt);
    let build = site.controller.ship(&["build"]);
    build.code(5).stderr_has("its checksum is wrong");
    assert_eq!(site.cached(), Vec::<String>::new());
    other.heal();
    site.controller.ship(&["build"]).ok();
}

/// A server that leads to the address it is started with, through TLS.
const TLS: &str = r#"
import http.server, ssl, sys

class Lead(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", sys.argv[1])
        self.send_header("Content-Length", "0")
        self.end_headers()

server = http.server.HTTPServer(("127.0.0.1", 0), Lead)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_port, "is open", flush=True)
server.serve_forever()
"#;

/// A certificate for 127.0.0.1, in this folder.
const CERTIFICATE: &str = "printf '[req]\ndistinguished_name = name\n[name]\n[server]\n\
    subjectAltName = IP:127.0.0.1\nbasicConstraints = critical, CA:FALSE\n' > settings && \
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
    -subj /CN=mirror -config settings -extensions server \
    -keyout key.pem -out certificate.pem 2> /dev/null";

/// Who asks through TLS is not led out of it, not even to the right archive.
#[test]
fn a_mirror_that_leads_out_of_tls() {
    let Some(mut site) = Site::on(&[NODE_20]) else {
        return;
    };
    let keys = TempDir::new();
    let made = Command::new("sh")
        .args(["-c", CERTIFICATE])
        .current_dir(keys.path())
        .status();
    assert!(made.expect("sh").success(), "openssl makes a certificate");
    let plain = format!("{}/{}", site.mirror.address("node"), NODE_20.place);
    let mut server = Command::new("/usr/bin/python3");
    server.args(["-c", TLS, &plain]).current_dir(keys.path());
    let server = Running::start(&mut server);
    server.wait_for("is open");
    let (said, _) = server.output();
    let port = said.split(' ').nth(1).expect("a port");

    let certificate = keys.path().join("certificate.pem");
    let address = format!("https://127.0.0.1:{port}");
    site.controller.set_env("SHIP_NODE_MIRROR", &address);
    let build = site.controller.ship(&["build"]);
    build.code(6).stderr_has("SSL_CERT_FILE");
    site.controller
        .set_env("SSL_CERT_FILE", &certificate.display().to_string());
    let build = site.controller.ship(&["build"]);
    build
        .code(5)
        .stderr_has("it redirects to http://127.0.0.1:")
        .stderr_has("and http is not followed there");
    assert_eq!(site.mirror.all_requests(), 0);
    assert_eq!(site.cached(), Vec::<String>::new());
}

/// What came stays, and the next command asks for the rest.
#[test]
fn a_mirror_that_stops_half_way() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.mirror
        .fault(".tar.gz", Fault::StopWithoutRanges(3_000_000));
    let build = site.controller.ship(&["build"]);
    build.code(6).stderr_has("stopped after 3000000 of ");
    assert_eq!(site.mirror.requests(".tar.gz"), 3, "three attempts");
    let [part] = &site.cached()[..] else {
        panic!("{:?}", site.cached());
    };
    assert!(part.ends_with(".part"), "{part}");
    // Each answer gets further: that is no reason to give up.
    site.mirror.fault(".tar.gz", Fault::StopAfter(8_000_000));
    site.controller.ship(&["build"]).ok();
    assert!(site.mirror.requests(".tar.gz") > 5);
}

#[test]
fn nobody_there() {
    let Some(mut site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.controller
        .set_env("SHIP_NODE_MIRROR", "http://ann:hunter2@127.0.0.1:1/node");
    let build = site.controller.ship(&["build"]);
    build
        .code(6)
        .stderr_has("cannot read http://127.0.0.1:1/node/v20.11.1/")
        .stderr_has("Connection refused")
        .stderr_has("HTTPS_PROXY");
    assert!(!build.stderr.contains("hunter2"), "{build}");
    assert_eq!(site.cached(), Vec::<String>::new());
}

/// A deploy stands on the same runtimes; without them, nothing is shipped.
#[test]
fn a_deploy_without_its_runtimes() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.mirror.fault(".tar.gz", Fault::Corrupt);
    let deploy = site.controller.ship(&["deploy", "local", "--allow-dirty"]);
    deploy.code(5).stderr_has("its checksum is wrong");
    let releases = site.controller.ship(&["releases", "local"]);
    assert!(!releases.stdout.contains("v1"), "{releases}");
}

#[test]
fn a_proxy_is_used_and_one_can_be_exempt() {
    let Some(mut site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.controller.set_env("HTTP_PROXY", "http://127.0.0.1:1");
    site.controller.ship(&["build"]).code(6);
    assert_eq!(site.mirror.all_requests(), 0);
    site.controller.set_env("NO_PROXY", "127.0.0.1");
    site.controller.ship(&["build"]).ok();
}

#[test]
fn an_archive_that_writes_elsewhere() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let make = "import io, tarfile, sys\n\
                t = tarfile.open(sys.argv[1], 'w:gz')\n\
                i = tarfile.TarInfo(sys.argv[2]); i.size = 4\n\
                t.addfile(i, io.BytesIO(b'evil')); t.close()\n";
    for name in ["node/../../evil", "/tmp/evil"] {
        let file = site.mirror.file(&NODE_20);
        fs::remove_file(&file).expect("the link to the archive");
        let made = Command::new("/usr/bin/python3")
            .args(["-c", make])
            .arg(&file)
            .arg(name)
            .status();
        assert!(made.expect("python3").success());
        relock(&site, &NODE_20, &file);
        let build = site.controller.ship(&["build"]);
        build
            .code(5)
            .stderr_has("the archive of node 20.11.1 is refused: cannot unpack")
            .stderr_has(name);
        let cached = site.cached();
        let unpacked = cached.iter().any(|name| name.contains("node"));
        assert!(!unpacked, "{cached:?}");
    }
}
