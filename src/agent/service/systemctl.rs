//! systemctl(1) of the system or of the user, with the rights that it needs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::child::{self, NoOutput, Output};
use crate::agent::careful;
use crate::model::{Cause, Deployment, Failure, ServiceManagerKind};

/// How long a question to systemd may take.
pub const ASKING: Duration = Duration::from_secs(10);

/// Whose service manager is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The machine's; changes go through `sudo -n` unless this is root.
    System,
    /// This user's own (`systemctl --user`).
    User,
}

impl Scope {
    /// The scope of a service manager; `None` for the built-in one.
    #[must_use]
    pub fn of(manager: ServiceManagerKind) -> Option<Self> {
        match manager {
            ServiceManagerKind::Systemd => Some(Self::System),
            ServiceManagerKind::SystemdUser => Some(Self::User),
            ServiceManagerKind::Supervisor => None,
        }
    }
}

/// The absolute path of systemctl, as sudo resolves it: `/usr/bin/systemctl`, or `/bin/systemctl`
/// where `/bin` is a folder of its own.
#[must_use]
pub fn path() -> &'static str {
    const USUAL: &str = "/usr/bin/systemctl";
    const SPLIT: &str = "/bin/systemctl";
    if !Path::new(USUAL).exists() && Path::new(SPLIT).exists() {
        SPLIT
    } else {
        USUAL
    }
}

/// The name of the user this process runs as; the number where it has none.
#[must_use]
pub fn user_name() -> String {
    let uid = rustix::process::geteuid().as_raw();
    super::account::by_uid(uid).map_or_else(|| uid.to_string(), |a| a.name)
}

/// `program` with the environment that finds the user's service manager, which an ssh session
/// does not always set (`$XDG_RUNTIME_DIR`, `$DBUS_SESSION_BUS_ADDRESS`).
#[must_use]
pub fn command(program: &str, scope: Scope) -> Command {
    let mut command = child::command(program);
    if scope == Scope::User {
        let runtime = format!("/run/user/{}", rustix::process::geteuid().as_raw());
        command
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path={runtime}/bus"),
            )
            .env("XDG_RUNTIME_DIR", runtime);
    }
    command
}

/// `systemctl show` and its like, which need no rights.
///
/// # Errors
/// When there is no systemctl, or systemd does not answer.
pub fn ask(scope: Scope, deployment: &Deployment, args: &[&str]) -> Result<Output, Failure> {
    let mut systemctl = command(path(), scope);
    if scope == Scope::User {
        systemctl.arg("--user");
    }
    systemctl.args(args);
    let output = child::run(&mut systemctl, ASKING);
    let output = output.map_err(|why| no_systemctl(&why, &systemctl))?;
    if !output.ok() && is_no_bus(&output.stderr) {
        return Err(no_bus(scope, deployment, &output));
    }
    Ok(output)
}

/// `systemctl <verb> <unit>` with the rights to do so.
///
/// # Errors
/// `Refused` when the rights or the unit are missing, `Unexpected` when systemd refuses or
/// `deadline` passes.
pub fn act(
    scope: Scope,
    deployment: &Deployment,
    verb: &str,
    unit: &str,
    deadline: Duration,
) -> Result<(), Failure> {
    let sudo = scope == Scope::System && !rustix::process::geteuid().is_root();
    let mut systemctl = if sudo {
        let mut sudo = command("sudo", scope);
        sudo.args(["-n", path()]);
        sudo
    } else {
        command(path(), scope)
    };
    if scope == Scope::User {
        systemctl.arg("--user");
    }
    systemctl.args([verb, unit]);
    match child::run(&mut systemctl, deadline) {
        Ok(output) if output.ok() => Ok(()),
        Ok(output) if sudo && is_sudo(&output.stderr) => {
            Err(not_allowed(deployment, verb, unit, &output))
        }
        Ok(output) if is_no_bus(&output.stderr) => Err(no_bus(scope, deployment, &output)),
        Ok(output) if is_unknown(&output) => Err(not_installed(deployment, unit)),
        Ok(output) => Err(
            Failure::unexpected(format!("systemctl {verb} {unit} failed"))
                .details(output.stderr.lines().map(str::to_owned)),
        ),
        Err(why) if sudo => Err(silent_sudo(deployment, &why, &systemctl)),
        Err(why) => Err(no_systemctl(&why, &systemctl)),
    }
}

/// The command that makes a host ready.
#[must_use]
pub fn setup_command(deployment: &Deployment) -> String {
    let environment = &deployment.environment;
    match deployment.manager {
        ServiceManagerKind::Systemd => format!("ship setup {environment} --as root"),
        _ => format!("ship setup {environment}"),
    }
}

/// As [`no_answer_of_sudo`], for a deploying user who cannot do without sudo.
#[must_use]
pub fn silent_sudo(deployment: &Deployment, why: &NoOutput, command: &Command) -> Failure {
    match why {
        NoOutput::NotFound => no_sudo(deployment),
        why => no_answer_of_sudo(why, command),
    }
}

/// What to say where a `command` of sudo gave no answer.
#[must_use]
pub fn no_answer_of_sudo(why: &NoOutput, command: &Command) -> Failure {
    let failure = Failure::unexpected(why.of(command));
    match (why, why_sudo_is_silent()) {
        (NoOutput::TimedOut(_), Some((known, hint))) => failure.detail(known).hint(hint),
        _ => failure,
    }
}

/// What is known of why sudo does not answer, and what mends that. A hint follows only from what is
/// known: that the host's own name is not in /etc/hosts.
#[must_use]
pub fn why_sudo_is_silent() -> Option<(String, String)> {
    let name = unlisted_name()?;
    let known = format!(
        "the host's own name, {name}, is not in /etc/hosts: sudo asks a name server for it and \
         waits for the answer"
    );
    let hint = format!("as root on the host: echo '127.0.1.1 {name}' >> /etc/hosts");
    Some((known, hint))
}

/// The host's own name, where /etc/hosts does not have it (hosts(5)).
fn unlisted_name() -> Option<String> {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_str().ok()?;
    let hosts = careful::text(Path::new("/etc/hosts"), careful::METADATA).ok()?;
    (!lists(&hosts, name)).then(|| name.to_owned())
}

fn lists(hosts: &str, name: &str) -> bool {
    let lines = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let mut names = lines.flat_map(|line| line.split_whitespace().skip(1));
    names.any(|known| known.eq_ignore_ascii_case(name))
}

fn no_sudo(deployment: &Deployment) -> Failure {
    let user = user_name();
    let why =
        format!("sudo is not installed, and {user} may not manage system services without it");
    Failure::from(Cause::NoProgram { why }).hint(format!(
        "as root on the host: apt-get install sudo; then: {}",
        setup_command(deployment)
    ))
}

/// What to say of a unit that systemd does not know.
#[must_use]
pub fn not_installed(deployment: &Deployment, unit: &str) -> Failure {
    let why = format!("{unit} is not installed on this host");
    Failure::from(Cause::NotSetUp { why }).hint(format!("run {}", setup_command(deployment)))
}

fn no_systemctl(why: &NoOutput, command: &Command) -> Failure {
    match why {
        NoOutput::NotFound => {
            let why = "this host has no systemctl: it does not run systemd".to_owned();
            Failure::from(Cause::NoProgram { why })
                .hint("set manager = \"supervisor\" for this environment")
        }
        why => Failure::unexpected(why.of(command)),
    }
}

/// sudo(8) speaks for itself under its own name, or to the user as `Sorry, user …`.
fn is_sudo(stderr: &str) -> bool {
    stderr
        .lines()
        .any(|line| line.starts_with("sudo:") || line.starts_with("Sorry, user "))
}

fn not_allowed(deployment: &Deployment, verb: &str, unit: &str, output: &Output) -> Failure {
    let user = user_name();
    let said = &output.stderr;
    let hint = if said.contains("must have a tty") {
        format!(
            "sudo wants a terminal (requiretty) here; {} exempts {user}",
            setup_command(deployment)
        )
    } else if said.contains("no new privileges") {
        "sudo cannot work in this container or session (no new privileges)".to_owned()
    } else {
        format!("run {}", setup_command(deployment))
    };
    let why = format!("{user} may not run: sudo systemctl {verb} {unit}");
    Failure::from(Cause::NoRight { why })
        .details(said.lines().map(str::to_owned))
        .hint(hint)
}

/// Exit code 5 of systemctl(1), or a load error.
fn is_unknown(output: &Output) -> bool {
    output.code == Some(5) || output.stderr.contains("not found.")
}

fn is_no_bus(stderr: &str) -> bool {
    stderr.contains("Failed to connect to bus")
        || stderr.contains("Failed to get D-Bus connection")
        || stderr.contains("has not been booted with systemd")
        || stderr.contains("Failed to connect to user scope bus")
        || stderr.contains("Failed to connect to system scope bus")
}

fn no_bus(scope: Scope, deployment: &Deployment, output: &Output) -> Failure {
    let details = output.stderr.lines().map(str::to_owned);
    let user = user_name();
    let (why, hint) = match scope {
        Scope::System => (
            "systemd does not run on this host".to_owned(),
            "set manager = \"supervisor\" for this environment".to_owned(),
        ),
        Scope::User => (
            format!("{user} has no service manager of its own running"),
            format!(
                "as root on the host: loginctl enable-linger {user}; then: {}",
                setup_command(deployment)
            ),
        ),
    };
    Failure::from(Cause::NotSetUp { why })
        .details(details)
        .hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_among_the_names_of_a_line_and_not_in_comments() {
        let hosts =
            "127.0.0.1 localhost\n127.0.1.1\tweb1.example.com WEB1 # web2\n# 1.2.3.4 web3\n";
        for (name, is_listed) in [
            ("web1", true),
            ("localhost", true),
            ("web2", false),
            ("web3", false),
            ("127.0.1.1", false),
        ] {
            assert_eq!(lists(hosts, name), is_listed, "{name}");
        }
    }
}
