//! The hosts, and the machine of the person who deploys to them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::options::Options;
use crate::say::say;
use crate::support::{Controller, Disk, Fleet, Host, HostOptions, Relay, TempDir, eventually};

/// What lies between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// A cable: microseconds, gigabits.
    Near,
    /// A round trip of 50 ms.
    Far,
    /// 20 Mbit/s.
    Slow,
}

/// Half of the round trip of [`Network::Far`].
const ONE_WAY: Duration = Duration::from_millis(25);

/// Mbit/s of [`Network::Slow`].
const RATE: u32 = 20;

/// Releases are on an ext4 with a journal, as a server's are, and not on the overlay of the test hosts:
/// what lies below that has a cost of its own for each file that is made. So many MiB, of which only
/// what is written takes room.
const DISK_MIB: u64 = 6 << 10;

/// Hosts `web1`, `web2`, ..., and folders that live as long.
pub struct Lab {
    fleet: Fleet,
    near: Controller,
    far: Controller,
    _relays: Vec<Relay>,
    folders: TempDir,
    /// The `ship` that is measured.
    pub ship: PathBuf,
    /// An older `ship` that is measured beside it.
    pub before: Option<PathBuf>,
}

impl Lab {
    pub fn boot(size: usize, options: &Options) -> Self {
        say(format!("ship: {}, {size} host(s)", describe(&options.ship)));
        let disk = Some(Disk::at("/srv", DISK_MIB));
        let fleet = Fleet::boot_with(size, &HostOptions { disk });
        let near = Controller::knowing(fleet.iter());
        let mut far = Controller::new();
        let mut relays = Vec::new();
        for host in fleet.iter() {
            let relay = Relay::start(SocketAddr::from((host.addr(), 22)), ONE_WAY);
            far.know_through(&relay, host);
            relays.push(relay);
        }
        Self {
            fleet,
            near,
            far,
            _relays: relays,
            folders: TempDir::new(),
            ship: options.ship.clone(),
            before: options.before.clone(),
        }
    }

    /// The first hosts.
    pub fn hosts(&self, count: usize) -> &[Host] {
        &self.fleet[..count]
    }

    /// The person, where the cable is short.
    pub fn near(&self) -> &Controller {
        &self.near
    }

    /// The person, over this network.
    pub fn person(&self, network: Network) -> &Controller {
        match network {
            Network::Near | Network::Slow => &self.near,
            Network::Far => &self.far,
        }
    }

    /// Makes the network of these hosts this one, until the guard is dropped.
    pub fn shape<'a>(&self, network: Network, hosts: &'a [Host]) -> Shaped<'a> {
        let limited = if network == Network::Slow { hosts } else { &[] };
        for host in limited {
            host.limit_rate(Some(RATE));
        }
        Shaped(limited)
    }

    /// A folder of this name, made when it is not there.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folders.path().join(name);
        fs::create_dir_all(&folder).expect("create a folder");
        folder
    }

    /// Waits until what the last command left to do on the hosts is done, and until the disk is
    /// at rest: no contender pays for another.
    pub fn rest(&self, hosts: &[Host]) {
        for host in hosts {
            eventually("the host to be at rest", || {
                let busy =
                    "pgrep -u deploy -f '^(rm|xargs|git|tar|.*ship-[0-9a-f]+ agent)' | wc -l";
                host.sh(busy) == "0"
            });
        }
        let _ = Command::new("sync").status();
    }
}

/// Lifts the limit of the hosts when it is dropped.
pub struct Shaped<'a>(&'a [Host]);

impl Drop for Shaped<'_> {
    fn drop(&mut self) {
        for host in self.0 {
            host.limit_rate(None);
        }
    }
}

/// The path, the size, and whether it is static: what people get is.
fn describe(ship: &Path) -> String {
    let size = fs::metadata(ship).map_or(0, |meta| meta.len());
    let dynamic = fs::read(ship).is_ok_and(|bytes| has(&bytes, b"/ld-linux"));
    let linked = if dynamic { "NOT static" } else { "static" };
    let profile = if cfg!(debug_assertions) {
        ", bench built without optimisation"
    } else {
        ""
    };
    let name = ship.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}, {:.1} MB, {linked}{profile}", size as f64 / 1e6)
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
