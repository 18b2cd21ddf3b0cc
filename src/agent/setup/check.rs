//! What `ship check ENV` finds on a host: whether a deploy would work, without trying one.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::ports::{self, Ports};
use super::{compare, live, plan, units};
use crate::agent::as_app;
use crate::agent::host::{Host, home, writable};
use crate::agent::service::child::{self, NoOutput};
use crate::agent::service::{Scope, account, systemctl, unit};
use crate::model::{Failure, FailureKind, Instance, ServiceSpec};
use crate::wire::{Finding, Level, Wants};

/// Less free space than this fails a deploy of almost anything, bytes.
const LITTLE_SPACE: u64 = 50_000_000;

/// Less free space than this deserves a look, bytes.
const SOME_SPACE: u64 = 500_000_000;

/// Fewer free inodes than this fail a deploy of anything with a `node_modules`.
const FEW_INODES: u64 = 1000;

/// Fewer free inodes than this deserve a look.
const SOME_INODES: u64 = 20_000;

/// Looks at the host as the deploying user, for a release that wants this. Changes nothing. All that
/// [`compare`] finds, with which a deploy begins, is in it.
#[must_use]
pub fn check(host: &Host, wants: &Wants) -> Vec<Finding> {
    let mut findings = Vec::new();
    let services = &wants.services;
    root(host, &mut findings);
    disk(host, &mut findings);
    let root_is_told = findings
        .iter()
        .any(|found| found.subject == ROOT && found.level != Level::Ok);
    let mut differences = compare::differences(host, wants);
    differences.retain(|found| !(root_is_told && found.subject == ROOT));
    let units_differ = differences.iter().any(|found| found.subject == "units");
    findings.extend(differences);
    match Scope::of(host.deployment.manager) {
        Some(scope) => {
            if !units_differ {
                let units = unit::units(&host.deployment, &host.layout, services);
                let names: Vec<String> = units.into_iter().map(|unit| unit.name).collect();
                findings.push(ok("units", names.join(", ")));
            }
            rights(host, scope, services, &mut findings);
            commands(host, &mut findings);
            journal(host, services, &mut findings);
        }
        None => supervisor(host, &mut findings),
    }
    ports(host, services, &mut findings);
    findings
}

/// The subject of what is said of the root folder.
const ROOT: &str = "root folder";

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

/// A failure as a finding.
pub(super) fn of_failure(subject: &str, failure: Failure) -> Finding {
    let mut lines = vec![failure.message()];
    lines.extend(failure.details);
    Finding {
        level: Level::Failure,
        subject: subject.to_owned(),
        text: lines.join("; "),
        hint: failure.hint,
    }
}

/// A question without an answer.
fn unknown(subject: &str, text: String) -> Finding {
    Finding {
        level: Level::Warning,
        subject: subject.to_owned(),
        text,
        hint: None,
    }
}

fn root(host: &Host, findings: &mut Vec<Finding>) {
    const SUBJECT: &str = ROOT;
    let root = host.layout.root();
    let shown = root.display();
    let setup = format!("run {}", systemctl::setup_command(&host.deployment));
    let user = systemctl::user_name();
    match fs::metadata(root) {
        Err(_) if host.deployment.manager.is_system_wide() => {
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
            findings.push(bad(Level::Failure, SUBJECT, text, &setup));
        }
        Ok(_) if !writable(root) => {
            let text = format!("{user} cannot write to {shown}");
            findings.push(bad(Level::Failure, SUBJECT, text, &setup));
        }
        Ok(_) => findings.push(ok(SUBJECT, format!("{shown} belongs to {user}"))),
    }
    live::live(host, findings);
    if host.deployment.manager.is_system_wide() {
        let app = &host.deployment.user;
        match plan::closed_parent(root, app) {
            Ok(None) => {}
            Ok(Some(closed)) => {
                let text = format!("{app} cannot enter {}", closed.display());
                let hint = format!(
                    "chmod o+x {}, or choose another root folder",
                    closed.display()
                );
                findings.push(bad(Level::Failure, SUBJECT, text, hint));
            }
            Err(silent) => {
                let hint = format!("as root on the host: getent passwd {app}");
                findings.push(bad(Level::Failure, SUBJECT, silent.message(), hint));
            }
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
    if let Some(why) = crate::agent::disk::unusable_mount(root) {
        let hint = crate::agent::disk::REMOUNT;
        findings.push(bad(Level::Failure, SUBJECT, why, hint));
        return;
    }
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let free_text = match free {
        10_000_000_000.. => format!("{} GB", free / 1_000_000_000),
        _ => format!("{} MB", free / 1_000_000),
    };
    let text = format!("{free_text} free at {}", existing.display());
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
    let mut sudo = child::command("sudo");
    sudo.args(["-n", "-l"]);
    let listed = match child::run(&mut sudo, systemctl::ASKING) {
        Ok(listed) => listed,
        Err(why) => {
            let failure = systemctl::silent_sudo(&host.deployment, &why, &sudo);
            findings.push(of_failure(SUBJECT, failure));
            return;
        }
    };
    let instances: Vec<Instance> = services.iter().map(ServiceSpec::instance).collect();
    let wanted = unit::sudo_commands(&host.deployment.app, &instances, systemctl::path());
    let granted = without_password(&listed.stdout, "root");
    let missing: Vec<_> = wanted
        .iter()
        .filter(|command| !granted.contains("ALL") && !granted.contains(command.as_str()))
        .collect();
    // Where all rights are missing, the other sentence says so.
    if missing.is_empty() {
        findings.extend(may_not_run(host, &listed.stdout));
    }
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

/// What is to be told where an older setup did not let hooks run as the services' user; `listed` is
/// what `sudo -l` says.
fn may_not_run(host: &Host, listed: &str) -> Option<Finding> {
    let (login, user) = (systemctl::user_name(), &host.deployment.user);
    let may = without_password(listed, user).contains("ALL");
    if may || !matches!(as_app::barred(&host.deployment, &login), Ok(None)) {
        return None;
    }
    Some(bad(
        Level::Warning,
        "commands",
        format!(
            "hooks, health commands and `ship exec` run as {login}, which may not run them as {user}"
        ),
        format!("run {}", systemctl::setup_command(&host.deployment)),
    ))
}

/// As whom hooks and health commands run, and who else runs as that user.
fn commands(host: &Host, findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "commands";
    const OWN_USER: &str =
        "let the services run as a user of their own (`user` of the environment)";
    let (login, user) = (systemctl::user_name(), &host.deployment.user);
    let known = findings.iter().any(|found| found.subject == SUBJECT);
    match as_app::barred(&host.deployment, &login) {
        Err(failure) => findings.push(of_failure(SUBJECT, failure)),
        Ok(Some(barred)) if barred.is_worth_telling() => {
            let text =
                format!("hooks, health commands and `ship exec` run as {login}: {user} {barred}");
            findings.push(bad(Level::Warning, SUBJECT, text, OWN_USER));
        }
        Ok(None) if !known => {
            let text = format!("hooks, health commands and `ship exec` run as {user}");
            findings.push(ok(SUBJECT, text));
        }
        Ok(_) => {}
    }
    let folder = units::folder(Scope::System, &home());
    if let Some(text) = units::of_others(&folder, &host.deployment.app, user) {
        findings.push(bad(Level::Warning, SUBJECT, text, OWN_USER));
    }
}

/// The commands that may be run as `user` without a password, of what `sudo -l` lists:
/// `(root) NOPASSWD: a, b`, where a tag holds for what follows it in its line (sudoers(5),
/// "Tag_Spec").
#[must_use]
pub fn without_password<'a>(listed: &'a str, user: &str) -> HashSet<&'a str> {
    let mut commands = HashSet::new();
    for line in listed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('('))
    {
        let Some((who, rest)) = line[1..].split_once(") ") else {
            continue;
        };
        // Users, and after a colon groups (sudoers(5), "Runas_Spec").
        let mut users = who.split(':').next().unwrap_or_default().split(',');
        if !users.any(|name| [user, "ALL"].contains(&name.trim())) {
            continue;
        }
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
    match host.manager.log_cursor(&service.instance()) {
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
                failure.message(),
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
    let mut crontab = child::command("crontab");
    crontab.arg("-l");
    let at_boot = match child::run(&mut crontab, systemctl::ASKING) {
        Ok(output) => output
            .stdout
            .lines()
            .any(|line| line.starts_with("@reboot") && line.contains(&root)),
        Err(NoOutput::NotFound) => false,
        Err(why) => {
            let text = format!(
                "whether the supervisor starts at boot is not known: {}",
                why.of(&crontab)
            );
            findings.push(unknown(SUBJECT, text));
            return;
        }
    };
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
    for service in services {
        let Some(port) = service.port else { continue };
        if let Some(finding) = privileged(host, port) {
            findings.push(finding);
        }
        findings.push(match ports::look(host, std::slice::from_ref(service)) {
            Ports::Free => ok(
                SUBJECT,
                format!("{port} is free, or {}'s already", service.name),
            ),
            Ports::Taken(failure) => of_failure(SUBJECT, failure),
            Ports::Unknown(why) => unknown(
                SUBJECT,
                format!("whose the listener on {port} is is not known: {why}"),
            ),
        });
    }
}

/// A port that only root may listen on (ip(7), `ip_unprivileged_port_start`). System units get
/// the capability.
fn privileged(host: &Host, port: u16) -> Option<Finding> {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok()?;
    let refused = port < first.trim().parse::<u16>().ok()?
        && !host.deployment.manager.is_system_wide()
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
            (root) SETENV: NOPASSWD: /bin/x, /bin/y, PASSWD: /bin/z\n    (ALL : ALL) ALL\n    \
            (shop) NOPASSWD: ALL\n";
        let expected = ["/usr/bin/systemctl start a.service", "/bin/x", "/bin/y"];
        assert_eq!(without_password(listed, "root"), HashSet::from(expected));
        assert_eq!(without_password(listed, "shop"), HashSet::from(["ALL"]));
        assert_eq!(without_password(listed, "shopper"), HashSet::new());
        assert!(without_password("    (ALL) NOPASSWD: ALL\n", "root").contains("ALL"));
    }
}
