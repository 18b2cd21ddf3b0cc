//! Pinned runtimes on this machine: real ones, from a mirror on loopback.

#[path = "runtimes/bad_mirrors.rs"]
mod bad_mirrors;
#[path = "runtimes/cache.rs"]
mod cache;
#[path = "runtimes/each.rs"]
mod each;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ship::model::runtime::Platform;
use ship::runtime::Lock;
use ship::runtime::lock::{Archive, Pin};
use ship::runtime::source::source;

use crate::support::runtimes::{NODE_20, NODE_22, PYTHON_313, Real, sha256};
use crate::support::{Controller, Mirror, Run, Running};

/// A project on some runtimes, and the mirror they come from.
pub struct Site {
    pub controller: Controller,
    pub mirror: Mirror,
}

impl Site {
    /// `None`, loudly, where the runtimes cannot be had.
    pub fn on(runtimes: &[Real]) -> Option<Self> {
        let mirror = Mirror::of(runtimes)?;
        let mut controller = Controller::new();
        // The system's own programs, not a version manager's wrappers.
        controller.set_env("PATH", "/usr/local/bin:/usr/bin:/bin");
        let asked: Vec<String> = runtimes
            .iter()
            .map(|real| format!("{} = \"{}\"", real.name, real.version))
            .collect();
        controller.write(
            "ship.toml",
            format!(
                "[app]\nname = \"shop\"\n\n[runtimes]\n{}\n\n\
                 [build]\nsteps = [\"sh build.sh\"]\n\n[test]\nsteps = [\"sh build.sh\"]\n\n\
                 [services.web]\ncommand = \"sh serve.sh\"\n",
                asked.join("\n")
            ),
        );
        controller.write("build.sh", "true\n");
        controller.write("serve.sh", "true\n");
        let lock = Lock {
            runtimes: runtimes.iter().map(|real| pin(&mirror, real)).collect(),
        };
        lock.write(&controller.project()).expect("write the lock");
        for real in runtimes {
            let variable = format!("SHIP_{}_MIRROR", real.name.to_uppercase());
            controller.set_env(&variable, &mirror.address(real.name));
        }
        Some(Self { controller, mirror })
    }

    fn run(&self, command: &[&str]) -> Run {
        self.controller.ship(&[&["run", "--"], command].concat())
    }

    fn cache(&self) -> PathBuf {
        self.controller.home().join(".cache/ship/runtimes")
    }

    /// What is in the cache; names of archives cut to 12 digits.
    fn cached(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in [self.cache(), self.cache().join("archives")] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().expect("a name");
                let is_sum = name.len() >= 64;
                if name != "archives" {
                    let short = || format!("{}{}", &name[..12], &name[64..]);
                    found.push(if is_sum { short() } else { name.clone() });
                }
            }
        }
        found.sort();
        found
    }
}

/// As `ship pin` would.
fn pin(mirror: &Mirror, real: &Real) -> (String, Pin) {
    let file = mirror.file(real);
    let place = real.place.replace('+', "%2B");
    let places = source(real.name).expect("a source").places;
    let publisher = places.iter().rev().find(|(_, below)| below.is_empty());
    let archive = Archive {
        url: format!("{}{place}", publisher.expect("a publisher").0),
        sha256: sha256(&file).parse().expect("a sum"),
        size: fs::metadata(&file).expect("the archive").len(),
    };
    let pin = Pin {
        request: real.version.to_owned(),
        version: real.version.to_owned(),
        platforms: BTreeMap::from([(Platform::X86_64Linux, archive)]),
        packages: Vec::new(),
    };
    (real.name.to_owned(), pin)
}

/// The lock of the site, with one archive for another.
fn relock(site: &Site, real: &Real, file: &std::path::Path) {
    let (name, mut pin) = pin(&site.mirror, real);
    for archive in pin.platforms.values_mut() {
        archive.sha256 = sha256(file).parse().expect("a sum");
        archive.size = fs::metadata(file).expect("the archive").len();
    }
    let lock = Lock {
        runtimes: BTreeMap::from([(name, pin)]),
    };
    lock.write(&site.controller.project())
        .expect("write the lock");
}

#[test]
fn build_test_and_run_see_the_pinned_one() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.controller.write(
        "build.sh",
        "echo node $(node --version), npm $(npm --version)\n",
    );
    let said = "build sh build.sh | node v20.11.1, npm 10.2.4";
    let build = site.controller.ship(&["build", "-v"]);
    build
        .ok()
        .stderr_has("fetching node 20.11.1: ")
        .stderr_has(said);
    site.controller
        .ship(&["test", "-v"])
        .ok()
        .stderr_has("node v20.11.1, npm 10.2.4");
    let run = site.run(&["node", "--version"]);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("v20.11.1\n", "")
    );
    assert_eq!(site.mirror.all_requests(), 1, "one request in all");
    let prefix = site.run(&["npm", "prefix", "--global"]);
    prefix.ok().stdout_has("/runtimes/node-20.11.1-");
    assert_eq!(site.run(&["npx", "--version"]).ok().stdout, "10.2.4\n");
}

/// The command runs where its user is; the manifest above says on what.
#[test]
fn from_a_folder_of_the_project() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.controller.write("packages/web/README", "\n");
    let folder = site.controller.project().join("packages/web");
    let mut command = site.controller.command(env!("CARGO_BIN_EXE_ship"));
    command.current_dir(&folder);
    command.args(["run", "--", "node", "-p", "process.version + process.cwd()"]);
    let said = Running::start(&mut command).wait();
    let folder = fs::canonicalize(folder).expect("a folder");
    assert_eq!(said.ok().stdout, format!("v20.11.1{}\n", folder.display()));
}

#[test]
fn a_mirror_that_is_a_folder() {
    let Some(mut site) = Site::on(&[NODE_22, PYTHON_313]) else {
        return;
    };
    for name in ["node", "python"] {
        let variable = format!("SHIP_{}_MIRROR", name.to_uppercase());
        let folder = site.mirror.folder(name);
        site.controller.set_env(&variable, &folder);
    }
    assert_eq!(site.run(&["node", "--version"]).ok().stdout, "v22.14.0\n");
    assert_eq!(
        site.run(&["python3", "--version"]).ok().stdout,
        "Python 3.13.0\n"
    );
    assert_eq!(site.mirror.all_requests(), 0);
}
