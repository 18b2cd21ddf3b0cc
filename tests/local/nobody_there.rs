//! Hosts that cannot be reached: a person reads what ssh says, whoever dialled; and what ssh is
//! asked with is nobody's secret.

use std::fs;
use std::path::Path;

use crate::shop::{Shop, Words, free_port};

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
