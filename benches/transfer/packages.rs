//! Debian packages that the contenders need on the hosts, which the tests' hosts do without.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

use crate::app::finish;
use crate::cache;
use crate::support::Host;

/// Installs packages on a host that lacks them. They are downloaded once, by this machine's apt,
/// with all that the host lacks for them.
///
/// # Errors
/// What apt or dpkg says.
pub fn install(host: &Host, packages: &[&str]) -> Result<(), String> {
    let is_there = |package: &&str| host.exists(&format!("/usr/bin/{package}"));
    if packages.iter().all(is_there) {
        return Ok(());
    }
    let status = host.read("/var/lib/dpkg/status");
    let mut hasher = DefaultHasher::new();
    (&status, packages).hash(&mut hasher);
    let name = format!("debs-{:016x}", hasher.finish());
    let debs = cache::folder(&name, |folder| download(folder, &status, packages))?;
    for entry in fs::read_dir(debs)
        .map_err(|error| error.to_string())?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".deb") {
            let deb = fs::read(entry.path()).map_err(|error| error.to_string())?;
            host.write(&format!("/var/tmp/debs/{name}"), deb);
        }
    }
    let unpacked = host.exec("dpkg --install /var/tmp/debs/*.deb && rm -r /var/tmp/debs");
    if unpacked.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&unpacked.stderr).into_owned())
}

fn download(folder: &Path, status: &str, packages: &[&str]) -> Result<(), String> {
    let file = folder.join("status");
    fs::write(&file, status).map_err(|error| error.to_string())?;
    fs::create_dir_all(folder.join("partial")).map_err(|error| error.to_string())?;
    let mut apt = Command::new("apt-get");
    apt.args(["-qy", "--download-only", "--no-install-recommends"])
        .arg("-o")
        .arg(format!("Dir::State::status={}", file.display()))
        .arg("-o")
        .arg(format!("Dir::Cache::archives={}", folder.display()))
        .arg("install")
        .args(packages);
    finish(&mut apt)
}

/// Installs a package on this machine, when the command is missing and this is allowed; false
/// when it is missing afterwards.
pub fn have_here(command: &str, packages: &[&str]) -> bool {
    let there = || finish(Command::new(command).arg("--version")).is_ok();
    if there() {
        return true;
    }
    crate::say::say(format!(
        "installing {} on this machine",
        packages.join(", ")
    ));
    let mut apt = Command::new("apt-get");
    apt.args([
        "-qy",
        "-o",
        "Dpkg::Use-Pty=0",
        "install",
        "--no-install-recommends",
    ]);
    let installed = finish(apt.args(packages).env("DEBIAN_FRONTEND", "noninteractive"));
    if let Err(why) = installed {
        crate::say::say(why);
    }
    there()
}
