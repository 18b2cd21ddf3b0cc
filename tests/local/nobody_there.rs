//! Hosts that cannot be reached: a person reads what ssh says, whoever dialled; and what ssh is
//! asked with is nobody's secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::shop::{Shop, Words, free_port};
use crate::support::{KeyPair, Running, TempDir, skip};

/// A shop on a port of this machine where nobody listens.
fn nowhere() -> (Shop, u16) {
    let port = free_port();
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: format!("[environments.production]\nhosts = [\"nowhere:{port}\"]\n"),
    });
    (shop, port)
}

fn configure(shop: &Shop, lines: &str) {
    let config = shop.controller.home().join(".ssh/config");
    fs::write(config, format!("Host *\n  HostName 127.0.0.1\n{lines}")).expect("write the config");
}

#[test]
fn what_ssh_says_is_what_is_said() {
    let (mut shop, port) = nowhere();
    let quoted = "connect to host 127.0.0.1 port";
    for (shell, lines) in [
        ("/bin/sh", ""),
        ("/bin/sh", "  LogLevel QUIET\n"),
        ("/bin/sh", "  CanonicalizeHostname yes\n"),
        ("/bin/sh", "  ProxyCommand none\n"),
        ("/usr/bin/fish", ""),
        ("/nowhere/bash", ""),
    ] {
        configure(&shop, lines);
        shop.controller.set_env("SHELL", shell);
        let run = shop.controller.ship(&["status", "production"]);
        run.code(6)
            .stderr_has(&format!("{quoted} {port}: Connection refused"));
    }
}

#[test]
fn a_key_from_ci_is_no_argument() {
    let (mut shop, _) = nowhere();
    let seen = shop.controller.home().join("seen");
    // ssh starts it with every reading of its configuration; its parent is that ssh.
    let look = format!("cat /proc/$PPID/cmdline >> {}; false", seen.display());
    configure(&shop, &format!("Match exec \"{look}\"\n"));
    let key = fs::read_to_string(shop.controller.home().join(".ssh/id_ed25519"));
    shop.controller
        .set_env("SHIP_SSH_KEY", &key.expect("the key"));
    shop.controller.ship(&["status", "production"]).code(6);
    let arguments = arguments(&seen);
    assert!(arguments.contains("-G"), "{arguments}");
    assert!(!arguments.contains("PRIVATE KEY"), "{arguments}");
}

fn arguments(seen: &Path) -> String {
    let bytes = fs::read(seen).expect("ssh looked");
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// A key that came to harm on its way through CI is told from one that the host refuses.
#[test]
fn a_key_that_is_none_is_refused_before_a_connection() {
    let (mut shop, port) = nowhere();
    configure(&shop, "");
    let key = KeyPair::person().private.trim().to_owned();
    let half = key[..key.len() / 2].to_owned();
    let public = KeyPair::person().public.clone();
    for wrong in [half, public, "hunter2-not-a-key".to_owned(), String::new()] {
        shop.controller.set_env("SHIP_SSH_KEY", &wrong);
        let run = shop.controller.ship(&["status", "production"]);
        run.code(2)
            .stderr_has("SHIP_SSH_KEY is not a private key: ");
        let first = wrong.lines().next().unwrap_or_default();
        assert!(first.is_empty() || !run.stderr.contains(first), "{run}");
    }
    for mended in [
        key.replace('\n', "\\n"),
        key.replace('\n', "\n  "),
        format!("\"{key}\""),
    ] {
        shop.controller.set_env("SHIP_SSH_KEY", &mended);
        let run = shop.controller.ship(&["status", "production"]);
        run.code(6)
            .stderr_has(&format!("port {port}: Connection refused"));
    }
}

/// ssh works for nobody without an account, and says so before it opens its log.
#[test]
fn a_user_without_an_account_reads_what_ssh_says() {
    if !rustix::process::geteuid().is_root() {
        return skip("another user: not root");
    }
    let (shop, _) = nowhere();
    let open = TempDir::new();
    let chmod = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    };
    chmod(open.path(), 0o755);
    for (from, to) in [
        (shop.controller.project().join("ship.toml"), "ship.toml"),
        (PathBuf::from(env!("CARGO_BIN_EXE_ship")), "ship"),
    ] {
        fs::copy(from, open.path().join(to)).expect("copy");
        chmod(&open.path().join(to), 0o755);
    }
    for home in ["/nonexistent", "/proc", ""] {
        let mut command = shop.controller.command("setpriv");
        command
            .args(["--reuid=12345", "--clear-groups"])
            .arg(open.path().join("ship"))
            .args(["status", "production"])
            .current_dir(open.path())
            .env("HOME", home);
        for name in [
            "XDG_RUNTIME_DIR",
            "XDG_CACHE_HOME",
            "TMPDIR",
            "SHIP_SSH_CONFIG",
            "USER",
            "LOGNAME",
        ] {
            command.env_remove(name);
        }
        let run = Running::start(&mut command).wait();
        run.code(6).stderr_has("No user exists for uid 12345");
    }
}
