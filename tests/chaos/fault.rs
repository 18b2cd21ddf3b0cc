//! What is done to a deploy that runs.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::ground::{Ground, Manifest};
use crate::support::{Clock, Host, Process, Running};

/// A fault. Seconds where there is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// kill -9 of the controller.
    KillController,
    /// kill -9 of the controller's ssh(1).
    KillSsh,
    /// kill -9 of the session's sshd(8) on the host.
    KillSession,
    /// kill -9 of the connection's agent.
    KillServe,
    /// kill -9 of the activation.
    KillTransaction,
    /// kill -9 of the activation and of the controller.
    KillBoth,
    /// A signal to the controller, by its name.
    Signal(&'static str),
    /// Silence on the network for so long.
    LinkDown(u64),
    /// SIGSTOP of the controller, and SIGCONT after so long.
    Pause(u64),
    /// No power, and a boot.
    PowerCut,
    /// No block is left on the disk, until the deploy has ended.
    FullDisk,
    /// No inode is left on the disk, until the deploy has ended.
    NoInodes,
    /// `systemctl` fails for so long; 0: until the deploy has ended.
    SystemctlFails(u64),
    /// `systemctl` does not return for so long; 0: until the deploy has ended.
    SystemctlHangs(u64),
    /// `sudo` does not return for so long; 0: until the deploy has ended.
    SudoHangs(u64),
    /// SIGSTOP of the activation, and SIGCONT after so long.
    StopTransaction(u64),
    /// The host's clock jumps by so much.
    HostClock(i64),
    /// The controller's clock jumps by so much.
    ControllerClock(i64),
    /// Somebody else deploys.
    Second,
}

/// A fault that came.
pub struct Injected {
    /// When.
    pub at: Instant,
    /// The other deploy, and its version.
    pub second: Option<(Running, String)>,
    fault: Fault,
    host: usize,
}

impl Fault {
    pub fn name(self) -> String {
        match self {
            Self::KillController => "kill controller".to_owned(),
            Self::KillSsh => "kill ssh".to_owned(),
            Self::KillSession => "kill sshd session".to_owned(),
            Self::KillServe => "kill agent serve".to_owned(),
            Self::KillTransaction => "kill transaction".to_owned(),
            Self::KillBoth => "kill transaction + controller".to_owned(),
            Self::Signal(name) => format!("SIG{name}"),
            Self::LinkDown(s) => format!("link down {s} s"),
            Self::Pause(s) => format!("controller stopped {s} s"),
            Self::PowerCut => "power cut".to_owned(),
            Self::FullDisk => "disk full".to_owned(),
            Self::NoInodes => "inodes gone".to_owned(),
            Self::SystemctlFails(0) => "systemctl fails".to_owned(),
            Self::SystemctlFails(s) => format!("systemctl fails {s} s"),
            Self::SystemctlHangs(0) => "systemctl hangs".to_owned(),
            Self::SystemctlHangs(s) => format!("systemctl hangs {s} s"),
            Self::SudoHangs(0) => "sudo hangs".to_owned(),
            Self::SudoHangs(s) => format!("sudo hangs {s} s"),
            Self::StopTransaction(s) => format!("transaction stopped {s} s"),
            Self::HostClock(s) => format!("host clock {s:+} s"),
            Self::ControllerClock(s) => format!("controller clock {s:+} s"),
            Self::Second => "second deploy".to_owned(),
        }
    }

    /// Whether a connection may be lost by it and nothing else is: the deploy goes on.
    pub fn spares_both_ends(self) -> bool {
        matches!(
            self,
            Self::KillSsh
                | Self::KillSession
                | Self::KillServe
                | Self::LinkDown(0..=2)
                | Self::StopTransaction(0..=3)
                | Self::HostClock(_)
                | Self::ControllerClock(_)
        )
    }

    /// Whether a host may lack what it needs to serve while this lasts.
    pub fn hinders_serving(self) -> bool {
        matches!(
            self,
            Self::SystemctlFails(_) | Self::SystemctlHangs(_) | Self::SudoHangs(_)
        )
    }

    /// Whether it can be done here.
    pub fn is_possible(self) -> bool {
        match self {
            Self::HostClock(_) | Self::ControllerClock(_) => Clock::works(),
            _ => true,
        }
    }

    /// Does it to this host of the ground, or to the deploy, and waits until what passes has passed.
    /// `None` where there is nothing that it could be done to.
    pub fn inject(self, ground: &mut Ground, host: usize, deploy: &Running) -> Option<Injected> {
        let mut second = None;
        let mut came = true;
        let at = Instant::now();
        match self {
            Self::KillController => deploy.signal("KILL"),
            Self::KillSsh => came = kill_ssh(ground, host),
            Self::KillSession => {
                came = kill_in(ground, host, |p| p.title.starts_with("sshd: deploy"));
            }
            Self::KillServe => came = kill_in(ground, host, |p| p.title.contains(" agent serve")),
            Self::KillTransaction => came = kill_transaction(ground, host),
            Self::KillBoth => {
                kill_transaction(ground, host);
                deploy.signal("KILL");
            }
            Self::Signal(name) => deploy.signal(name),
            Self::LinkDown(seconds) => {
                ground.fleet[host].link_down();
                thread::sleep(Duration::from_secs(seconds));
                ground.fleet[host].link_up();
                ground.fleet[host].wait_for_ssh();
            }
            Self::Pause(seconds) => {
                deploy.signal("STOP");
                thread::sleep(Duration::from_secs(seconds));
                deploy.signal("CONT");
            }
            Self::PowerCut => {
                ground.fleet[host].power_cut();
                ground.fleet[host].boot_again();
            }
            Self::FullDisk => ground.fleet[host].fill_disk("/srv", 0),
            Self::NoInodes => ground.fleet[host].take_inodes("/srv", 0),
            Self::SystemctlFails(seconds) => {
                for_a_while(ground, host, SYSTEMCTL, FAILS, seconds);
            }
            Self::SystemctlHangs(seconds) => {
                for_a_while(ground, host, SYSTEMCTL, HANGS, seconds);
            }
            Self::SudoHangs(seconds) => for_a_while(ground, host, SUDO, HANGS, seconds),
            Self::StopTransaction(seconds) => came = stop_transaction(ground, host, seconds),
            Self::HostClock(seconds) => Clock::set_on(&ground.fleet[host], seconds),
            Self::ControllerClock(seconds) => {
                if let Some(clock) = &ground.clock {
                    clock.set(seconds);
                }
            }
            Self::Second => {
                let (other, version) = ground.another(&Manifest::default());
                let deploy = other.spawn(&["deploy", "production", "--json"]);
                // It lives as long as its command does.
                ground.guests.push(other);
                second = Some((deploy, version));
            }
        }
        came.then_some(Injected {
            at,
            second,
            fault: self,
            host,
        })
    }
}

impl Injected {
    /// Undoes what lasts.
    pub fn heal(&self, ground: &Ground) {
        let host = &ground.fleet[self.host];
        match self.fault {
            Fault::FullDisk => host.free_disk("/srv"),
            Fault::NoInodes => host.free_inodes("/srv"),
            Fault::SystemctlFails(0) | Fault::SystemctlHangs(0) => mend(host, SYSTEMCTL),
            Fault::SudoHangs(0) => mend(host, SUDO),
            Fault::HostClock(_) => Clock::set_on(host, 0),
            Fault::ControllerClock(_) => {
                if let Some(clock) = &ground.clock {
                    clock.set(0);
                }
            }
            _ => {}
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// Kills those processes of a host; whether there was one.
fn kill_in(ground: &Ground, host: usize, which: impl Fn(&Process) -> bool) -> bool {
    let mut processes = ground.fleet[host].processes();
    processes.retain(which);
    processes.iter().for_each(Process::kill);
    !processes.is_empty()
}

fn kill_transaction(ground: &Ground, host: usize) -> bool {
    kill_in(ground, host, |p| p.title.contains(" agent transaction"))
}

/// Kills the person's ssh(1) that leads to this host, by its title.
fn kill_ssh(ground: &Ground, host: usize) -> bool {
    let name = ground.fleet[host].name();
    let mut all = Process::with_variable("HOME", &ground.person.home());
    all.retain(|process| {
        let mut words = process.title.split([' ', '@']);
        process.program() == "ssh" && words.any(|word| word == name)
    });
    all.iter().for_each(Process::kill);
    !all.is_empty()
}

/// Stops the activation of a host for so long; whether there was one.
fn stop_transaction(ground: &Ground, host: usize, seconds: u64) -> bool {
    let mut found = ground.fleet[host].processes();
    found.retain(|process| process.title.contains(" agent transaction"));
    found
        .iter()
        .for_each(|process| process.signal(Signal::STOP));
    if !found.is_empty() {
        thread::sleep(Duration::from_secs(seconds));
    }
    found
        .iter()
        .for_each(|process| process.signal(Signal::CONT));
    !found.is_empty()
}

/// Programs that a fault replaces; [`Ground::boot`] keeps the real one as `<program>.real`.
pub const SYSTEMCTL: &str = "/usr/bin/systemctl";
pub const SUDO: &str = "/usr/bin/sudo";

const FAILS: &str = "#!/bin/sh\necho 'Failed to connect to bus: Connection refused' >&2\nexit 1\n";
const HANGS: &str = "#!/bin/sh\nexec sleep 600\n";

/// Puts `text` in the place of a program, and the program back after so many seconds (0: not here).
fn for_a_while(ground: &Ground, host: usize, program: &str, text: &str, seconds: u64) {
    let host = &ground.fleet[host];
    host.write(&format!("{program}.new"), text);
    host.sh(&format!(
        "chmod 755 {program}.new && mv {program}.new {program}"
    ));
    if seconds > 0 {
        thread::sleep(Duration::from_secs(seconds));
        mend(host, program);
    }
}

fn mend(host: &Host, program: &str) {
    host.sh(&format!(
        "cp -a {program}.real {program}.new && mv {program}.new {program}"
    ));
}
