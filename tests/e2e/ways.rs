//! The way to a host is the one that ssh goes, with its jump hosts, aliases and ports; and the keys
//! that are pinned at its end are those that somebody vouched for.

use crate::shop::{Shop, serves};
use crate::support::{Controller, Fleet, Host, KeyPair, require_hosts};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

/// A person whose host `inner` lies behind `jump`.
struct Traveller<'a> {
    shop: Shop,
    gate: &'a Host,
    inner: &'a Host,
    config: String,
}

impl<'a> Traveller<'a> {
    fn of(person: Controller, fleet: &'a [Host]) -> Self {
        let shop = Shop::with(person, &["deploy@inner"]);
        let config = fs::read_to_string(shop.ssh_config()).expect("a config");
        let [gate, inner] = fleet else {
            panic!("two hosts")
        };
        let traveller = Self {
            shop,
            gate,
            inner,
            config,
        };
        traveller.goes("ProxyJump deploy@jump\n");
        traveller
    }

    /// Goes to `inner` as these lines of ssh_config(5) say.
    fn goes(&self, lines: &str) {
        let Self {
            gate,
            inner,
            config,
            ..
        } = self;
        let jump = format!(
            "Host jump\n  HostName {}\n  HostKeyAlias jump\n",
            gate.addr()
        );
        let inner = format!("Host inner\n  HostName {}\n{lines}", inner.addr());
        fs::write(self.shop.ssh_config(), format!("{jump}{inner}{config}")).expect("write");
    }

    /// Knows this key of `jump`, and nothing else beyond what it began with.
    fn knows_jump(&self, key: &str) {
        let path = self.shop.home().join(".ssh/known_hosts");
        let known = fs::read_to_string(&path).expect("known hosts");
        let others: Vec<&str> = known
            .lines()
            .filter(|line| !line.starts_with("jump "))
            .collect();
        fs::write(path, format!("{}\njump {key}\n", others.join("\n"))).expect("write");
    }

    /// The keys that are pinned in the project.
    fn pinned(&self) -> Vec<String> {
        let pinned = fs::read_to_string(self.shop.project().join(".ship/known_hosts"));
        pinned
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

/// The fingerprint of the key in this file of a host.
fn fingerprint(host: &Host, file: &str) -> String {
    let listed = host.sh(&format!("ssh-keygen -lf {file}"));
    listed
        .split_whitespace()
        .nth(1)
        .expect("a fingerprint")
        .to_owned()
}

#[test]
fn a_jump_host_is_part_of_the_way() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut traveller = Traveller::of(Controller::knowing(&*fleet), &fleet);
    trouble_on_the_way(&traveller);
    traveller.knows_jump(traveller.gate.host_key());
    traveller.shop.setup();
    traveller.shop.deploy().ok();
    serves(traveller.inner, "v1", "v1");
    the_key_of_ci_opens_the_jump_host_too(&mut traveller);
    sessions_of_the_persons_own(traveller);

    let newcomer = Traveller::of(Controller::new(), &fleet);
    newcomer.knows_jump(newcomer.gate.host_key());
    only_vouched_for_keys(&newcomer);
    at_a_terminal(&newcomer);
    another_key(&newcomer);
    impostor(&newcomer);
    with_a_scope(&newcomer);
}

/// What is wrong with a jump host is said of the jump host, whose unknown key is no reason to go
/// on without the host behind it.
fn trouble_on_the_way(traveller: &Traveller) {
    let shop = &traveller.shop;
    shop.deploy()
        .code(6)
        .stderr_has("deploy@inner: the host key of its jump host deploy@jump is not known")
        .stderr_has("ship host trust deploy@jump");
    let both = Shop::with(
        Controller::knowing([traveller.gate]),
        &["deploy@web1", "deploy@inner"],
    );
    fs::copy(shop.ssh_config(), both.ssh_config()).expect("copy");
    let run = both.ship(&["deploy", "production", "--skip-unreachable", "--json"]);
    run.code(6).stdout_has("\"cause\":\"host-key\"");
    assert!(!traveller.gate.exists("/srv/shop/releases"));
    traveller.knows_jump(traveller.inner.host_key());
    shop.deploy()
        .code(6)
        .stderr_has("the host key of its jump host deploy@jump is not the one that is known")
        .stderr_has("REMOTE HOST IDENTIFICATION HAS CHANGED");
    traveller.knows_jump(traveller.gate.host_key());
    traveller.goes("ProxyJump nobody@jump\n");
    shop.deploy()
        .code(6)
        .stderr_has("its jump host nobody@jump refuses every key that ssh offers");
    traveller.goes("ProxyJump no-such-host.invalid\n");
    shop.deploy()
        .code(6)
        .stderr_has("no way through its jump host no-such-host.invalid")
        .stderr_has("Could not resolve hostname");
    traveller.goes("ProxyCommand sh -c 'echo the tunnel is flooded >&2; exit 1'\n");
    shop.deploy()
        .code(6)
        .stderr_has("no way through its ProxyCommand: the tunnel is flooded");
    traveller.goes("ProxyJump deploy@jump\n");
}

/// In CI there is one key, and no configuration that names it for the jump host.
fn the_key_of_ci_opens_the_jump_host_too(traveller: &mut Traveller) {
    let path = traveller.shop.home().join(".ssh/id_ed25519");
    let key = fs::read_to_string(&path).expect("a key");
    let config = traveller.config.clone();
    let names_no_key = |line: &&str| !line.trim_start().starts_with("IdentityFile");
    let lines: Vec<&str> = config.lines().filter(names_no_key).collect();
    traveller.config = lines.join("\n") + "\n";
    traveller.goes("ProxyJump deploy@jump\n");
    traveller.shop.masters().kill();
    let elsewhere = path.with_file_name("elsewhere");
    fs::rename(&path, &elsewhere).expect("rename");
    let status = |shop: &Shop| shop.ship(&["status"]);
    status(&traveller.shop)
        .code(6)
        .stderr_has("its jump host deploy@jump refuses every key");
    traveller.shop.set_env("SHIP_SSH_KEY", &key);
    status(&traveller.shop).ok().stdout_has("healthy");
    traveller.shop.unset_env("SHIP_SSH_KEY");
    traveller.shop.masters().kill();
    fs::rename(&elsewhere, &path).expect("rename");
    traveller.config = config;
    traveller.goes("ProxyJump deploy@jump\n");
}

/// What a person has configured for sessions of their own does not touch those of ship.
fn sessions_of_the_persons_own(mut traveller: Traveller) {
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address").port()
    };
    let (local, dynamic) = (free(), free());
    let home = traveller.shop.home();
    let own = format!(
        "  LocalForward {local} localhost:80\n  DynamicForward {dynamic}\n  RemoteForward 22 localhost:22\n  \
         ExitOnForwardFailure yes\n  RequestTTY force\n  RemoteCommand echo not this\n  \
         PermitLocalCommand yes\n  LocalCommand touch {0}/ran\n  ForwardAgent yes\n  ForwardX11 yes\n  \
         ControlMaster auto\n  ControlPath {0}/control-%C\n  ControlPersist 60\n",
        home.display()
    );
    // Dialled by us, and by ssh itself.
    for way in ["", "  ProxyJump deploy@jump\n"] {
        for persist in ["0", "60"] {
            traveller.goes(&format!("{way}{own}"));
            traveller.shop.set_env("SHIP_SSH_PERSIST", persist);
            traveller.shop.ship(&["status"]).ok().stdout_has("healthy");
            traveller.shop.ship(&["status"]).ok().stdout_has("healthy");
            for port in [local, dynamic] {
                TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
            }
        }
        traveller.shop.masters().kill();
    }
    assert!(!home.join("ran").exists());
    let left = fs::read_dir(&home).expect("a home");
    let names = left.map(|entry| entry.expect("an entry").file_name().into_string());
    assert!(names.flatten().all(|name| !name.starts_with("control-")));
}

fn only_vouched_for_keys(newcomer: &Traveller) {
    let Traveller { shop, inner, .. } = newcomer;
    let kinds =
        ["ed25519", "ecdsa", "rsa"].map(|kind| format!("HostKey /etc/ssh/ssh_host_{kind}_key\n"));
    inner.write("/etc/ssh/sshd_config.d/keys.conf", kinds.concat());
    inner.sh("ssh-keygen -A");
    inner.restart_ssh();
    let ed25519 = fingerprint(inner, "/etc/ssh/ssh_host_ed25519_key.pub");
    let trust = ["host", "trust", "deploy@inner", "--fingerprint"];
    let wrong = shop.ship(&[&trust[..], &["SHA256:somebodyelse"]].concat());
    wrong.code(5).stderr_has("has no key with the fingerprint");
    let run = shop.ship(&[&trust[..], &[&ed25519]].concat());
    run.ok()
        .stderr_has("left out")
        .stderr_has("(ECDSA)")
        .stderr_has("(RSA)");
    let key = inner.host_key().rsplit_once(' ').expect("a comment").0;
    assert_eq!(newcomer.pinned(), [format!("{} {key}", inner.addr())]);
    shop.ship(&["status"]).ok().stdout_has("healthy");
}

/// A fingerprint that is typed at the question is for its own key.
fn at_a_terminal(newcomer: &Traveller) {
    let Traveller { shop, inner, .. } = newcomer;
    let ecdsa = fingerprint(inner, "/etc/ssh/ssh_host_ecdsa_key.pub");
    for (answer, count) in [("no", 1), ("", 1), (ecdsa.as_str(), 2), ("yes", 3)] {
        let line = format!("{} host trust deploy@inner", env!("CARGO_BIN_EXE_ship"));
        let mut script = shop.command("timeout");
        script
            .args(["60", "script", "-qec", &line, "/dev/null"])
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut script = script.spawn().expect("script(1)");
        let (mut stdin, mut stdout) = (
            script.stdin.take().expect("in"),
            script.stdout.take().expect("out"),
        );
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains("is this deploy@inner?") {
            let mut byte = [0];
            assert_eq!(
                stdout.read(&mut byte).expect("read"),
                1,
                "{}",
                String::from_utf8_lossy(&said)
            );
            said.push(byte[0]);
        }
        stdin
            .write_all(format!("{answer}\r").as_bytes())
            .expect("write");
        stdout.read_to_end(&mut said).expect("read");
        script.wait().expect("wait");
        assert_eq!(
            newcomer.pinned().len(),
            count,
            "{answer}: {}",
            String::from_utf8_lossy(&said)
        );
    }
}

fn another_key(newcomer: &Traveller) {
    let Traveller { shop, inner, .. } = newcomer;
    inner.break_host_key();
    let new = fingerprint(inner, "/etc/ssh/ssh_host_ed25519_key.pub");
    let trust = ["host", "trust", "deploy@inner", "--fingerprint", &new];
    shop.ship(&trust)
        .code(5)
        .stderr_has("deploy@inner is pinned with another key than it shows")
        .stderr_has("--replace");
    assert_eq!(newcomer.pinned().len(), 3);
    shop.ship(&["status"]).code(6);
    shop.ship(&[&trust[..], &["--replace"]].concat()).ok();
    assert_eq!(newcomer.pinned().len(), 1);
    shop.ship(&["status"]).ok().stdout_has("healthy");
}

/// An agent for sshd(8) that has a public key, and signs with nothing.
const HAS_NO_KEY: &str = r#"
import base64, os, socket, struct, threading
public = base64.b64decode(open("/root/genuine.pub").read().split()[1])
string = lambda b: struct.pack(">I", len(b)) + b
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/forger")
listener.listen(8)
def serve(stream):
    while len(head := stream.recv(4)) == 4:
        message = stream.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)
        if message[0] == 11:
            answer = b"\x0c" + struct.pack(">I", 1) + string(public) + string(b"")
        else:
            answer = b"\x0e" + string(string(b"ssh-ed25519") + string(os.urandom(64)))
        stream.sendall(string(answer))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

/// Who shows a key of somebody else's, which is no secret, is found out, and nothing else of it is
/// pinned along with that key.
fn impostor(newcomer: &Traveller) {
    let Traveller { shop, gate, .. } = newcomer;
    gate.write("/root/genuine.pub", &KeyPair::generate("genuine").public);
    gate.write("/root/agent.py", HAS_NO_KEY);
    gate.sh(
        "chmod 600 /root/genuine.pub && ssh-keygen -q -t ecdsa -N '' -f /root/own &&
             systemd-run -q --unit=forger python3 /root/agent.py &&
             until [ -S /run/forger ]; do sleep 0.05; done",
    );
    gate.sh(
        "systemd-run -q --unit=impostor /usr/sbin/sshd -D -p 2022 -o HostKey=/root/genuine.pub \
             -o HostKey=/root/own -o HostKeyAgent=/run/forger -o PidFile=none &&
             until ss -ltn | grep -q :2022; do sleep 0.05; done",
    );
    let before = newcomer.pinned();
    let address = format!("deploy@{}:2022", gate.addr());
    let trust =
        |fingerprint: &str| shop.ship(&["host", "trust", &address, "--fingerprint", fingerprint]);
    let genuine = trust(&fingerprint(gate, "/root/genuine.pub"));
    genuine
        .code(5)
        .stderr_has("shows a key and does not prove that it has it; nothing was pinned");
    assert_eq!(newcomer.pinned(), before);
    trust(&fingerprint(gate, "/root/own.pub"))
        .ok()
        .stderr_has("did not prove that it has it");
    let pinned = newcomer.pinned();
    assert_eq!(pinned.len(), before.len() + 1);
    let name = format!("[{}]:2022 ecdsa-sha2-nistp256 ", gate.addr());
    assert!(pinned[before.len()].starts_with(&name), "{pinned:?}");
}

/// An address that holds only on one link; also with the port in a URI.
fn with_a_scope(newcomer: &Traveller) {
    let Traveller { shop, gate, .. } = newcomer;
    let address = gate.sh("ip -6 -o addr show scope link | sed -n 's/.*inet6 \\([^/]*\\).*/\\1/p'");
    let mut route = shop.command("ip");
    let route = route
        .args(["-o", "route", "get", &gate.addr().to_string()])
        .output()
        .expect("ip");
    let route = String::from_utf8(route.stdout).expect("text");
    let link = route
        .split_once("dev ")
        .expect("a device")
        .1
        .split(' ')
        .next()
        .expect("a name");
    let fingerprint = fingerprint(gate, "/etc/ssh/ssh_host_ed25519_key.pub");
    for (host, command) in [
        (
            format!("deploy@[{address}%{link}]"),
            &["setup", "production", "--as", "root"][..],
        ),
        (
            format!("ssh://deploy@[{address}%{link}]:22"),
            &["status", "production"],
        ),
    ] {
        let there = Shop::with(Controller::new(), &[&host]);
        there
            .ship(&["host", "trust", &host, "--fingerprint", &fingerprint])
            .ok();
        there.ship(command).ok();
    }
}
