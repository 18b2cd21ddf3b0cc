//! What `ship check ENV` finds on a host: whether a deploy would work, without trying one.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{live, plan, units};
use crate::agent::host::{Host, home, writable};
use crate::agent::listeners::{self, Listener};
use crate::agent::service::{Scope, account, child, systemctl, unit};
use crate::model::{FailureKind, ServiceManagerKind, ServiceName, ServiceSpec};
use crate::wire::{Finding, Level};

/// Less free space than this fails a deploy of almost anything, bytes.
const LITTLE_SPACE: u64 = 50_000_000;

/// Less free space than this deserves a look, bytes.
const SOME_SPACE: u64 = 500_000_000;

/// Fewer free inodes than this fail a deploy of anything with a `node_modules`.
const FEW_INODES: u64 = 1000;

/// Fewer free inodes than this deserve a look.
const SOME_INODES: u64 = 20_000;

/// Looks at the host as the deploying user, for a release with these services. Changes nothing.
#[must_use]
pub fn check(host: &Host, services: &[ServiceSpec]) -> Vec<Finding> {
    let mut findings = Vec::new();
    root(host, &mut findings);
    disk(host, &mut findings);
    match Scope::of(host.deployment.manager) {
        Some(scope) => {
            unit_files(host, scope, services, &mut findings);
            rights(host, scope, services, &mut findings);
            journal(host, services, &mut findings);
        }
        None => supervisor(host, &mut findings),
    }
    ports(host, services, &mut findings);
    findings
}

pub(super) fn ok(subject: &str, text: impl Into<String>) -> Finding {
    Finding {
        level: Level::Ok,
        subject: subject.to_owned(),
        text: text.into(),
        hint: None,
    }
}

pub(super) fn bad(
    level: Level,
    subject: &str,
    text: impl Into<String>,
    hint: impl Into<String>,
) -> Finding {
    let hint = Some(hint.into());
    Finding {
        level,
        subject: subject.to_owned(),
        text: text.into(),
        hint,
    }
}

fn root(host: &Host, findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "root folder";
    let root = host.layout.root();
    let shown = root.display();
    let setup = format!("run {}", systemctl::setup_command(&host.deployment));
    let user = systemctl::user_name();
    match fs::metadata(root) {
        Err(_) if host.deployment.manager == ServiceManagerKind::Systemd => {
            findings.push(bad(
                Level::Failure,
                SUBJECT,
                format!("{shown} is not there"),
                setup,
            ));
            return;
        }
        Err(_) => {
            let above = root
                .ancestors()
                .find(|folder| folder.exists())
                .unwrap_or(Path::new("/"));
            findings.push(if writable(above) {
                ok(SUBJECT, format!("{shown} will be made by the first deploy"))
            } else {
                let text = format!("{user} cannot make {shown}: {} is not its", above.display());
                bad(
                    Level::Failure,
                    SUBJECT,
                    text,
                    "choose another root folder, or make it as root",
                )
            });
            return;
        }
        Ok(meta) if meta.uid() != rustix::process::geteuid().as_raw() => {
            let owner = account::by_uid(meta.uid()).map_or(meta.uid().to_string(), |a| a.name);
            let text = format!("{shown} belongs to {owner}, not to {user}");
            findings.push(bad(Level::Failure, SUBJECT, text, setup));
        }
        Ok(_) if !writable(root) => {
            let text = format!("{user} cannot write to {shown}");
            findings.push(bad(Level::Failure, SUBJECT, text, setup));
        }
        Ok(_) => findings.push(ok(SUBJECT, format!("{shown} belongs to {user}"))),
    }
    live::live(host, findings);
    if host.deployment.manager == ServiceManagerKind::Systemd {
        let app = &host.deployment.user;
        if let Some(closed) = plan::closed_parent(root, app) {
            let text = format!("{app} cannot enter {}", closed.display());
            let hint = format!(
                "chmod o+x {}, or choose another root folder",
                closed.display()
            );
            findings.push(bad(Level::Failure, SUBJECT, text, hint));
        }
    }
}

fn disk(host: &Host, findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "disk";
    const HINT: &str = "remove what is not needed, or lower `release.keep`";
    let root = host.layout.root();
    let existing = root
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    let Ok(disk) = rustix::fs::statvfs(existing) else {
        return;
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} MB free at {}", free / 1_000_000, existing.display());
    findings.push(match free {
        free if free < LITTLE_SPACE => bad(Level::Failure, SUBJECT, text, HINT),
        free if free < SOME_SPACE => bad(Level::Warning, SUBJECT, text, HINT),
        _ => ok(SUBJECT, text),
    });
    // Some file systems make inodes as they are needed, and count none.
    if disk.f_files > 0 {
        let text = format!("{} inodes free at {}", disk.f_favail, existing.display());
        match disk.f_favail {
            free if free < FEW_INODES => findings.push(bad(Level::Failure, SUBJECT, text, HINT)),
            free if free < SOME_INODES => findings.push(bad(Level::Warning, SUBJECT, text, HINT)),
            _ => {}
        }
    }
}

fn unit_files(host: &Host, scope: Scope, services: &[ServiceSpec], findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "units";
    let app = &host.deployment.app;
    let folder = units::folder(scope, &home());
    let setup = format!("run {}", systemctl::setup_command(&host.deployment));
    let mut wanted = unit::units(&host.deployment, &host.layout, services);
    let login = systemctl::user_name();
    wanted.extend(unit::recovery(&host.deployment, &host.layout, &login));
    let names: Vec<String> = wanted.iter().map(|unit| unit.name.clone()).collect();
    let recovery = unit::recovery_name(app);
    let before = findings.len();
    for unit in &wanted {
        let path = folder.join(&unit.name);
        let name = &unit.name;
        if *name == recovery && !units::is_ours(&path, app) {
            let text = format!(
                "there is no {name}: after a power cut in the middle of a deploy the services \
                 start from a release that is not proven, until the next contact"
            );
            findings.push(bad(Level::Warning, SUBJECT, text, &setup));
        } else if !units::is_ours(&path, app) {
            let text = format!("there is no {name} of ours in {}", folder.display());
            findings.push(bad(Level::Failure, SUBJECT, text, &setup));
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&unit.text) {
            let text = format!("{name} is not what this version of ship writes for the manifest");
            findings.push(bad(Level::Warning, SUBJECT, text, &setup));
        } else if !plan::is_enabled(scope, name) {
            let text = format!("{name} does not start at boot");
            findings.push(bad(Level::Warning, SUBJECT, text, &setup));
        }
    }
    for name in units::stale(&folder, app, &host.layout, &names) {
        let text = format!("{name} is of this app, and the manifest has no such service");
        findings.push(bad(Level::Warning, SUBJECT, text, &setup));
    }
    if findings.len() == before {
        findings.push(ok(SUBJECT, names.join(", ")));
    }
}

/// What the deploying user may do: exact lines for sudo, or linger.
pub(super) fn rights(
    host: &Host,
    scope: Scope,
    services: &[ServiceSpec],
    findings: &mut Vec<Finding>,
) {
    const SUBJECT: &str = "rights";
    let user = systemctl::user_name();
    let setup = format!("run {}", systemctl::setup_command(&host.deployment));
    if scope == Scope::User {
        findings.push(if plan::lingers(&user) {
            ok(
                SUBJECT,
                format!("services of {user} run while nobody is logged in (linger)"),
            )
        } else {
            let text = format!("services of {user} end with its last session: linger is off");
            bad(Level::Failure, SUBJECT, text, setup)
        });
        return;
    }
    if rustix::process::geteuid().is_root() {
        findings.push(ok(SUBJECT, "root"));
        return;
    }
    let Ok(listed) = child::run(child::command("sudo").args(["-n", "-l"]), systemctl::ASKING)
    else {
        let failure = systemctl::no_sudo(&host.deployment);
        let hint = failure.hint.unwrap_or_default();
        findings.push(bad(Level::Failure, SUBJECT, failure.message, hint));
        return;
    };
    let names: Vec<ServiceName> = services
        .iter()
        .map(|service| service.name.clone())
        .collect();
    let wanted = unit::sudo_commands(&host.deployment.app, &names, systemctl::path());
    let granted = without_password(&listed.stdout);
    let missing: Vec<_> = wanted
        .iter()
        .filter(|command| !granted.contains("ALL") && !granted.contains(command.as_str()))
        .collect();
    findings.push(match missing.first() {
        None => ok(
            SUBJECT,
            format!("{user} may start and stop the services through sudo"),
        ),
        Some(first) => {
            let more = match missing.len() {
                1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            let text = format!("{user} may not run: sudo {first}{more}");
            bad(Level::Failure, SUBJECT, text, setup)
        }
    });
}

/// The commands of `sudo -l` that need no password: `(root) NOPASSWD: a, b`, where a tag holds for
/// what follows it in its line (sudoers(5), "Tag_Spec").
fn without_password(listed: &str) -> HashSet<&str> {
    let mut commands = HashSet::new();
    for line in listed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('('))
    {
        let Some((_, rest)) = line.split_once(") ") else {
            continue;
        };
        let mut free = false;
        for item in rest.split(", ") {
            let mut item = item;
            while let Some((tag, after)) = item.split_once(": ") {
                match tag {
                    "NOPASSWD" => free = true,
                    "PASSWD" => free = false,
                    _ => {}
                }
                item = after;
            }
            if free {
                commands.insert(item.trim());
            }
        }
    }
    commands
}

fn journal(host: &Host, services: &[ServiceSpec], findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "journal";
    let Some(service) = services.first() else {
        return;
    };
    match host.manager.log_cursor(&service.name) {
        Ok(_) => findings.push(ok(SUBJECT, "readable")),
        Err(failure) => {
            // A deploy works without; it cannot show why a service died.
            let level = match failure.kind {
                FailureKind::Refused => Level::Warning,
                _ => Level::Failure,
            };
            findings.push(bad(
                level,
                SUBJECT,
                failure.message,
                failure.hint.unwrap_or_default(),
            ));
        }
    }
}

fn supervisor(host: &Host, findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "service manager";
    if host.deployment.environment.is_local() {
        findings.push(ok(SUBJECT, "the built-in supervisor"));
        return;
    }
    let root = host.layout.root().display().to_string();
    let crontab = child::run(child::command("crontab").arg("-l"), systemctl::ASKING);
    let at_boot = crontab.is_ok_and(|output| {
        output
            .stdout
            .lines()
            .any(|line| line.starts_with("@reboot") && line.contains(&root))
    });
    findings.push(if at_boot {
        ok(SUBJECT, "the built-in supervisor, started at boot by cron")
    } else {
        let bin = host.layout.state_file("bin").display().to_string();
        bad(
            Level::Warning,
            SUBJECT,
            "the built-in supervisor does not start at boot by itself",
            format!(
                "add a line to the crontab: @reboot exec \"$(ls -t {bin}/ship-* | head -n 1)\" \
                 agent supervise {root}"
            ),
        )
    });
}

fn ports(host: &Host, services: &[ServiceSpec], findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "port";
    let listeners = listeners::all();
    let stopped = host.manager.statuses(&host.stopped_by(services));
    let stopped: Vec<u32> = stopped
        .into_iter()
        .flatten()
        .flat_map(|status| status.pids)
        .collect();
    for service in services {
        let Some(port) = service.port else { continue };
        if let Some(finding) = privileged(host, port) {
            findings.push(finding);
        }
        let own = host.manager.status(&service.name).map(|status| status.pids);
        let pids = [own.unwrap_or_default(), stopped.clone()].concat();
        let ours: Vec<u64> = listeners::of_processes(&listeners, &pids)
            .into_iter()
            .map(|listener| listener.inode)
            .collect();
        let taken = |found: &&Listener| found.port == port && !ours.contains(&found.inode);
        findings.push(match listeners.iter().find(taken) {
            None => ok(
                SUBJECT,
                format!("{port} is free, or {}'s already", service.name),
            ),
            Some(listener) => {
                let by = account::by_uid(listener.uid)
                    .map_or_else(|| format!("user {}", listener.uid), |account| account.name);
                let text = format!(
                    "{port} is taken: a process of {by} listens on {}, {} could not",
                    listener.at(),
                    service.name
                );
                bad(
                    Level::Failure,
                    SUBJECT,
                    text,
                    "stop that process, or choose another port",
                )
            }
        });
    }
}

/// A port that only root may listen on (ip(7), `ip_unprivileged_port_start`). System units get
/// the capability.
fn privileged(host: &Host, port: u16) -> Option<Finding> {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok()?;
    let refused = port < first.trim().parse::<u16>().ok()?
        && host.deployment.manager != ServiceManagerKind::Systemd
        && !rustix::process::geteuid().is_root();
    refused.then(|| {
        bad(
            Level::Failure,
            "port",
            format!("{} may not listen on {port}", systemctl::user_name()),
            format!("as root on the host: sysctl net.ipv4.ip_unprivileged_port_start={port}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sudo_lists_is_read() {
        let listed = "Matching Defaults entries for deploy on web1:\n    env_reset, !requiretty\n\n\
            User deploy may run the following commands on web1:\n    \
            (root) NOPASSWD: /usr/bin/systemctl start a.service\n    \
            (root) SETENV: NOPASSWD: /bin/x, /bin/y, PASSWD: /bin/z\n    (ALL : ALL) ALL\n";
        let expected = ["/usr/bin/systemctl start a.service", "/bin/x", "/bin/y"];
        assert_eq!(without_password(listed), HashSet::from(expected));
        assert!(without_password("    (ALL) NOPASSWD: ALL\n").contains("ALL"));
    }
}
