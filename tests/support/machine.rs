//! The running part of a host: a `systemd-nspawn` with systemd as its pid 1.

use super::command::attempt;
use super::poll::within;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const GROUP: &str = "ship-tests";

pub struct Machine {
    name: String,
    root: PathBuf,
    nspawn: Child,
}

impl Machine {
    /// Boots the tree at `root` in the network namespace of the same name; what
    /// the console says goes to `log`.
    pub fn start(name: &str, root: &Path, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("open the console log");
        let groups = cgroups(name);
        for group in &groups {
            fs::create_dir_all(group).expect("create the machine's cgroup");
        }
        delegate_controllers();
        allow_many();
        // nspawn shows the machine the cgroup it starts in as the root of all, so
        // each starts in one of its own; otherwise `systemctl stop` in one host
        // would stop the service of another.
        //
        // It keeps a copy of the mounts that it finds (mount_namespaces(7)) as long as it lives; so
        // those of other machines are taken out of the copy, or their disks could not be unmounted.
        let join = r#"while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit; shift; done
                      shift; own=$1; shift
                      exec setsid unshare --mount sh -c '
                          own=$1; shift
                          while read -r _ at _; do
                              case $at in
                                  "$own" | "$own"/*) ;;
                                  "${own%/*}"/*/*) umount --lazy "$at" ;;
                              esac
                          done < /proc/self/mounts 2> /dev/null
                          exec systemd-nspawn "$@"' sh "$own" "$@""#;
        let own = root.parent().expect("a root in a slot");
        let nspawn = Command::new("sh")
            .args(["-c", join, "sh"])
            .args(groups)
            .arg("--")
            .arg(own)
            .arg("--directory")
            .arg(root)
            .arg(format!("--machine={name}"))
            .arg(format!("--network-namespace-path=/run/netns/{name}"))
            .args(["--boot", "--quiet", "--register=no", "--keep-unit"])
            .args(["--console=pipe", "--resolv-conf=off", "--timezone=off"])
            .args(["--link-journal=no"])
            // The layout of cgroups that Debian has, whatever this machine has.
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            // /tmp is on the disk, as Debian has it.
            .env("SYSTEMD_NSPAWN_TMPFS_TMP", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("share the console log"))
            .stderr(log)
            .spawn()
            .expect("start systemd-nspawn");
        Self {
            name: name.to_owned(),
            root: root.to_owned(),
            nspawn,
        }
    }

    /// The pid, on this machine, of the host's pid 1, while there is one.
    pub fn leader(&self) -> Option<u32> {
        let nspawn = self.nspawn.id();
        let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children"));
        children
            .ok()?
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .find(|pid| is_pid_one_inside(*pid))
    }

    /// All that runs in it, nspawn included, by pids of this machine.
    pub fn processes(&self) -> Vec<u32> {
        cgroups(&self.name)
            .first()
            .map(|group| processes(group))
            .unwrap_or_default()
    }

    /// Whether nspawn has ended, as it does after a `poweroff` in the host.
    pub fn is_off(&mut self) -> bool {
        self.nspawn.try_wait().expect("ask for nspawn").is_some()
    }

    /// Kills all of it at once, nspawn included.
    pub fn kill(&mut self) {
        kill(&self.name);
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
        remove_traces(&self.name, &self.root);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills whatever runs in the cgroup of the machine of this name, which is all
/// that was ever started for it, and waits until it is gone.
pub fn kill(name: &str) {
    let group = cgroup_roots().remove(0).join(GROUP).join(name);
    if !group.is_dir() {
        return;
    }
    within(Duration::from_secs(120), "a killed machine to die", || {
        let _ = fs::write(group.join("cgroup.kill"), "1");
        let left = processes(&group);
        if left.is_empty() {
            return Some(());
        }
        let mut args = vec!["-KILL".to_owned()];
        args.extend(left.iter().map(u32::to_string));
        attempt("kill", &args);
        None
    });
}

/// Removes what a killed nspawn leaves on this machine, while its tree is still
/// mounted at `root`: after that, its lock cannot be named.
pub fn remove_traces(name: &str, root: &Path) {
    let nspawn = Path::new("/run/systemd/nspawn");
    if let Ok(root) = fs::metadata(root) {
        let lock = format!("locks/inode-{}:{}", root.dev(), root.ino());
        let _ = fs::remove_file(nspawn.join(lock));
    }
    let _ = fs::remove_dir(nspawn.join("propagate").join(name));
    for group in cgroups(name) {
        remove_cgroup(&group);
    }
}

/// Removes what all machines share, when there is none.
pub fn remove_group() {
    for root in cgroup_roots() {
        let _ = fs::remove_dir(root.join(GROUP));
    }
}

/// Where the cgroup hierarchies are mounted that nspawn and systemd use: the
/// unified one first, then systemd's own of version 1 where there is one.
pub fn cgroup_roots() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let find = |wanted: &dyn Fn(&str, &str) -> bool| {
        mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (point, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
            wanted(kind, options).then(|| PathBuf::from(point))
        })
    };
    let Some(unified) = find(&|kind, _| kind == "cgroup2") else {
        return Vec::new();
    };
    let named = find(&|kind, options| kind == "cgroup" && options.contains("name=systemd"));
    std::iter::once(unified).chain(named).collect()
}

fn cgroups(name: &str) -> Vec<PathBuf> {
    let roots = cgroup_roots().into_iter();
    roots.map(|root| root.join(GROUP).join(name)).collect()
}

/// Lets the machines limit memory and count processes, where this machine can.
fn delegate_controllers() {
    let unified = cgroup_roots().remove(0);
    for controller in ["+cpu", "+memory", "+pids"] {
        for group in [unified.clone(), unified.join(GROUP)] {
            let _ = fs::write(group.join("cgroup.subtree_control"), controller);
        }
    }
}

/// A host takes about four inotify instances, all on the account of root; the
/// kernel's default of 128 stops the boots of a fleet of 30.
fn allow_many() {
    const INSTANCES: u32 = 4096;
    let limit = "/proc/sys/fs/inotify/max_user_instances";
    let now = fs::read_to_string(limit).unwrap_or_default();
    if now.trim().parse().is_ok_and(|now: u32| now < INSTANCES) {
        let _ = fs::write(limit, INSTANCES.to_string());
    }
}

fn processes(group: &Path) -> Vec<u32> {
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let pids = own.lines().filter_map(|pid| pid.parse().ok());
    // 0 stands for a process that cannot be seen from here; to kill(1), for us.
    let mut pids: Vec<u32> = pids.filter(|pid| *pid > 1).collect();
    for child in subgroups(group) {
        pids.extend(processes(&child));
    }
    pids
}

fn remove_cgroup(group: &Path) {
    for child in subgroups(group) {
        remove_cgroup(&child);
    }
    let _ = fs::remove_dir(group);
}

fn subgroups(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// proc(5), `NSpid`: the pid in each nested namespace, the innermost last.
fn is_pid_one_inside(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ids.is_some_and(|ids| {
        let ids: Vec<_> = ids.split_ascii_whitespace().collect();
        ids.len() > 1 && ids.last() == Some(&"1")
    })
}
