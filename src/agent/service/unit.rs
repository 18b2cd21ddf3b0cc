//! Unit files and sudoers lines, as text: facts in, text out, no I/O.
//!
//! A unit names only `current`; what runs is decided by the launcher of the live release. A deploy
//! therefore never touches a unit, and needs no root.

use std::fmt::Write as _;
use std::path::Path;

use crate::agent::{Layout, journal};
use crate::model::service::StartType;
use crate::model::{AppName, Deployment, Instance, ServiceManagerKind, ServiceSpec};

/// How a file begins that `ship setup` wrote. [`marker`] adds for which app.
pub const MARKER: &str = "# managed by ship";

/// The verbs of systemctl(1) that the deploying user may run as root.
pub const VERBS: [&str; 4] = ["start", "stop", "restart", "reset-failed"];

/// Longest time that a `notify` service may take to say `READY=1`, min. The proof of an activation
/// has a deadline of its own, and a longer one is kept here, too; this one only frees a boot from a
/// service that hangs.
const START_TIMEOUT_MIN: u64 = 15;

/// Longest time that a recovery may take at boot. The services wait for it, and start whatever
/// becomes of it.
const RECOVERY_TIMEOUT: &str = "30s";

/// A unit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its file name: `shop-web.service`.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// The name of the unit of `instance`: `<app>-<instance>.service`.
#[must_use]
pub fn unit_name(app: &AppName, instance: &Instance) -> String {
    format!("{app}-{instance}.service")
}

/// The name of the unit that recovers the app at boot. The dot keeps it apart from any service's.
#[must_use]
pub fn recovery_name(app: &AppName) -> String {
    format!("{app}.recovery.service")
}

/// The first line of every file that setup writes for `app`. It names the app, because the units
/// of `shop` and of `shop-admin` begin alike.
#[must_use]
pub fn marker(app: &AppName) -> String {
    format!("{MARKER} for {app}")
}

/// The units of `services`, in their order; none for a manager that has none.
#[must_use]
pub fn units(deployment: &Deployment, layout: &Layout, services: &[ServiceSpec]) -> Vec<Unit> {
    let text = match deployment.manager {
        ServiceManagerKind::Systemd => system_unit,
        ServiceManagerKind::SystemdUser => user_unit,
        ServiceManagerKind::Supervisor => return Vec::new(),
    };
    let unit = |service: &ServiceSpec| Unit {
        name: unit_name(&deployment.app, &service.instance()),
        text: text(deployment, layout, service),
    };
    services.iter().map(unit).collect()
}

/// The unit that brings an activation to its end that died with the power, before the services
/// start; `None` for a manager that has no units. It runs as `login`, whom the agent belongs to.
/// Started once, it stays so for this boot: a restart of a service does not start it again.
#[must_use]
pub fn recovery(deployment: &Deployment, layout: &Layout, login: &str) -> Option<Unit> {
    let (user, mounts, target) = match deployment.manager {
        ServiceManagerKind::Systemd => (
            format!("User={login}\n"),
            format!("RequiresMountsFor={}\n", word(layout.root())),
            "multi-user.target",
        ),
        ServiceManagerKind::SystemdUser => (String::new(), String::new(), "default.target"),
        ServiceManagerKind::Supervisor => return None,
    };
    let Deployment {
        app, environment, ..
    } = deployment;
    let agent = layout.recovery_agent();
    let text = format!(
        "{marker}\n\
         # Written by `ship setup {environment}`, which overwrites changes.\n\
         [Unit]\n\
         Description={app}: recovery after a power cut ({environment})\n\
         ConditionPathExists={journal}\n\
         ConditionFileIsExecutable={condition}\n\
         {mounts}\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         {user}\
         ExecStart={agent} agent recover {root}\n\
         TimeoutStartSec={RECOVERY_TIMEOUT}\n\
         \n\
         [Install]\n\
         WantedBy={target}\n",
        marker = marker(app),
        journal = unquoted(&journal::path(layout)),
        condition = unquoted(&agent),
        agent = word(&agent),
        root = word(layout.root()),
    );
    Some(Unit {
        name: recovery_name(app),
        text,
    })
}

/// What `user` may run as root, one command a line, as sudoers(5) and `sudo -l` write it.
#[must_use]
pub fn sudo_commands(app: &AppName, instances: &[Instance], systemctl: &str) -> Vec<String> {
    let of = |instance: &Instance| {
        let unit = unit_name(app, instance);
        VERBS.map(|verb| format!("{systemctl} {verb} {unit}"))
    };
    instances.iter().flat_map(of).collect()
}

/// The drop-in of sudoers(5) that lets `login` start and stop these instances, run commands as the user
/// `run_as`, and nothing else. `systemctl` is the absolute path that sudo will resolve.
#[must_use]
pub fn sudoers(
    app: &AppName,
    instances: &[Instance],
    login: &str,
    run_as: Option<&str>,
    systemctl: &str,
) -> String {
    let marker = marker(app);
    let mut text = match run_as {
        None => format!(
            "{marker}\n\
             # Lets {login} start and stop the services of {app}, and nothing else.\n\
             Defaults:{login} !requiretty\n"
        ),
        Some(user) => format!(
            "{marker}\n\
             # Lets {login} start and stop the services of {app}, and run commands as {user}: what\n\
             # {login} deploys runs as {user} anyway.\n\
             Defaults:{login} !requiretty\n\
             {login} ALL=({user}) NOPASSWD: ALL\n"
        ),
    };
    for command in sudo_commands(app, instances, systemctl) {
        let _ = writeln!(text, "{login} ALL=(root) NOPASSWD: {command}");
    }
    text
}

/// A unit of the system's service manager (systemd.service(5), systemd.exec(5)).
fn system_unit(deployment: &Deployment, layout: &Layout, service: &ServiceSpec) -> String {
    let root = layout.root();
    let mut text = head(deployment, layout, service);
    let _ = write!(
        text,
        "After=network-online.target\n\
         Wants=network-online.target\n\
         RequiresMountsFor={root}\n\
         \n\
         [Service]\n\
         User={user}\n",
        root = quoted(&root.display().to_string()),
        user = deployment.user,
    );
    text += &process(deployment, layout, service);
    text += "PrivateTmp=yes\nProtectSystem=full\n";
    if is_below(root, &["/usr", "/boot", "/efi", "/etc"]) {
        // What ProtectSystem=full makes read-only.
        let shared = quoted(&format!("-{}", layout.shared().display()));
        let _ = writeln!(text, "ReadWritePaths={shared}");
    }
    // An account that ship made has its home below the root folder; any other may need its own.
    let own_account = deployment.user == deployment.app.as_str();
    if own_account && !is_below(root, &["/home", "/root", "/run/user"]) {
        text += "ProtectHome=yes\n";
    }
    if service.port.is_some_and(|port| port < 1024) && deployment.user != "root" {
        text += "AmbientCapabilities=CAP_NET_BIND_SERVICE\n";
    }
    text + "\n[Install]\nWantedBy=multi-user.target\n"
}

/// A unit of a user's service manager. Its targets are its own: there is no network-online.target.
/// Sandboxing by mounts needs rights there that not every kernel grants; there is none.
fn user_unit(deployment: &Deployment, layout: &Layout, service: &ServiceSpec) -> String {
    let mut text = head(deployment, layout, service);
    text += "\n[Service]\n";
    text += &process(deployment, layout, service);
    text + "\n[Install]\nWantedBy=default.target\n"
}

fn head(deployment: &Deployment, layout: &Layout, service: &ServiceSpec) -> String {
    let Deployment {
        app, environment, ..
    } = deployment;
    format!(
        "{marker}\n\
         # Written by `ship setup {environment}`, which overwrites changes. What runs is in the \
         release.\n\
         [Unit]\n\
         Description={app}: {name} ({environment})\n\
         ConditionPathExists={launcher}\n\
         # A service is never given up: when its database is back, so is the service.\n\
         StartLimitIntervalSec=0\n\
         Wants={recovery}\n\
         After={recovery}\n",
        recovery = recovery_name(app),
        marker = marker(app),
        name = service.name,
        launcher = unquoted(&layout.launcher(&service.name)),
    )
}

/// How the process is started, restarted and stopped.
fn process(deployment: &Deployment, layout: &Layout, service: &ServiceSpec) -> String {
    let start = match service.start_type {
        StartType::Simple => "Type=exec\n".to_owned(),
        StartType::Notify => {
            let limit = start_timeout(service.health.timeout_ms);
            format!("Type=notify\nNotifyAccess=all\nTimeoutStartSec={limit}\n")
        }
    };
    let launcher = layout.launcher(&service.name).display().to_string();
    let unit = format!("{}-{}", deployment.app, service.name);
    format!(
        "{start}\
         ExecStart={launcher}\n\
         RuntimeDirectory={unit}\n\
         RuntimeDirectoryMode=0755\n\
         Restart=always\n\
         RestartSec=1\n\
         KillMode=mixed\n\
         TimeoutStopSec={stop}\n\
         StandardOutput=journal\n\
         StandardError=journal\n\
         SyslogIdentifier={unit}\n\
         NoNewPrivileges=yes\n",
        launcher = quoted(&launcher),
        stop = span(service.stop_timeout_ms),
    )
}

fn start_timeout(health_ms: u64) -> String {
    match health_ms > START_TIMEOUT_MIN * 60_000 {
        true => span(health_ms),
        false => format!("{START_TIMEOUT_MIN}min"),
    }
}

/// A time span of systemd.time(7) for `ms` milliseconds.
fn span(ms: u64) -> String {
    if ms.is_multiple_of(1000) {
        format!("{}s", ms / 1000)
    } else {
        format!("{ms}ms")
    }
}

/// A word of a setting that takes several: in double quotes where it must be, with C escapes
/// (systemd.service(5), "Command lines") and `%` doubled (systemd.unit(5), "Specifiers").
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@=%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text + "\""
}

/// A path as a word of a setting that takes several.
fn word(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The value of a setting that takes one path and no quotes.
fn unquoted(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

fn is_below(path: &Path, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
#[path = "unit_tests.rs"]
mod tests;
