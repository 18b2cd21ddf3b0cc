//! A Debian host that boots, serves, breaks and comes back.

use super::base::Base;
use super::command::{finish, output};
use super::disk::Disk;
use super::http::{self, Response};
use super::keys::KeyPair;
use super::machine::Machine;
use super::net::Net;
use super::poll::within;
use super::process::Process;
use super::slot::Slot;
use super::tree::Tree;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const BOOT: Duration = Duration::from_secs(90);

/// The longest that one [`Host::exec`] may take, in seconds.
const EXEC_SECONDS: &str = "120";

const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// The uid and gid of `deploy`.
const DEPLOY: u32 = 1000;

/// What is special about a host.
#[derive(Clone, Debug, Default)]
pub struct HostOptions {
    /// A small disk of its own for part or all of its files.
    pub disk: Option<Disk>,
}

/// A running machine with systemd and sshd. `root` and `deploy` (an ordinary user
/// without sudo) accept [`KeyPair::person`]. Dropped, it is gone; when its test
/// fails, it prints the end of its journal first.
pub struct Host {
    name: String,
    key: KeyPair,
    machine: Option<Machine>,
    tree: Tree,
    net: Net,
    // The last to be dropped: it removes what the others were made of.
    slot: Slot,
}

impl Host {
    /// Boots a host of this hostname and waits until it is up.
    pub fn boot(name: &str) -> Self {
        Self::boot_with(name, &HostOptions::default())
    }

    pub fn boot_with(name: &str, options: &HostOptions) -> Self {
        Self::boot_on(name, Base::tree(), options)
    }

    /// Boots a host that has these Debian packages beside those of every host.
    pub fn boot_having(name: &str, packages: &[&str]) -> Self {
        Self::boot_on(name, Base::with(packages), &HostOptions::default())
    }

    fn boot_on(name: &str, base: PathBuf, options: &HostOptions) -> Self {
        let slot = Slot::take();
        let tree = Tree::create(slot.dir(), base, options.disk.as_ref());
        let key = KeyPair::generate(&format!("root@{name}"));
        let mut host = Self {
            name: name.to_owned(),
            key,
            machine: None,
            tree,
            net: Net::of(&slot),
            slot,
        };
        host.furnish();
        host.boot_again();
        host
    }

    /// Writes what differs from host to host into its tree.
    fn furnish(&self) {
        let Self { name, tree, .. } = self;
        tree.put("/etc/hostname", 0o644, &format!("{name}\n"));
        let hosts = format!("127.0.0.1 localhost\n127.0.1.1 {name}\n");
        tree.put("/etc/hosts", 0o644, &hosts);
        let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").expect("read a uuid");
        tree.put("/etc/machine-id", 0o444, &uuid.replace('-', ""));
        tree.put(HOST_KEY, 0o600, &self.key.private);
        tree.put(&format!("{HOST_KEY}.pub"), 0o644, &self.key.public);
        for home in ["/root", "/home/deploy"] {
            let file = format!("{home}/.ssh/authorized_keys");
            tree.put(&file, 0o600, &KeyPair::person().public);
        }
        tree.give("/home/deploy/.ssh/authorized_keys", DEPLOY);
        tree.sync();
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn addr(&self) -> Ipv4Addr {
        self.slot.addr()
    }

    /// The interface of this machine that its cable is plugged into.
    pub fn cable(&self) -> String {
        self.slot.cable()
    }

    /// The public line of the host key that it was made with.
    pub fn host_key(&self) -> &str {
        self.key.public.trim()
    }

    /// Runs a shell command as root inside, past ship and ssh, for at most 120
    /// seconds. On a host without power, it runs in its tree, with no systemd.
    pub fn exec(&self, command: &str) -> Output {
        output(self.enter().arg(command))
    }

    /// Runs a command like [`Self::exec`]; returns its trimmed stdout, panics with
    /// all it said when it fails.
    #[track_caller]
    pub fn sh(&self, command: &str) -> String {
        finish(self.enter().arg(command))
    }

    /// [`Self::sh`] as an ordinary user in its home, with the `XDG_RUNTIME_DIR`
    /// that `systemctl --user` needs.
    #[track_caller]
    pub fn sh_as(&self, user: &str, command: &str) -> String {
        let script = r#"user=$1; cd "$(getent passwd "$user" | cut -d: -f6)"
            exec runuser -u "$user" -- env HOME="$PWD" USER="$user" \
                XDG_RUNTIME_DIR="/run/user/$(id -u "$user")" sh -c "$2""#;
        finish(self.enter().args([script, "sh", user, command]))
    }

    /// All that runs in it.
    pub fn processes(&self) -> Vec<Process> {
        let pids = self.machine.as_ref().map(Machine::processes);
        let pids = pids.unwrap_or_default().into_iter();
        pids.filter_map(Process::of).collect()
    }

    /// `sh -c`, as root, inside.
    fn enter(&self) -> Command {
        let mut enter = Command::new("timeout");
        enter
            .args(["--signal=KILL", EXEC_SECONDS])
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8");
        match self.machine.as_ref().and_then(Machine::leader) {
            Some(leader) => enter.args(["nsenter", "--all", "--target", &leader.to_string(), "--"]),
            None => enter.arg("chroot").arg(self.tree.root()),
        };
        enter.args(["/bin/sh", "-c"]);
        enter
    }

    /// The text of a file. Panics when there is none.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let read = output(self.enter().args([r#"cat -- "$1""#, "sh", path]));
        let error = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{}: {error}", self.name);
        String::from_utf8_lossy(&read.stdout).into_owned()
    }

    /// Writes a file as root, with the folders it needs.
    #[track_caller]
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let script = r#"mkdir -p "$(dirname "$1")" && cat > "$1""#;
        let mut child = self
            .enter()
            .args([script, "sh", path])
            .stdin(Stdio::piped())
            .spawn()
            .expect("start a shell in the host");
        let written = child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(content.as_ref());
        let status = child.wait().expect("wait for the shell");
        assert!(status.success(), "{}: cannot write {path}", self.name);
        written.expect("write to the shell");
    }

    /// Whether anything is at this path, a dangling link included.
    pub fn exists(&self, path: &str) -> bool {
        let script = r#"test -e "$1" || test -L "$1""#;
        output(self.enter().args([script, "sh", path]))
            .status
            .success()
    }

    /// `GET` from outside, over the network.
    ///
    /// # Errors
    /// Those of the socket; `InvalidData` when no HTTP came back.
    pub fn http_get(&self, port: u16, path: &str) -> io::Result<Response> {
        http::get(self.addr(), port, path)
    }

    /// Pulls the plug: the peers hear nothing, every process dies at once, and a
    /// disk of its own loses what was not synced.
    pub fn power_cut(&mut self) {
        self.net.link_down();
        self.machine = None;
        self.net.remove();
        self.tree.power_cut();
    }

    /// Boots a host without power, and waits until it is up.
    pub fn boot_again(&mut self) {
        assert!(self.machine.is_none(), "{} has power", self.name);
        self.net.create();
        self.machine = Some(Machine::start(
            &self.slot.machine(),
            &self.tree.root(),
            &self.slot.dir().join("console.log"),
        ));
        self.wait_until_up();
    }

    /// Shuts down in order and boots again.
    pub fn reboot(&mut self) {
        self.exec("systemctl reboot");
        let machine = self.machine.as_mut().expect("a host with power");
        within(BOOT, "the host to shut down", || {
            machine.is_off().then_some(())
        });
        self.machine = None;
        self.net.remove();
        self.boot_again();
    }

    /// Silence in both directions; connections stay open at both ends.
    pub fn link_down(&self) {
        self.net.link_down();
    }

    pub fn link_up(&self) {
        self.net.link_up();
    }

    /// Limits its network to this many Mbit/s each way, or lifts the limit.
    pub fn limit_rate(&self, mbit: Option<u32>) {
        self.net.limit_rate(mbit);
    }

    /// Fills the small disk that holds this folder, to the last block but
    /// `leave_kib` KiB. Panics on a host without such a disk.
    #[track_caller]
    pub fn fill_disk(&self, folder: &str, leave_kib: u64) {
        assert!(
            self.tree.is_on_own_disk(folder),
            "{}: {folder} is on the disk of this machine, which must not be filled",
            self.name
        );
        // In one go what is free, as it seems, and then what is left.
        let script = r#"avail=$(df --block-size=1K --output=avail "$1" | tail -1)
            fallocate --length "${avail}K" "$1/.ballast" 2>/dev/null
            dd if=/dev/zero oflag=append conv=notrunc of="$1/.ballast" bs=64k status=none 2>/dev/null
            size=$(stat -c %s "$1/.ballast")
            truncate -s "$((size > $2 * 1024 ? size - $2 * 1024 : 0))" "$1/.ballast"; sync -f "$1""#;
        finish(
            self.enter()
                .args([script, "sh", folder, &leave_kib.to_string()]),
        );
    }

    /// Undoes [`Self::fill_disk`].
    pub fn free_disk(&self, folder: &str) {
        finish(self.enter().args([r#"rm -f "$1/.ballast""#, "sh", folder]));
    }

    /// Takes the inodes of the small disk that holds this folder, all but `leave`. Panics on a
    /// host without such a disk.
    #[track_caller]
    pub fn take_inodes(&self, folder: &str, leave: u64) {
        assert!(
            self.tree.is_on_own_disk(folder),
            "{}: {folder} is on the disk of this machine, which must not be filled",
            self.name
        );
        let script = r#"mkdir "$1/.hoard" && cd "$1/.hoard" || exit
            free=$(df --output=iavail . | tail -1)
            count=$((free > $2 ? free - $2 : 0))
            seq "$count" | xargs -r touch 2>/dev/null; true"#;
        finish(
            self.enter()
                .args([script, "sh", folder, &leave.to_string()]),
        );
    }

    /// Undoes [`Self::take_inodes`].
    pub fn free_inodes(&self, folder: &str) {
        finish(self.enter().args([r#"rm -rf "$1/.hoard""#, "sh", folder]));
    }

    /// Gives a user another login shell.
    pub fn set_shell(&self, user: &str, shell: &str) {
        self.sh(&format!("usermod --shell {shell} {user}"));
    }

    /// Replaces the ssh host key, as a reinstalled host or a man in the middle has
    /// another; [`Self::host_key`] stays the old one.
    pub fn break_host_key(&self) {
        let key = KeyPair::generate("somebody@else");
        self.write(HOST_KEY, &key.private);
        self.write(&format!("{HOST_KEY}.pub"), &key.public);
        self.restart_ssh();
    }

    /// Lets sshd read its configuration again, and waits until it answers. (A reload would answer
    /// before sshd listens again.)
    pub fn restart_ssh(&self) {
        self.sh("systemctl restart ssh");
        self.wait_for_ssh();
    }

    /// Waits until sshd answers, such as after the link came back: the neighbours' addresses have
    /// to be found out again first.
    pub fn wait_for_ssh(&self) {
        within(BOOT, "sshd to answer", || self.sshd_answers().then_some(()));
    }

    /// The last lines of its journal and console.
    pub fn diagnosis(&self) -> String {
        let journal = self.exec("journalctl --no-pager --lines=60 --output=short-precise");
        let console = fs::read_to_string(self.slot.dir().join("console.log"));
        let mut text = String::new();
        let _ = writeln!(text, "--- journal of {} ({})", self.name, self.addr());
        text += &String::from_utf8_lossy(&journal.stdout);
        let _ = writeln!(text, "--- console of {}", self.name);
        text += &console.unwrap_or_default();
        text
    }

    fn wait_until_up(&mut self) {
        within(BOOT, "the host to be up", || {
            let machine = self.machine.as_mut().expect("it was just started");
            assert!(
                !machine.is_off(),
                "the host does not boot:\n{}",
                self.diagnosis()
            );
            let machine = self.machine.as_ref()?;
            machine.leader()?;
            let state = self.exec("systemctl is-system-running");
            let state = String::from_utf8_lossy(&state.stdout);
            let up = ["running", "degraded"].contains(&state.trim()) && self.sshd_answers();
            up.then_some(())
        });
    }

    fn sshd_answers(&self) -> bool {
        let sshd = SocketAddr::from((self.addr(), 22));
        let Ok(mut stream) = TcpStream::connect_timeout(&sshd, Duration::from_secs(1)) else {
            return false;
        };
        let mut banner = [0; 4];
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .is_ok()
            && stream.read_exact(&mut banner).is_ok()
            && banner == *b"SSH-"
    }
}

impl Drop for Host {
    #[expect(clippy::print_stderr, reason = "libtest shows it with the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.diagnosis());
        }
    }
}
