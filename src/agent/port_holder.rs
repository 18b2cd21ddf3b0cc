//! Who has a port: the process, and the unit that it is of, as far as this user may see it.

use std::fs;

use super::listeners::{Listener, sockets_of, uid_of};

/// Who listens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortHolder {
    /// The process.
    pub pid: Option<u32>,
    /// Its name.
    pub name: Option<String>,
    /// The service that it is of, when systemd runs it.
    pub unit: Option<Unit>,
}

/// A service unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `shop.service`.
    pub name: String,
    /// Whether it is of a user's service manager.
    pub of_user: bool,
}

impl Unit {
    /// What ends it for good.
    #[must_use]
    pub fn end(&self) -> String {
        let user = if self.of_user { "--user " } else { "" };
        format!("systemctl {user}disable --now {}", self.name)
    }
}

impl PortHolder {
    /// Who has `listener`: by the open sockets of the processes; where they may not be seen, the
    /// one service that all processes of its user are of.
    #[must_use]
    pub fn of(listener: &Listener) -> Self {
        let processes = processes();
        let has = |pid: &&u32| sockets_of(**pid).is_some_and(|own| own.contains(&listener.inode));
        if let Some(&pid) = processes.iter().find(has) {
            return Self {
                pid: Some(pid),
                name: name_of(pid),
                unit: unit_of(pid),
            };
        }
        let suspects = processes
            .iter()
            .filter(|pid| sockets_of(**pid).is_none() && uid_of(**pid) == Some(listener.uid));
        let mut units: Vec<Option<Unit>> = suspects.map(|pid| unit_of(*pid)).collect();
        units.dedup();
        match units.as_slice() {
            [Some(unit)] => Self {
                unit: Some(unit.clone()),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    /// `process 812 (python3) of old-shop.service`; `None` where nothing is known.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let process = self.pid.map(|pid| match &self.name {
            Some(name) => format!("process {pid} ({name})"),
            None => format!("process {pid}"),
        });
        match (process, &self.unit) {
            (Some(process), Some(unit)) => Some(format!("{process} of {}", unit.name)),
            (None, Some(unit)) => Some(format!("a process of {}", unit.name)),
            (process, None) => process,
        }
    }
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn name_of(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim().to_owned())
}

fn unit_of(pid: u32) -> Option<Unit> {
    parse(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

/// The innermost service in `/proc/PID/cgroup` (cgroups(7)): a line per hierarchy, of which systemd
/// has one or two.
fn parse(text: &str) -> Option<Unit> {
    let mut paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.find_map(service_of)
}

fn service_of(path: &str) -> Option<Unit> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().rposition(|part| part.ends_with(".service"))?;
    let of_user = parts[..at].iter().any(|part| part.starts_with("user@"));
    // A user's service manager is no service of an app.
    (!parts[at].starts_with("user@")).then(|| Unit {
        name: parts[at].to_owned(),
        of_user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::listeners;

    #[test]
    fn the_unit_is_read_from_the_control_group() {
        let unit = |text: &str| parse(text).map(|unit| (unit.name.clone(), unit.end()));
        let told = |name: &str, end: &str| Some((name.to_owned(), end.to_owned()));
        assert_eq!(
            unit("0::/system.slice/old-shop.service\n"),
            told(
                "old-shop.service",
                "systemctl disable --now old-shop.service"
            )
        );
        assert_eq!(
            unit("9:name=systemd:/\n8:pids:/\n0::/box/system.slice/a.service/worker\n"),
            told("a.service", "systemctl disable --now a.service")
        );
        assert_eq!(
            unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/b.service\n"),
            told("b.service", "systemctl --user disable --now b.service")
        );
        assert_eq!(
            unit("0::/user.slice/user-1000.slice/session-3.scope\n"),
            None
        );
        assert_eq!(unit("0::/user.slice/user@1000.service/init.scope\n"), None);
        assert_eq!(unit("0::/\n"), None);
    }

    #[test]
    fn a_port_of_this_process_is_ours() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let all = listeners::all();
        let ours = all.iter().find(|found| found.port == port).unwrap();
        // A child that another test is starting has the socket, too, until its exec.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let holder = loop {
            let holder = PortHolder::of(ours);
            if holder.pid == Some(std::process::id()) {
                break holder;
            }
            assert!(std::time::Instant::now() < deadline, "{:?}", holder.pid);
        };
        let told = holder.told().unwrap();
        assert!(
            told.starts_with(&format!("process {} (", std::process::id())),
            "{told}"
        );
    }
}
