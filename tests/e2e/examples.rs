//! The examples, by somebody who has only their code and a new Debian: `init`, `setup`, `deploy`.

use crate::support::{Controller, Host, Run, eventually, require_hosts};
use std::env;
use std::fs;
use std::path::Path;

/// What an example is called and where it answers.
struct Example {
    folder: &'static str,
    app: &'static str,
    port: u16,
    says: &'static str,
}

#[test]
fn the_node_example() {
    let example = Example {
        folder: "node",
        app: "hello-node",
        port: 3000,
        says: "hello from node v1",
    };
    example.goes_live(|_| {});
}

#[test]
fn the_python_example() {
    let example = Example {
        folder: "python",
        app: "hello-python",
        port: 8000,
        says: "hello from python v1",
    };
    example.goes_live(|_| {});
}

#[test]
fn the_rust_example() {
    let example = Example {
        folder: "rust",
        app: "hello-rust",
        port: 8080,
        says: "hello from rust v1",
    };
    example.goes_live(|person| {
        // The toolchain of whoever runs the tests is in their home.
        let home = env::var("HOME").expect("HOME");
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let value = env::var(name).unwrap_or_else(|_| format!("{home}/{below}"));
            person.set_env(name, &value);
        }
    });
}

#[test]
fn the_static_example() {
    let example = Example {
        folder: "static",
        app: "static",
        port: 8080,
        says: "hello from static v1",
    };
    example.goes_live(|_| {});
}

impl Example {
    fn goes_live(&self, prepare: impl FnOnce(&mut Controller)) {
        let Some(()) = require_hosts() else { return };
        let mut host = Host::boot("web1");
        let mut person = Controller::knowing([&host]);
        prepare(&mut person);
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(self.folder);
        copy_without_manifest(&from, &person.project());
        // The folder's name is the app's where nothing else names it.
        let name = if self.folder == "static" {
            vec!["--name", "static"]
        } else {
            vec![]
        };

        let address = format!("deploy@{}", host.addr());
        let init = [&["init", "--yes", "--host", &address], &*name].concat();
        person.ship(&init).ok();
        self.is_not_ready(&person.ship(&["deploy", "production"]), &host);

        let setup = || person.ship(&["setup", "production", "--as", "root"]);
        setup().ok().stderr_has("ready, ");
        let before = everything(&host);
        setup().ok().stderr_has("nothing to change, it is ready");
        assert_eq!(before, everything(&host));

        let deployed = person.ship(&["deploy", "production"]);
        deployed
            .ok()
            .stderr_has(&format!("{} v1 is live on production", self.app));
        self.answers(&host);
        self.is_guarded(&host);
        let again = person.ship(&["deploy", "production"]);
        again
            .ok()
            .stderr_has("v1 is already live on production; nothing changed");

        host.reboot();
        eventually("the app after a reboot", || {
            host.http_get(self.port, "/").is_ok()
        });
        self.answers(&host);
        self.is_guarded(&host);
        person
            .ship(&["status", "production"])
            .ok()
            .stdout_has("healthy");
    }

    /// Without a setup there is one sentence, and nothing happens.
    fn is_not_ready(&self, deploy: &Run, host: &Host) {
        deploy
            .code(5)
            .stderr_has("is not set up for")
            .stderr_has("ship setup production");
        assert!(!host.exists(&format!("/srv/{}", self.app)));
    }

    fn answers(&self, host: &Host) {
        let answer = host.http_get(self.port, "/").expect("an answer");
        assert!(
            answer.status == 200 && answer.body.contains(self.says),
            "{answer:?}"
        );
        let missing = host
            .http_get(self.port, "/nothing/here")
            .expect("an answer");
        assert_eq!(missing.status, 404);
    }

    /// Its process is its own user's, and cannot change what it runs.
    fn is_guarded(&self, host: &Host) {
        let Self { app, .. } = self;
        let unit = format!("{app}-web.service");
        let pid = host.sh(&format!("systemctl show --value -p MainPID {unit}"));
        assert_eq!(host.sh(&format!("ps -o user:32= -p {pid}")), *app);
        assert_eq!(host.sh(&format!("systemctl is-active {unit}")), "active");
        assert_eq!(host.sh(&format!("systemctl is-enabled {unit}")), "enabled");
        let folder = format!("/srv/{app}");
        assert_eq!(
            host.sh(&format!("readlink /proc/{pid}/cwd")),
            format!("{folder}/releases/v1")
        );
        assert_eq!(
            host.sh(&format!("readlink {folder}/current")),
            "releases/v1"
        );
        let strangers = host.sh(&format!("find {folder}/releases/v1 ! -user deploy"));
        assert_eq!(strangers, "", "not deploy's");
        let script = format!("find -H {folder} {folder}/releases/v1 -writable ! -type l");
        let writable = host.sh(&format!("runuser -u {app} -- {script} 2>/dev/null || true"));
        let writable: Vec<_> = writable
            .lines()
            .filter(|path| !path.starts_with(&format!("{folder}/shared")))
            .collect();
        assert_eq!(writable, [""; 0], "writable for {app}");
        host.sh(&format!("runuser -u {app} -- touch {folder}/shared/upload"));
        host.sh(&format!("rm {folder}/shared/upload"));
    }
}

fn copy_without_manifest(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("create a folder");
    for entry in fs::read_dir(from).expect("read a folder of the example") {
        let entry = entry.expect("an entry");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() && entry.file_name() != "target" {
            copy_without_manifest(&path, &target);
        } else if path.is_file() && entry.file_name() != "ship.toml" {
            fs::copy(&path, &target).expect("copy a file of the example");
        }
    }
}

/// All that a setup could change: names, owners, modes, times and sizes.
fn everything(host: &Host) -> String {
    host.sh(
        "find /etc /srv /home -not -path '*/.ship/*' -printf '%p %u %g %m %T@ %s\\n' | sort; \
         cat /etc/passwd /etc/group /etc/sudoers.d/*; systemctl list-unit-files --no-pager --no-legend | grep -v ' transient'",
    )
}
