//! Pinned runtimes on this machine: real ones, from a mirror on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ship::model::runtime::Platform;
use ship::runtime::Lock;
use ship::runtime::lock::{Archive, Pin};
use ship::runtime::source::source;

use crate::support::runtimes::{
    BUN_1, DENO_2, GO_1, JAVA_21, NODE_20, NODE_22, PYTHON_312, PYTHON_313, Real, sha256,
};
use crate::support::{Controller, Fault, Mirror, Run, Running, within};

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

    /// What is in the cache besides locks; names of archives cut to 12 digits.
    fn cached(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in [self.cache(), self.cache().join("archives")] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().expect("a name");
                let is_sum = name.len() >= 64;
                if !name.ends_with(".lock") && name != "archives" {
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
}

#[test]
fn the_second_time_is_without_network() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.run(&["node", "--version"]).ok();
    let Site {
        mut controller,
        mirror,
    } = site;
    drop(mirror);
    controller.set_env("SHIP_NODE_MIRROR", "http://127.0.0.1:1/nobody");
    let run = controller.ship(&["run", "--", "node", "--version"]);
    assert_eq!(run.ok().stdout, "v20.11.1\n");
}

#[test]
fn two_builds_at_once_download_each_once() {
    let Some(site) = Site::on(&[NODE_20, DENO_2]) else {
        return;
    };
    site.controller
        .write("build.sh", "node --version; deno --version\n");
    site.mirror
        .fault(".tar.gz", Fault::Slow(Duration::from_millis(2)));
    let builds: Vec<Running> = (0..3).map(|_| site.controller.spawn(&["build"])).collect();
    for build in builds {
        build.wait().ok();
    }
    assert_eq!(site.mirror.requests("node-v20.11.1-linux-x64.tar.gz"), 1);
    assert_eq!(site.mirror.requests("deno-x86_64-unknown-linux-gnu.zip"), 1);
    assert_eq!(site.cached().len(), 4, "{:?}", site.cached());
}

#[test]
fn a_mirror_that_sends_something_else_is_refused() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let cases = [
        (Fault::Html, 5, "answers with an HTML page instead"),
        (Fault::Endless, 5, "sends more than"),
        (Fault::SaysLonger, 5, "bytes long; ship.lock says"),
        (Fault::SaysShorter, 5, "bytes long; ship.lock says"),
        (Fault::Corrupt, 5, "its checksum is wrong"),
        (
            Fault::Status(404),
            5,
            "there is nothing at http://127.0.0.1:",
        ),
        (Fault::Status(403), 6, "answers 403 (Forbidden)"),
        (Fault::Status(503), 6, "answers 503 (Service Unavailable)"),
        (
            Fault::Redirect("ftp://127.0.0.1/x".to_owned()),
            5,
            "redirects to ftp://127.0.0.1/x",
        ),
        (
            Fault::Redirect("/node/loop.tar.gz".to_owned()),
            5,
            "redirects more than 10 times",
        ),
    ];
    for (fault, code, text) in cases {
        site.mirror.fault(".tar.gz", fault);
        let build = site.controller.ship(&["build"]);
        build.code(code).stderr_has(text);
        assert_eq!(site.cached(), Vec::<String>::new(), "{build}");
    }
    let both = site.mirror.file(&NODE_20);
    site.mirror.fault(".tar.gz", Fault::Corrupt);
    site.controller
        .ship(&["build"])
        .code(5)
        .stderr_has(&format!("ship.lock: sha256 {}", sha256(&both)))
        .stderr_has("found:     sha256 ");
    site.mirror.heal();
    site.controller.ship(&["build"]).ok();
}

/// What came stays, and the next command asks for the rest.
#[test]
fn a_mirror_that_stops_half_way() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.mirror
        .fault(".tar.gz", Fault::StopWithoutRanges(3_000_000));
    let build = site.controller.ship(&["build"]);
    build.code(6).stderr_has("stopped after 3000000 of ");
    assert_eq!(site.mirror.requests(".tar.gz"), 3, "three attempts");
    let [part] = &site.cached()[..] else {
        panic!("{:?}", site.cached());
    };
    assert!(part.ends_with(".part"), "{part}");
    // Each answer gets further: that is no reason to give up.
    site.mirror.fault(".tar.gz", Fault::StopAfter(8_000_000));
    site.controller.ship(&["build"]).ok();
    assert!(site.mirror.requests(".tar.gz") > 5);
}

#[test]
fn nobody_there() {
    let Some(mut site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.controller
        .set_env("SHIP_NODE_MIRROR", "http://ann:hunter2@127.0.0.1:1/node");
    let build = site.controller.ship(&["build"]);
    build
        .code(6)
        .stderr_has("cannot read http://127.0.0.1:1/node/v20.11.1/")
        .stderr_has("Connection refused")
        .stderr_has("HTTPS_PROXY");
    assert!(!build.stderr.contains("hunter2"), "{build}");
    assert_eq!(site.cached(), Vec::<String>::new());
}

/// A deploy stands on the same runtimes; without them, nothing is shipped.
#[test]
fn a_deploy_without_its_runtimes() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.mirror.fault(".tar.gz", Fault::Corrupt);
    let deploy = site.controller.ship(&["deploy", "local", "--allow-dirty"]);
    deploy.code(5).stderr_has("its checksum is wrong");
    let releases = site.controller.ship(&["releases", "local"]);
    assert!(!releases.stdout.contains("v1"), "{releases}");
}

#[test]
fn a_proxy_is_used_and_one_can_be_exempt() {
    let Some(mut site) = Site::on(&[NODE_20]) else {
        return;
    };
    site.controller.set_env("HTTP_PROXY", "http://127.0.0.1:1");
    site.controller.ship(&["build"]).code(6);
    assert_eq!(site.mirror.all_requests(), 0);
    site.controller.set_env("NO_PROXY", "127.0.0.1");
    site.controller.ship(&["build"]).ok();
}

#[test]
fn interrupted_and_resumed() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    for signal in ["INT", "KILL"] {
        site.mirror.fault(".tar.gz", Fault::HangAfter(2_000_000));
        let build = site.controller.spawn(&["build"]);
        within(Duration::from_secs(20), "some of the archive", || {
            let archives = fs::read_dir(site.cache().join("archives")).ok()?;
            let mut files = archives.flatten().filter_map(|entry| entry.metadata().ok());
            files.any(|about| about.len() >= 2_000_000).then_some(())
        });
        build.signal(signal);
        let build = build.wait();
        match signal {
            "INT" => {
                build.code(130).stderr_has("interrupted");
            }
            _ => {
                build.killed_by(9);
            }
        }
        let [part] = &site.cached()[..] else {
            panic!("{:?}", site.cached());
        };
        assert!(part.ends_with(".part"), "{part}");
    }
    // With no more than this in one answer, what was there must have been built on.
    let whole = fs::metadata(site.mirror.file(&NODE_20)).expect("the archive");
    let rest = usize::try_from(whole.len()).expect("small") - 2_000_000;
    site.mirror.fault(".tar.gz", Fault::StopAfter(rest));
    let before = site.mirror.requests(".tar.gz");
    site.controller.ship(&["build"]).ok();
    assert_eq!(site.mirror.requests(".tar.gz"), before + 1);
}

/// A part that is not the beginning of the archive costs a second download, no more.
#[test]
fn a_damaged_part_and_a_damaged_archive() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let sum = sha256(&site.mirror.file(&NODE_20));
    let archives = site.cache().join("archives");
    fs::create_dir_all(&archives).expect("a folder");
    fs::write(archives.join(format!("{sum}.part")), vec![7; 1_000_000]).expect("a part");
    site.controller.ship(&["build"]).ok();
    assert_eq!(site.mirror.requests(".tar.gz"), 2);
    // The unpacked one is gone and the archive is damaged: it is not built on.
    let unpacked = site
        .cached()
        .into_iter()
        .find(|name| name.starts_with("node-"));
    let unpacked = site.cache().join(unpacked.expect("unpacked"));
    fs::remove_dir_all(unpacked).expect("remove");
    fs::write(archives.join(&sum), b"damaged").expect("damage");
    assert_eq!(site.run(&["node", "--version"]).ok().stdout, "v20.11.1\n");
    assert_eq!(site.mirror.requests(".tar.gz"), 3);
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

/// It finds its own library, not the one that it was built in.
#[test]
fn python_from_another_place() {
    let Some(site) = Site::on(&[PYTHON_312]) else {
        return;
    };
    let text = "import sys, json, http.server; print(sys.version.split()[0], sys.prefix)";
    let run = site.run(&["python3", "-c", text]);
    run.ok()
        .stdout_has("3.12.1 ")
        .stdout_has("/ship/runtimes/python-3.12.1-");
}

#[test]
fn bun_runs() {
    let Some(site) = Site::on(&[BUN_1]) else {
        return;
    };
    let run = site.run(&["bun", "-e", "console.log(Bun.version)"]);
    assert_eq!(run.ok().stdout, "1.1.38\n");
}

#[test]
fn deno_runs() {
    let Some(site) = Site::on(&[DENO_2]) else {
        return;
    };
    let run = site.run(&["deno", "eval", "console.log(Deno.version.deno)"]);
    assert_eq!(run.ok().stdout, "2.4.4\n");
}

#[test]
fn go_builds() {
    let Some(mut site) = Site::on(&[GO_1]) else {
        return;
    };
    // What a developer has of another Go must not get in.
    site.controller.set_env("GOROOT", "/usr/lib/go-of-long-ago");
    site.controller.write(
        "main.go",
        "package main\n\nfunc main() { println(\"built\") }\n",
    );
    site.run(&["go", "version"]).ok().stdout_has("go1.23.9");
    site.run(&["go", "run", "main.go"]).ok().stderr_has("built");
}

#[test]
fn java_runs() {
    let Some(site) = Site::on(&[JAVA_21]) else {
        return;
    };
    let run = site.run(&["sh", "-c", "java -version; echo $JAVA_HOME"]);
    run.ok().stdout_has("/ship/runtimes/java-21.0.4+7-");
}

#[test]
fn an_archive_that_writes_elsewhere() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let make = "import io, tarfile, sys\n\
                t = tarfile.open(sys.argv[1], 'w:gz')\n\
                i = tarfile.TarInfo(sys.argv[2]); i.size = 4\n\
                t.addfile(i, io.BytesIO(b'evil')); t.close()\n";
    for name in ["node/../../evil", "/tmp/evil"] {
        let file = site.mirror.file(&NODE_20);
        fs::remove_file(&file).expect("the link to the archive");
        let made = Command::new("/usr/bin/python3")
            .args(["-c", make])
            .arg(&file)
            .arg(name)
            .status();
        assert!(made.expect("python3").success());
        relock(&site, &NODE_20, &file);
        let build = site.controller.ship(&["build"]);
        build
            .code(5)
            .stderr_has("the archive of node 20.11.1 is refused: cannot unpack")
            .stderr_has(name);
        let cached = site.cached();
        let unpacked = cached.iter().any(|name| name.contains("node"));
        assert!(!unpacked, "{cached:?}");
    }
}

#[test]
fn a_file_where_the_cache_should_be() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    fs::create_dir_all(site.controller.home().join(".cache")).expect("a folder");
    fs::write(site.controller.home().join(".cache/ship"), "").expect("a file");
    let build = site.controller.ship(&["build"]);
    build.code(5).stderr_has("cannot make the cache folder");
}

/// `ship` with its cache mounted as `mount` says.
fn mounted(site: &Site, mount: &str, args: &str) -> Option<Run> {
    crate::support::require_hosts()?;
    let ship = env!("CARGO_BIN_EXE_ship");
    let cache = site.controller.home().join(".cache");
    fs::create_dir_all(&cache).expect("a folder");
    let script = format!("cd / && {mount} && cd \"$OLDPWD\" && exec {ship} {args}");
    let script = script.replace("CACHE", &cache.display().to_string());
    let mut command = site.controller.command("/usr/bin/unshare");
    Some(Running::start(command.args(["--mount", "sh", "-c", &script])).wait())
}

#[test]
fn a_full_disk() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    for size in ["10m", "60m"] {
        let mount = format!("mount -t tmpfs -o size={size} none CACHE");
        let Some(build) = mounted(&site, &mount, "build") else {
            return;
        };
        build
            .code(5)
            .stderr_has("No space left on device")
            .stderr_has("XDG_CACHE_HOME");
    }
}

#[test]
fn a_cache_that_cannot_be_written() {
    let Some(site) = Site::on(&[NODE_20]) else {
        return;
    };
    let read_only = "mount --bind CACHE CACHE && mount -o remount,bind,ro CACHE";
    let Some(build) = mounted(&site, read_only, "build") else {
        return;
    };
    build
        .code(5)
        .stderr_has("Read-only file system")
        .stderr_has("XDG_CACHE_HOME");
    // What is there can be used.
    site.controller.ship(&["build"]).ok();
    let run = mounted(&site, read_only, "run -- node --version").expect("as before");
    assert_eq!(run.ok().stdout, "v20.11.1\n");
}

#[test]
fn a_runtime_that_each_machine_brings() {
    let controller = Controller::new();
    let manifest = |version: &str| {
        controller.write(
            "ship.toml",
            format!(
                "[app]\nname = \"shop\"\n\n[runtimes]\nperl = {{ version = \"{version}\", \
                 source = \"host\" }}\n\n[services.web]\ncommand = \"perl x\"\n"
            ),
        );
    };
    manifest("5");
    let run = controller.ship(&["run", "--", "perl", "-e", "print $^V"]);
    let version = run.ok().stdout.trim_start_matches('v').to_owned();
    manifest("4.1");
    let run = controller.ship(&["run", "--", "perl", "-e", "1"]);
    run.code(3)
        .stderr_has("ship.toml: perl = \"4.1\"")
        .stderr_has(&format!("this machine: perl {version}"));
}
