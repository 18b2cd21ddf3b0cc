//! How much memory the two ends take at most: a project of 300 MB, 30 hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::app::{Apps, Change, Kind};
use crate::contender::{Action, Contender, Site};
use crate::lab::{Lab, Network};
use crate::options::Options;
use crate::runner::guarded;
use crate::say::say;
use crate::ship::{Build, Ship};
use crate::support::{Host, Running};

/// Asks for this measurement.
pub const ID: &str = "memory";

const HOSTS: usize = 30;

/// Of the controller, bytes.
const CONTROLLER: u64 = 150_000_000;

/// Of each agent, bytes.
const AGENT: u64 = 64_000_000;

/// A process is looked at this often; its high-water mark is lost with it.
const INTERVAL: Duration = Duration::from_millis(5);

/// Measures and prints; whether everything ran.
pub fn measure(options: &Options) -> bool {
    say(format!("... {ID}"));
    let lab = match guarded(|| Ok(Lab::boot(HOSTS, options))) {
        Ok(lab) => lab,
        Err(why) => {
            say(format!("{ID} FAILED: {why}"));
            return false;
        }
    };
    let done = guarded(|| deploys(&lab));
    if let Err(why) = &done {
        say(format!("{ID} FAILED: {why}"));
    }
    done.is_ok()
}

fn deploys(lab: &Lab) -> Result<(), String> {
    let app = Apps::new(lab).get(Kind::Heavy)?;
    let site = Site {
        lab,
        app: &app,
        network: Network::Near,
        hosts: lab.hosts(HOSTS),
    };
    let ship = Ship {
        stays_connected: false,
        build: Build::This,
    };
    ship.set_up(&site)?;
    say(format!("\nmost memory, MB; {}; {HOSTS} hosts", app.title));
    for (what, action) in [
        ("first deploy", Action::First),
        ("one file changed", Action::Deploy),
    ] {
        lab.rest(site.hosts);
        let running = Running::start(&mut ship.command(&site, action));
        let peaks = watch(site.hosts, running)?;
        say(line(what, "controller", peaks.controller, CONTROLLER));
        say(line(what, "largest agent", peaks.agent, AGENT));
        app.change(Change::Line, lab)?;
    }
    Ok(())
}

fn line(what: &str, who: &str, bytes: u64, most: u64) -> String {
    let verdict = if bytes < most { "reached" } else { "MISSED" };
    let [bytes, most] = [bytes, most].map(|bytes| bytes as f64 / 1e6);
    format!("{what:<18} {who:<14} {bytes:>7.1}  < {most:.0}: {verdict}")
}

/// Largest resident sets, bytes.
struct Peaks {
    controller: u64,
    agent: u64,
}

/// Watches until the controller exits.
fn watch(hosts: &[Host], running: Running) -> Result<Peaks, String> {
    let namespaces: BTreeSet<String> = hosts
        .iter()
        .map(|host| host.sh("readlink /proc/self/ns/net"))
        .collect();
    let controller = running.pid();
    let done = AtomicBool::new(false);
    let mut peaks = BTreeMap::new();
    let run = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peaks = BTreeMap::new();
            while !done.load(Ordering::SeqCst) {
                look(controller, &namespaces, &mut peaks);
                thread::sleep(INTERVAL);
            }
            peaks
        });
        let run = running.wait();
        done.store(true, Ordering::SeqCst);
        peaks = watcher.join().expect("the watcher");
        run
    });
    if !run.status.success() {
        return Err(run.to_string());
    }
    let own = peaks.remove(&controller).unwrap_or_default();
    let agent = peaks.into_values().max().unwrap_or_default();
    Ok(Peaks {
        controller: own,
        agent,
    })
}

/// Notes the high-water marks of the controller and of the agents in these network namespaces.
fn look(controller: u32, namespaces: &BTreeSet<String>, peaks: &mut BTreeMap<u32, u64>) {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids {
        if pid != controller && !is_agent(pid, namespaces) {
            continue;
        }
        if let Some(bytes) = high_water(pid) {
            let peak = peaks.entry(pid).or_default();
            *peak = bytes.max(*peak);
        }
    }
}

fn is_agent(pid: u32, namespaces: &BTreeSet<String>) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let namespace = || fs::read_link(format!("/proc/{pid}/ns/net"));
    name.starts_with("ship-")
        && namespace().is_ok_and(|link| namespaces.contains(&*link.to_string_lossy()))
}

/// proc(5), `VmHWM` of `/proc/PID/status`, bytes.
fn high_water(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
