//! The tree that every host starts from.

use super::command::{attempt, finish, output};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

const SUITE: &str = "bookworm";

const PACKAGES: [&str; 15] = [
    "ca-certificates",
    "curl",
    "dbus",
    "dbus-user-session",
    "fish",
    "iproute2",
    "libpam-systemd",
    "nodejs",
    "openssh-server",
    "procps",
    "python3",
    "python3-minimal",
    "sudo",
    "systemd",
    "systemd-sysv",
];

/// Run in the new tree by `sh -eu`. Root and `deploy` get their authorized keys
/// when a host is made; `deploy` is an ordinary user in no special group.
const RECIPE: &str = r#"
useradd --create-home --shell /bin/bash deploy
for home in /root /home/deploy; do install -d -m 700 "$home/.ssh"; done
chown deploy:deploy /home/deploy/.ssh

# A host has one key, its own, made before its first boot.
rm -f /etc/ssh/ssh_host_*
cat > /etc/ssh/sshd_config.d/hosts.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
END

# A test machine has no console, and nobody else's work to do.
systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer fstrim.timer man-db.timer systemd-tmpfiles-clean.timer \
    console-getty.service getty.target e2scrub_reap.service
: > /etc/machine-id
: > /etc/resolv.conf
"#;

/// A minimal Debian with systemd and sshd, built once and never written to again.
pub struct Base;

impl Base {
    /// The tree, built by the first that needs it (about 40 s), for this and all
    /// later test runs: `/var/cache/ship-tests/base-<hash of the recipe>`.
    /// `$SHIP_TEST_CACHE` names another folder than `/var/cache/ship-tests`,
    /// `$SHIP_TEST_MIRROR` another Debian mirror than mmdebstrap's own.
    pub fn tree() -> PathBuf {
        Self::with(&[])
    }

    /// The same with more Debian packages: a tree of its own for each list of them.
    pub fn with(more: &[&str]) -> PathBuf {
        let cache = std::env::var_os("SHIP_TEST_CACHE")
            .map_or_else(|| "/var/cache/ship-tests".into(), PathBuf::from);
        fs::create_dir_all(&cache).expect("create the cache folder");
        let mut hasher = DefaultHasher::new();
        match more {
            [] => (SUITE, PACKAGES, RECIPE).hash(&mut hasher),
            more => (SUITE, PACKAGES, RECIPE, more).hash(&mut hasher),
        }
        let tree = cache.join(format!("base-{:016x}", hasher.finish()));
        if !tree.is_dir() {
            let lock = File::create(cache.join("lock")).expect("create the lock file");
            lock.lock().expect("lock the cache folder");
            if !tree.is_dir() {
                build(&cache.join("building"), &tree, more);
            }
        }
        tree
    }
}

/// Builds under a temporary name; a tree under its own name is complete.
fn build(building: &Path, tree: &Path, more: &[&str]) {
    let _ = fs::remove_dir_all(building);
    let mirror = std::env::var("SHIP_TEST_MIRROR").ok();
    let made = output(
        Command::new("mmdebstrap")
            .args(["--quiet", "--variant=minbase"])
            .arg(format!(
                "--include={}",
                [&PACKAGES, more].concat().join(",")
            ))
            .arg("--aptopt=Acquire::Retries \"3\"")
            .arg("--dpkgopt=path-exclude=/usr/share/doc/*")
            .arg("--dpkgopt=path-exclude=/usr/share/locale/*")
            .arg("--dpkgopt=path-exclude=/usr/share/man/*")
            // Java's packages link to pages of the manual, and need the folder.
            .arg("--essential-hook=mkdir -p \"$1/usr/share/man/man1\"")
            .arg(SUITE)
            .arg(building)
            .args(mirror),
    );
    if !made.status.success() {
        let _ = fs::remove_dir_all(building);
        panic!(
            "mmdebstrap could not build the base tree: {}\n{}",
            made.status,
            String::from_utf8_lossy(&made.stderr)
        );
    }
    finish(
        Command::new("chroot")
            .arg(building)
            .args(["sh", "-euc", RECIPE]),
    );
    // A power cut here would publish a tree of empty files.
    attempt("sync", &["-f".as_ref(), building.as_os_str()]);
    fs::rename(building, tree).expect("publish the base tree");
}
