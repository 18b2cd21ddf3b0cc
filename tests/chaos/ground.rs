//! Hosts with a good release on them, and the person who deploys the next one.

use super::app::{self, Behaviour, PORT};
use super::fault::{SUDO, SYSTEMCTL};
use crate::support::{Clock, Controller, Disk, Fleet, Host, HostOptions, Run};

/// How long a host waits for a controller that is gone, s: the shortest that a manifest may say.
pub const LEASE: u64 = 5;

/// The small disk of each host: it can be filled, and a power cut loses what was not synced.
const DISK_MIB: u64 = 64;
const INODES: u64 = 3000;

/// In which order hosts switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    AllAtOnce,
    OneByOne,
    /// The first host, and a second later the others.
    Canary,
}

impl Strategy {
    pub fn name(self) -> &'static str {
        match self {
            Self::AllAtOnce => "all at once",
            Self::OneByOne => "one by one",
            Self::Canary => "canary",
        }
    }
}

/// What of the manifest differs from scenario to scenario.
#[derive(Clone, Copy, Debug)]
pub struct Manifest {
    pub strategy: Strategy,
    /// As the manifest has it.
    pub on_failure: &'static str,
    /// How long a new process must have been up, s.
    pub settle: u32,
    /// How long a new release is watched, s.
    pub watch: u32,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            strategy: Strategy::AllAtOnce,
            on_failure: "revert-all",
            settle: 1,
            watch: 0,
        }
    }
}

/// The hosts that scenarios happen on, one after the other.
pub struct Ground {
    pub fleet: Fleet,
    pub person: Controller,
    /// The person's clock and that of the hosts; `None` where it cannot be set.
    pub clock: Option<Clock>,
    /// Others who deployed here.
    pub guests: Vec<Controller>,
    last: u32,
}

impl Ground {
    /// Boots so many hosts and deploys a first release.
    #[track_caller]
    pub fn boot(size: usize) -> Self {
        let disk = Some(Disk::at("/srv", DISK_MIB).inodes(INODES));
        let fleet = Fleet::boot_with(size, &HostOptions { disk });
        let mut person = Controller::knowing(fleet.iter());
        let clock = Clock::make();
        if let Some(clock) = &clock {
            for (name, value) in clock.variables() {
                person.set_env(name, &value.to_string_lossy());
            }
        }
        for host in fleet.iter() {
            for program in [SYSTEMCTL, SUDO] {
                host.sh(&format!("cp -a {program} {program}.real"));
            }
            if let Some(clock) = &clock {
                clock.install(host);
            }
        }
        let mut ground = Self {
            fleet,
            person,
            clock,
            guests: Vec::new(),
            last: 0,
        };
        ground.next(Behaviour::Good);
        ground.manifest(&Manifest::default());
        let setup = ["setup", "production", "--as", "root"];
        ground.person.ship(&setup).ok();
        ground.deploy().ok();
        ground
    }

    /// The name of a host for the person.
    pub fn destination(&self, host: usize) -> String {
        format!("deploy@{}", self.fleet[host].name())
    }

    pub fn hosts(&self) -> &[Host] {
        &self.fleet
    }

    /// Writes a version that no release has had, and returns it.
    pub fn next(&mut self, behaviour: Behaviour) -> String {
        self.last += 1;
        let version = format!("r{}", self.last);
        app::write(&self.person, &version, behaviour);
        version
    }

    /// Writes `ship.toml`.
    pub fn manifest(&self, manifest: &Manifest) {
        self.person.write("ship.toml", self.manifest_text(manifest));
    }

    /// Deploys what is in the project, to the end.
    #[track_caller]
    pub fn deploy(&self) -> Run {
        self.person.ship(&["deploy", "production"])
    }

    /// Another person with the same project, and a version of its own.
    pub fn another(&mut self, manifest: &Manifest) -> (Controller, String) {
        let other = Controller::knowing(self.fleet.iter());
        self.last += 1;
        let version = format!("r{}", self.last);
        app::write(&other, &version, Behaviour::Good);
        other.write("ship.toml", self.manifest_text(manifest));
        (other, version)
    }

    fn manifest_text(&self, manifest: &Manifest) -> String {
        let hosts: Vec<String> = (0..self.fleet.len())
            .map(|host| format!("\"{}\"", self.destination(host)))
            .collect();
        let strategy = match manifest.strategy {
            Strategy::AllAtOnce => "\"all-at-once\"",
            Strategy::OneByOne => "\"rolling\", batch = 1",
            Strategy::Canary => "\"canary\", batch = 1, bake = \"1s\"",
        };
        let Manifest {
            on_failure,
            settle,
            watch,
            ..
        } = manifest;
        format!(
            "[app]\nname = \"shop\"\n\n[release]\ninclude = [\"app\"]\nkeep = 3\n\n\
             [services.web]\ncommand = \"python3 {program}\"\nport = {PORT}\n\
             health = {{ path = \"/healthz\", timeout = \"{timeout}s\", interval = \"100ms\" }}\n\
             settle = \"{settle}s\"\nstop-timeout = \"2s\"\n\n\
             [hooks]\nbefore-activate = [\"sleep 0.3\"]\n\n\
             [environments.production]\nhosts = [{hosts}]\nwatch = \"{watch}s\"\n\
             rollout = {{ strategy = {strategy}, on-failure = \"{on_failure}\", lease = \"{LEASE}s\" }}\n",
            program = app::PROGRAM,
            timeout = settle + 20,
            hosts = hosts.join(", "),
        )
    }
}
