//! The machine of a person who deploys.

use super::command::finish;
use super::host::Host;
use super::keys::KeyPair;
use super::masters::Masters;
use super::relay::Relay;
use super::run::{Run, Running};
use super::temp::TempDir;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A home, a project folder, an ssh key and an environment with nothing in it that
/// the developer of ship happens to have.
pub struct Controller {
    // Dropped before the folder that their sockets are in.
    masters: Masters,
    dir: TempDir,
    env: BTreeMap<String, String>,
    known_hosts: String,
    aliases: String,
}

impl Controller {
    /// A controller that knows no host.
    pub fn new() -> Self {
        let dir = TempDir::new();
        let mut controller = Self {
            masters: Masters::below(&dir.path().join("run")),
            dir,
            env: BTreeMap::new(),
            known_hosts: String::new(),
            aliases: String::new(),
        };
        for folder in ["home/.ssh", "run", "tmp", "project"] {
            let folder = controller.path(folder);
            fs::create_dir_all(&folder).expect("create the controller's folders");
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("chmod");
        }
        let key = controller.path("home/.ssh/id_ed25519");
        fs::write(&key, &KeyPair::person().private).expect("write the key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("chmod");
        let git = "[user]\n\tname = Dev Eloper\n\temail = dev@example.com\n\
                   [init]\n\tdefaultBranch = main\n";
        fs::write(controller.path("home/.gitconfig"), git).expect("write .gitconfig");
        controller.set_up_environment();
        controller.write_ssh_files();
        controller
    }

    /// A controller that knows these hosts.
    pub fn knowing<'a>(hosts: impl IntoIterator<Item = &'a Host>) -> Self {
        let mut controller = Self::new();
        for host in hosts {
            controller.know(host);
        }
        controller
    }

    /// Pins the key of a host under its address, and makes its name an alias of it
    /// for ssh.
    pub fn know(&mut self, host: &Host) {
        self.pin(host);
        let _ = writeln!(
            self.aliases,
            "Host {}\n  HostName {}",
            host.name(),
            host.addr()
        );
        self.write_ssh_files();
    }

    /// Like [`Self::know`], but its name leads through the relay.
    pub fn know_through(&mut self, relay: &Relay, host: &Host) {
        self.pin(host);
        let _ = writeln!(
            self.aliases,
            "Host {}\n  HostName 127.0.0.1\n  Port {}\n  HostKeyAlias {}",
            host.name(),
            relay.port(),
            host.addr()
        );
        self.write_ssh_files();
    }

    fn pin(&mut self, host: &Host) {
        let _ = writeln!(self.known_hosts, "{} {}", host.addr(), host.host_key());
    }

    fn set_up_environment(&mut self) {
        let path = std::env::var("PATH").expect("PATH");
        self.set_env("PATH", &path);
        for (name, value) in [
            ("LANG", "C.UTF-8"),
            ("USER", "dev"),
            ("LOGNAME", "dev"),
            ("SHIP_SSH_PERSIST", "0"),
        ] {
            self.set_env(name, value);
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_DATA_HOME", "home/.local/share"),
            ("XDG_STATE_HOME", "home/.local/state"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
            ("SHIP_SSH_CONFIG", "home/.ssh/config"),
        ] {
            let value = self.path(folder).to_string_lossy().into_owned();
            self.set_env(name, &value);
        }
    }

    fn write_ssh_files(&self) {
        let ssh = self.path("home/.ssh");
        let ssh_dir = ssh.display();
        let config = format!(
            "{}Host *\n  IdentityFile {ssh_dir}/id_ed25519\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {ssh_dir}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  \
             StrictHostKeyChecking yes\n  BatchMode yes\n",
            self.aliases
        );
        fs::write(ssh.join("config"), config).expect("write the ssh config");
        fs::write(ssh.join("known_hosts"), &self.known_hosts).expect("write known_hosts");
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The connections that its commands keep, once `SHIP_SSH_PERSIST` is more than `0`.
    pub fn masters(&self) -> &Masters {
        &self.masters
    }

    /// Where `ship` runs.
    pub fn project(&self) -> PathBuf {
        self.path("project")
    }

    /// The ssh config of this person, as `ssh -F` takes it.
    pub fn ssh_config(&self) -> PathBuf {
        self.path("home/.ssh/config")
    }

    /// Writes a file of the project, with the folders it needs. Text that starts
    /// with `#!` is made executable.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.project().join(path);
        let folder = file.parent().expect("a file in the project");
        fs::create_dir_all(folder).expect("create the project's folders");
        fs::write(&file, &content).expect("write a file of the project");
        if content.as_ref().starts_with(b"#!") {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("chmod");
        }
    }

    /// Sets a variable for all that this controller runs from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    pub fn unset_env(&mut self, name: &str) {
        self.env.remove(name);
    }

    /// A program in the project with this controller's environment alone.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(self.project())
            .env_clear()
            .envs(&self.env);
        command
    }

    /// Runs `ship` to its end.
    #[track_caller]
    pub fn ship(&self, args: &[&str]) -> Run {
        self.spawn(args).wait()
    }

    /// Starts `ship` and lets it run.
    pub fn spawn(&self, args: &[&str]) -> Running {
        Running::start(self.command(env!("CARGO_BIN_EXE_ship")).args(args))
    }

    /// Runs another build of `ship` to its end.
    #[track_caller]
    pub fn run_program(&self, program: &Path, args: &[&str]) -> Run {
        Running::start(self.command(program).args(args)).wait()
    }

    /// Runs git in the project; returns its trimmed stdout, panics when it fails.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        finish(self.command("git").args(args))
    }

    /// Runs a command on a host by plain ssh, without ship.
    #[track_caller]
    pub fn ssh(&self, destination: &str, command: &str) -> Run {
        let mut ssh = self.command("ssh");
        ssh.arg("-F").arg(self.ssh_config());
        Running::start(ssh.args([destination, command])).wait()
    }
}
