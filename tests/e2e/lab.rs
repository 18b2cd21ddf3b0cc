//! Hosts to play with: `SHIP_LAB=3 cargo test --test e2e lab -- --ignored --nocapture` boots three
//! and keeps them until the file that it names is removed.

use std::time::Duration;

use crate::support::{Controller, Fleet, require_hosts};

#[test]
#[expect(clippy::print_stderr, reason = "it talks to a person")]
#[ignore = "not a test: boots hosts for a person"]
fn lab() {
    let Some(()) = require_hosts() else { return };
    let count = std::env::var("SHIP_LAB")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let fleet = Fleet::boot(count);
    let controller = Controller::knowing(fleet.iter());
    let flag = std::env::temp_dir().join("ship-lab");
    std::fs::write(&flag, "").expect("a writable temporary folder");
    eprintln!(
        "export SHIP_SSH_CONFIG={}",
        controller.ssh_config().display()
    );
    for host in fleet.iter() {
        eprintln!("host {} {}", host.name(), host.addr());
    }
    eprintln!("remove {} to end it", flag.display());
    while flag.exists() {
        std::thread::sleep(Duration::from_millis(200));
    }
}
