//! Service managers and setup on real hosts: the agent's own code, run there by this very test
//! binary, against releases that are made by hand.

use serde::{Deserialize, Serialize};
use ship::agent::host::Host as Agent;
use ship::agent::service::{LogCursor, LogLine, ServiceStatus, env_file, manager};
use ship::agent::setup::{check, ready_for, setup};
use ship::agent::{Layout, service::Supervisor};
use ship::model::service::{HealthCheck, Run, StartType};
use ship::model::{Deployment, Failure, Instance, ServiceManagerKind, ServiceSpec};
use ship::wire::{Finding, Level, SetupRequest, Wants};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::{Controller, Host, eventually, require_hosts, within};

/// Names the file that holds a [`Task`], on the host.
const TASK: &str = "SHIP_TEST_TASK";

/// This binary and `ship`, on the host.
const PROBE: &str = "/opt/probe";
const SHIP: &str = "/opt/ship";

/// What the agent is asked to do.
#[derive(Serialize, Deserialize)]
struct Task {
    deployment: Deployment,
    services: Vec<ServiceSpec>,
    what: What,
}

#[derive(Serialize, Deserialize)]
enum What {
    Setup {
        shared: Vec<String>,
        login: String,
        dry_run: bool,
    },
    Check,
    Ready,
    Status(Instance),
    Restart(Instance, u64),
    Start(Instance),
    Stop(Instance, u64),
    Cursor(Instance),
    Log(Instance, Option<String>, usize),
    Follow(Instance, usize),
    Shutdown,
}

/// The part of these tests that runs on the host: does its task, says how it went.
#[expect(clippy::print_stdout, reason = "its output is its answer")]
fn on_the_host() -> bool {
    let Some(path) = std::env::var_os(TASK) else {
        return false;
    };
    let task = std::fs::read(path).expect("a task");
    let task: Task = serde_json::from_slice(&task).expect("a task");
    let result = carry_out(&task);
    println!("\nRESULT {}", serde_json::to_string(&result).expect("JSON"));
    true
}

fn carry_out(task: &Task) -> Result<serde_json::Value, Failure> {
    let host = Agent::new(task.deployment.clone());
    let supervisor = Supervisor::new(host.layout.clone()).with_daemon(
        SHIP.into(),
        vec![
            "agent".into(),
            "supervise".into(),
            host.layout.root().into(),
        ],
    );
    let manager = match task.deployment.manager {
        ServiceManagerKind::Supervisor => Box::new(supervisor.clone()),
        _ => manager(&task.deployment, &host.layout),
    };
    let ms = Duration::from_millis;
    let json = |value: &dyn erased::Json| value.json();
    match &task.what {
        What::Setup {
            shared,
            login,
            dry_run,
        } => {
            let request = SetupRequest {
                wants: wants(task, shared),
                login: login.clone(),
                dry_run: *dry_run,
            };
            setup(&host, &request).map(|changes| json(&changes.made))
        }
        What::Check => Ok(json(&check(&host, &wants(task, &[])))),
        What::Ready => ready_for(&host, &task.services).map(|()| json(&())),
        What::Status(service) => manager.status(service).map(|status| json(&status)),
        What::Restart(service, deadline) => manager
            .restart(service, None, ms(*deadline))
            .map(|()| json(&())),
        What::Start(service) => manager.start(service, ms(10_000)).map(|()| json(&())),
        What::Stop(service, deadline) => manager.stop(service, ms(*deadline)).map(|()| json(&())),
        What::Cursor(service) => manager.log_cursor(service).map(|cursor| json(&cursor.0)),
        What::Log(service, cursor, max) => {
            let cursor = cursor.clone().map(LogCursor);
            manager
                .log_since(service, cursor.as_ref(), *max)
                .map(|lines| json(&lines))
        }
        What::Follow(service, count) => {
            let mut lines: Vec<LogLine> = Vec::new();
            let end = Instant::now() + Duration::from_secs(20);
            manager.follow(std::slice::from_ref(service), &mut |line| {
                lines.extend(line);
                lines.len() < *count && Instant::now() < end
            })?;
            Ok(json(&lines))
        }
        What::Shutdown => supervisor.shutdown(ms(10_000)).map(|()| json(&())),
    }
}

fn wants(task: &Task, shared: &[String]) -> Wants {
    Wants {
        services: task.services.clone(),
        shared: shared.to_vec(),
        seeded: Vec::new(),
        user_is_named: false,
        programs: vec![],
        history: Vec::new(),
    }
}

/// Any answer as JSON.
mod erased {
    pub trait Json {
        fn json(&self) -> serde_json::Value;
    }
    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).expect("JSON")
        }
    }
}

/// An app on a host, as a test sees it.
struct App<'a> {
    host: Host,
    controller: &'a Controller,
    /// This test's own name, by which the probe finds it.
    test: &'static str,
    deployment: Deployment,
    services: Vec<ServiceSpec>,
    root: String,
    tasks: Cell<u32>,
}

impl<'a> App<'a> {
    fn new(
        host: Host,
        controller: &'a Controller,
        test: &'static str,
        manager: ServiceManagerKind,
        root: &str,
    ) -> Self {
        let this = std::env::current_exe().expect("this binary");
        for (from, to) in [
            (this.as_path(), PROBE),
            (env!("CARGO_BIN_EXE_ship").as_ref(), SHIP),
        ] {
            if !host.exists(to) {
                host.write(to, std::fs::read(from).expect("a binary"));
                host.sh(&format!("chmod 755 {to}"));
            }
        }
        let deployment = Deployment {
            app: "shop".try_into().expect("a name"),
            environment: "production".try_into().expect("a name"),
            root: Some(root.to_owned()),
            manager,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        };
        let services = vec![service("web")];
        Self {
            host,
            controller,
            test,
            deployment,
            services,
            root: root.replace("~/", "/home/deploy/"),
            tasks: Cell::new(0),
        }
    }

    /// Runs a task on the host as `user`, in an ssh session of its own.
    #[track_caller]
    fn run<T: for<'de> Deserialize<'de>>(&self, user: &str, what: What) -> Result<T, Failure> {
        let number = self.tasks.replace(self.tasks.get() + 1);
        let file = format!("/opt/task-{number}.json");
        let task = Task {
            deployment: self.deployment.clone(),
            services: self.services.clone(),
            what,
        };
        self.host
            .write(&file, serde_json::to_vec(&task).expect("JSON"));
        let run = self.controller.ssh(
            &format!("{user}@{}", self.host.name()),
            &format!("{TASK}={file} {PROBE} --exact {} --nocapture", self.test),
        );
        let answer = run
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("RESULT "));
        let answer = answer.unwrap_or_else(|| panic!("no answer\n{run}"));
        let answer: Result<serde_json::Value, Failure> =
            serde_json::from_str(answer).expect("an answer");
        answer.map(|value| serde_json::from_value(value).expect("an answer of this type"))
    }

    #[track_caller]
    fn ok<T: for<'de> Deserialize<'de>>(&self, what: What) -> T {
        match self.run("deploy", what) {
            Ok(answer) => answer,
            Err(failure) => panic!("{failure:#?}"),
        }
    }

    #[track_caller]
    fn fails(&self, what: What) -> Failure {
        self.run::<serde_json::Value>("deploy", what)
            .expect_err("this cannot work")
    }

    #[track_caller]
    fn setup(&self, user: &str, dry_run: bool) -> Vec<String> {
        let shared = ["uploads", "data/db.sqlite3"].map(str::to_owned).to_vec();
        let what = What::Setup {
            shared,
            login: "deploy".to_owned(),
            dry_run,
        };
        match self.run(user, what) {
            Ok(changes) => changes,
            Err(failure) => panic!("{failure:#?}"),
        }
    }

    #[track_caller]
    fn status(&self) -> ServiceStatus {
        self.ok(What::Status(web()))
    }

    /// The text of the lines after `cursor`.
    #[track_caller]
    fn log(&self, cursor: Option<&str>) -> Vec<String> {
        let lines: Vec<LogLine> = self.ok(What::Log(web(), cursor.map(str::to_owned), 100));
        lines.into_iter().map(|line| line.text).collect()
    }

    /// Makes a release as staging does, owned by the deploying user, and flips to it.
    fn release(&self, id: &str, command: &str) {
        let root = &self.root;
        let launcher = format!(
            "#!/bin/sh\ncd -P {root}/releases/{id} || exit 1\n\
             set -a; . {root}/releases/{id}/.ship/env; set +a; unset SHIP_ENV\n\
             echo \"$$ {id}\" > \"$RUNTIME_DIRECTORY/release\"\n{command}\n"
        );
        let folder = format!("{root}/releases/{id}/.ship");
        self.host.write(&format!("{folder}/run/web"), launcher);
        let env = [("GREETING", NASTY), ("EMPTY", "")];
        self.host.write(
            &format!("{folder}/env"),
            env_file::write(env).expect("an env file"),
        );
        self.host.sh(&format!(
            "chmod 555 {folder}/run/web; chmod 640 {folder}/env; chown -R deploy {root}/releases; \
             chgrp $(stat -c %g {root}/releases) {folder}/env"
        ));
        self.flip(id);
    }

    fn flip(&self, id: &str) {
        let root = &self.root;
        self.host.sh_as(
            "deploy",
            &format!("ln -sfn releases/{id} {root}/.next; mv -T {root}/.next {root}/current"),
        );
    }

    /// The status while the service waits for its next restart.
    #[track_caller]
    fn crashed(&self) -> ServiceStatus {
        within(Duration::from_secs(30), "a crash to be seen", || {
            let status = self.status();
            (status.state.as_str() == "restarting" && status.restarts > 0).then_some(status)
        })
    }

    fn main_pid(&self) -> u32 {
        self.status().main_pid.expect("a main process")
    }

    /// What every service manager must do with releases, `runtime` being `$RUNTIME_DIRECTORY`.
    fn lives_through_releases(&self, runtime: &str) {
        self.release(
            "v1",
            "printf '%s\\n' \"v1 says $GREETING$EMPTY\"; exec sleep 1000",
        );
        let cursor: String = self.ok(What::Cursor(web()));
        self.ok::<()>(What::Restart(web(), 10_000));
        let first = self.status();
        assert_eq!(
            (first.state.as_str(), first.restarts),
            ("running", 0),
            "{first:?}"
        );
        let pid = first.main_pid.expect("a main process");
        assert_eq!(first.pids, [pid]);
        assert!(
            first.memory.is_some_and(|bytes| bytes > 10_000),
            "{first:?}"
        );
        assert!(first.uptime_ms.is_some_and(|ms| ms < 20_000), "{first:?}");
        eventually("v1 to say who it is", || {
            self.host.exists(&format!("{runtime}/release"))
                && self.host.read(&format!("{runtime}/release")) == format!("{pid} v1\n")
        });
        // The variable came through the file as it was, line ends and all.
        let said = format!("v1 says {NASTY}");
        eventually("v1 to have said all", || {
            self.log(Some(&cursor)).join("\n").len() >= said.len()
        });
        assert_eq!(self.log(Some(&cursor)).join("\n"), said);
        self.ok::<()>(What::Start(web()));
        assert_eq!(self.main_pid(), pid, "start restarted what ran");

        // A release that dies shows as such, and says why; the lines of the old one are not its.
        self.release("v2", "echo v2 dies; sleep 0.2; exit 7");
        let cursor: String = self.ok(What::Cursor(web()));
        let _ = self.run::<()>("deploy", What::Restart(web(), 10_000));
        let crashed = self.crashed();
        assert_eq!(crashed.last_exit.as_deref(), Some("exit code 7"));
        assert_eq!(crashed.main_pid, None);
        let said = self.log(Some(&cursor));
        assert!(
            said.len() > 1 && said.iter().all(|line| line == "v2 dies"),
            "{said:?}"
        );

        // Back to v1: a new start, nothing remembered of the crashes. A start, too, is one that was
        // asked for, not the restart that the service manager had planned.
        let mut again = first.clone();
        for what in [What::Start(web()), What::Restart(web(), 10_000)] {
            self.flip("v2");
            let _ = self.run::<()>("deploy", What::Restart(web(), 10_000));
            self.crashed();
            self.flip("v1");
            self.ok::<()>(what);
            again = self.status();
            assert_eq!(
                (again.state.as_str(), again.restarts),
                ("running", 0),
                "{again:?}"
            );
        }
        assert_ne!(again.invocation, first.invocation);
        assert!(again.invocation.is_some_and(|id| id.len() == 32));

        // A process that is killed comes back by itself.
        let killed = self.main_pid();
        self.host.sh(&format!("kill -KILL {killed}"));
        let back = within(Duration::from_secs(20), "the service to come back", || {
            Some(self.status()).filter(|s| s.main_pid.is_some_and(|pid| pid != killed))
        });
        assert_eq!(back.restarts, 1);

        self.ok::<()>(What::Stop(web(), 10_000));
        assert_eq!(self.status().state.as_str(), "stopped");
        self.ok::<()>(What::Stop(web(), 10_000));

        // What does not stop is killed after its stop timeout, with its children; a shorter
        // deadline is kept.
        self.release(
            "v3",
            "trap : TERM; sleep 1000 & while :; do sleep 1000; done",
        );
        self.ok::<()>(What::Start(web()));
        eventually("v3 to have its children", || self.status().pids.len() == 3);
        let pids = self.status().pids;
        self.fails(What::Stop(web(), 300));
        assert!(
            !self.status().pids.is_empty(),
            "its own stop timeout was waited for"
        );
        self.ok::<()>(What::Stop(web(), 20_000));
        for pid in pids {
            assert!(!self.host.exists(&format!("/proc/{pid}")), "{pid} is left");
        }
        self.release("v4", "while sleep 0.1; do echo v4; done");
        self.ok::<()>(What::Start(web()));
        let followed: Vec<LogLine> = self.ok(What::Follow(web(), 3));
        assert!(followed.iter().all(|line| line.text == "v4") && followed.len() == 3);
        assert_eq!(self.log(None).last().map(String::as_str), Some("v4"));
    }
}

/// A value with everything in it that sh or systemd could take for something else.
const NASTY: &str = "\"two\nlines\" $HOME `id` \\n 100% 'it' #";

fn web() -> Instance {
    "web".parse().expect("a name")
}

fn service(name: &str) -> ServiceSpec {
    ServiceSpec {
        name: name.try_into().expect("a name"),
        run: Run::Shell("unused".to_owned()),
        fallback: None,
        port: None,
        env: BTreeMap::new(),
        health: HealthCheck {
            probe: None,
            timeout_ms: 10_000,
            interval_ms: 100,
            successes: 1,
            settle_ms: 0,
        },
        start_type: StartType::Simple,
        stop_timeout_ms: 8000,
    }
}

/// `systemctl restart` waits for READY=1: the deadline of the restart cut off what the health
/// timeout allows, and the release was marked bad.
#[test]
fn a_service_that_is_ready_late_is_restarted_when_its_start_is_under_way() {
    if on_the_host() {
        return;
    }
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);
    let test = "services::a_service_that_is_ready_late_is_restarted_when_its_start_is_under_way";
    let manager = ServiceManagerKind::Systemd;
    let mut app = App::new(host, &controller, test, manager, "/srv/shop");
    app.services[0].start_type = StartType::Notify;
    app.setup("root", false);
    let ready = "/srv/shop/shared/ready";
    app.release(
        "v1",
        &format!(
            "until [ -e {ready} ]; do sleep 0.1; done; systemd-notify --ready; exec sleep 1000"
        ),
    );
    for _ in 0..2 {
        app.ok::<()>(What::Restart(web(), 8_000));
        let status = app.status();
        assert_eq!(status.state.as_str(), "starting", "{status:?}");
        // One that is on its way is neither begun again nor waited for.
        app.ok::<()>(What::Start(web()));
        assert_eq!(app.status().invocation, status.invocation);
    }
    app.host.sh(&format!("touch {ready}"));
    eventually("the service to be ready", || {
        app.status().state.as_str() == "running"
    });
}

/// The findings that are not as they should be.
fn bad(findings: &[Finding]) -> Vec<String> {
    let bad = findings.iter().filter(|finding| finding.level != Level::Ok);
    bad.map(|finding| format!("{}: {}", finding.subject, finding.text))
        .collect()
}

#[test]
fn systemd_keeps_services_with_exact_rights() {
    if on_the_host() {
        return;
    }
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);
    let test = "services::systemd_keeps_services_with_exact_rights";
    // A root that needs escapes in units.
    let root = "/srv/my shops/100%";
    let mut app = App::new(host, &controller, test, ServiceManagerKind::Systemd, root);
    app.root = "/srv/shop".to_owned();
    app.deployment.root = None;

    let refused = app.fails(What::Setup {
        shared: vec![],
        login: "deploy".into(),
        dry_run: false,
    });
    assert_eq!(refused.message(), "setup of system services needs root");
    let refused = app.fails(What::Ready);
    assert_eq!(
        refused.message(),
        "this host is not set up for shop-web.service"
    );
    assert_eq!(
        refused.hint.as_deref(),
        Some("ship setup production --as root")
    );
    assert_eq!(app.status().state.as_str(), "not set up");

    let changes = [
        "created the system user shop",
        "added deploy to the group systemd-journal",
        "made the folder /srv/shop",
        "made the folder /srv/shop/ for deploy",
        "made the folder /srv/shop/runtimes for deploy",
        "made the folder /srv/shop/releases for deploy and shop alone",
        "made the folder /srv/shop/.ship for deploy and shop alone",
        "made the folder /srv/shop/shared for shop",
        "made the folder /srv/shop/shared/uploads for shop",
        "made the folder /srv/shop/shared/data for shop",
        "made the empty file /srv/shop/shared/data/db.sqlite3 for shop",
        "wrote /etc/systemd/system/shop-web.service",
        "wrote /etc/systemd/system/shop.recovery.service",
        "had systemd read its units again",
        "enabled shop-web.service: it starts at boot",
        "enabled shop.recovery.service: it starts at boot",
        "wrote /etc/sudoers.d/ship-shop",
    ];
    assert_eq!(app.setup("root", true), changes);
    assert!(!app.host.exists("/srv/shop") && !app.host.exists("/etc/sudoers.d/ship-shop"));
    assert_eq!(app.setup("root", false), changes);
    assert_eq!(app.setup("root", false), [""; 0]);
    assert_eq!(
        app.host.sh("stat -c '%U %a' /etc/sudoers.d/ship-shop"),
        "root 440"
    );
    app.ok::<()>(What::Ready);
    assert_eq!(bad(&app.ok::<Vec<Finding>>(What::Check)), [""; 0]);

    app.lives_through_releases("/run/shop-web");
    assert_eq!(
        app.host.sh(
            "mkdir -p /srv/shop/.ship/bin && cp /bin/true /srv/shop/.ship/bin/recovery; \
                 systemd-analyze verify /etc/systemd/system/shop[-.]*.service 2>&1; \
                 rm /srv/shop/.ship/bin/recovery"
        ),
        ""
    );
    app.host.sh_as(
        "shop",
        "touch /srv/shop/shared/uploads/x; ! touch /srv/shop/releases/x 2>&-",
    );

    // No launcher in the live release: systemd starts nothing, and the status says why.
    app.host.sh("mv /srv/shop/current /srv/shop/away");
    app.ok::<()>(What::Restart(web(), 10_000));
    let why = Some("not started: the live release has no launcher for it".to_owned());
    let status = app.status();
    assert_eq!((status.state.as_str(), status.last_exit), ("stopped", why));

    // Somebody else has the port, and somebody made `current` a folder.
    app.services[0].port = Some(3000);
    app.host
        .sh("systemd-run --quiet --unit=other python3 -m http.server 3000");
    eventually("the other web server", || {
        app.host.http_get(3000, "/").is_ok()
    });
    app.host.sh_as("deploy", "mkdir /srv/shop/current");
    let findings = [
        "live: /srv/shop/current is a real folder, not a link to a release",
        "port: port 3000 of service web is taken by another process (0.0.0.0:3000, user id 0)",
    ];
    assert_eq!(bad(&app.ok::<Vec<Finding>>(What::Check)), findings);
    app.host
        .sh("systemctl stop other; rmdir /srv/shop/current; mv /srv/shop/away /srv/shop/current");
    app.services[0].port = None;

    // The app comes back with the app.host.
    app.host.reboot();
    eventually("the service to run after a reboot", || {
        app.status().state.as_str() == "running"
    });

    let pid = app.main_pid();
    assert_eq!(app.host.sh(&format!("stat -c %U /proc/{pid}")), "shop");

    // Exactly these rights.
    for command in [
        "systemctl restart ssh.service",
        "systemctl stop shop-web",
        "true",
    ] {
        controller
            .ssh("deploy@web1", &format!("sudo -n {command}"))
            .code(1);
    }
    app.host
        .sh("echo 'Defaults requiretty' > /etc/sudoers.d/00-tty");
    app.ok::<()>(What::Restart(web(), 10_000));
    // The releases of this test are made by hand: setup gives them what those of a deploy have.
    app.setup("root", false);
    app.host.sh("rm /etc/sudoers.d/ship-shop");
    let refused = app.fails(What::Restart(web(), 10_000));
    assert_eq!(
        refused.message(),
        "deploy may not run: sudo systemctl restart shop-web.service"
    );
    let findings: Vec<Finding> = app.ok(What::Check);
    let first = "sudo /usr/bin/systemctl start shop-web.service (and 3 more)";
    assert_eq!(
        bad(&findings),
        [format!("rights: deploy may not run: {first}")]
    );
    assert_eq!(app.setup("root", false), ["wrote /etc/sudoers.d/ship-shop"]);
    let refused = app.fails(What::Start("worker".parse().expect("a name")));
    assert_eq!(
        refused.message(),
        "shop-worker.service is not installed on this host"
    );

    // Other services in the next release.
    let pid = app.main_pid();
    app.services = vec![service("worker")];
    app.host.write(
        "/etc/systemd/system/shop-admin-web.service",
        "# managed by ship for shop-admin\n",
    );
    let changes = [
        "wrote /etc/systemd/system/shop-worker.service",
        "had systemd read its units again",
        "enabled shop-worker.service: it starts at boot",
        "updated /etc/sudoers.d/ship-shop",
    ];
    assert_eq!(app.setup("root", false), changes);
    assert_eq!(app.setup("root", false), [""; 0]);
    // The live release goes on until the next one is there.
    assert_eq!(app.main_pid(), pid);
    app.ok::<()>(What::Restart(web(), 10_000));
    let pid = app.main_pid();
    app.host
        .sh("mv /srv/shop/current/.ship/run/web /srv/shop/current/.ship/run/worker");
    let changes = [
        "stopped, disabled and removed /etc/systemd/system/shop-web.service, which is no longer \
         wanted",
        "had systemd read its units again",
        "updated /etc/sudoers.d/ship-shop",
    ];
    assert_eq!(app.setup("root", false), changes);
    assert_eq!(app.setup("root", false), [""; 0]);
    assert!(!app.host.exists(&format!("/proc/{pid}")));
    assert!(
        app.host
            .exists("/etc/systemd/system/shop-admin-web.service")
    );

    // No sudo, somebody else's unit, a closed way: refused before anything is changed.
    app.host.write(
        "/etc/systemd/system/shop-web.service",
        "[Service]\nExecStart=/bin/true\n",
    );
    app.services = vec![service("web")];
    let all = || What::Setup {
        shared: vec![],
        login: "deploy".into(),
        dry_run: false,
    };
    let refused = app
        .run::<Vec<String>>("root", all())
        .expect_err("somebody else's unit");
    assert!(
        refused
            .message()
            .ends_with("was not written for this app by ship"),
        "{refused}"
    );
    app.host
        .sh("rm /etc/systemd/system/shop-web.service /srv/shop/current; mkdir -m 700 /srv/closed");
    app.deployment.root = Some("/srv/closed/shop".to_owned());
    let refused = app
        .run::<Vec<String>>("root", all())
        .expect_err("a closed way");
    let why = "shop cannot enter /srv/closed, which leads to the root folder /srv/closed/shop";
    assert_eq!(refused.message(), why);
    app.host.sh("mv /usr/bin/sudo /usr/bin/sudo.away");
    let refused = app.run::<Vec<String>>("root", all()).expect_err("no sudo");
    let hint = "as root on the host: apt-get install --yes sudo";
    assert_eq!(refused.hint.as_deref(), Some(hint));

    // A deploying user that is not there, and root itself: no sudo needed, escapes in the unit.
    app.host.sh("mv /usr/bin/sudo.away /usr/bin/sudo");
    app.deployment.root = Some(root.to_owned());
    app.root = root.to_owned();
    let jane = What::Setup {
        shared: vec![],
        login: "jane".into(),
        dry_run: false,
    };
    let changes: Vec<String> = app.run("root", jane).expect("jane is made");
    assert_eq!(
        changes[..2],
        [
            "created the user jane",
            "let jane in with the 1 ssh key of root"
        ]
    );
    assert_eq!(
        controller.ssh("jane@web1", "id -Gn").ok().stdout,
        "jane systemd-journal\n"
    );
    app.host.write(
        &format!("{root}/releases/v1/.ship/run/web"),
        "#!/bin/sh\necho odd, but here; exec sleep 1000\n",
    );
    app.host.sh(&format!(
        "cd '{root}'; chmod 755 releases/v1/.ship/run/web; ln -s releases/v1 current"
    ));
    app.run::<()>("jane", What::Restart(web(), 10_000))
        .expect("jane restarts");
    let status: ServiceStatus = app.run("jane", What::Status(web())).expect("a status");
    assert_eq!(status.state.as_str(), "running", "{status:?}");
}

#[test]
fn a_user_keeps_services_without_root() {
    if on_the_host() {
        return;
    }
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);
    let test = "services::a_user_keeps_services_without_root";
    let kind = ServiceManagerKind::SystemdUser;
    let mut app = App::new(host, &controller, test, kind, "~/apps/shop");

    // Without polkit, only root may enable linger; that is all that it is needed for.
    let setup = || What::Setup {
        shared: vec![],
        login: "deploy".into(),
        dry_run: false,
    };
    let refused = app.fails(setup());
    assert!(
        refused.message().contains("may not enable linger"),
        "{refused:?}"
    );
    assert_eq!(
        refused.hint.as_deref(),
        Some("as root on the host: loginctl enable-linger deploy")
    );
    assert!(!app.host.exists("/home/deploy/apps"));
    let by_root = [
        "added deploy to the group systemd-journal",
        "enabled linger: services of deploy run while nobody is logged in",
    ];
    assert_eq!(app.setup("root", false), by_root);
    assert_eq!(app.setup("root", false), [""; 0]);
    let changes = app.setup("deploy", false);
    assert_eq!(
        changes[changes.len() - 5..],
        [
            "wrote /home/deploy/.config/systemd/user/shop-web.service",
            "wrote /home/deploy/.config/systemd/user/shop.recovery.service",
            "had systemd read its units again",
            "enabled shop-web.service: it starts at boot",
            "enabled shop.recovery.service: it starts at boot",
        ]
    );
    assert_eq!(app.setup("deploy", false), [""; 0]);
    assert_eq!(bad(&app.ok::<Vec<Finding>>(What::Check)), [""; 0]);
    app.lives_through_releases("/run/user/1000/shop-web");
    app.host.reboot();
    eventually("the service to run after a reboot", || {
        app.status().state.as_str() == "running"
    });
}

#[test]
fn the_supervisor_keeps_services_anywhere() {
    if on_the_host() {
        return;
    }
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);
    let test = "services::the_supervisor_keeps_services_anywhere";
    let kind = ServiceManagerKind::Supervisor;
    // Longer than a socket's path may be.
    let root = format!("~/apps/{}", "long/".repeat(25));
    let app = App::new(host, &controller, test, kind, root.trim_end_matches('/'));
    let daemons = || {
        let found = app.host.exec("pgrep -xf '/opt/ship agent supervise .*'");
        String::from_utf8_lossy(&found.stdout)
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };

    assert_eq!(app.setup("deploy", false).len(), 9);
    assert_eq!(app.setup("deploy", false), [""; 0]);
    assert_eq!(app.status().state.as_str(), "stopped");
    assert_eq!(daemons().len(), 0, "a question started a supervisor");
    let runtime = Layout::at(&app.root).runtime_directory(&web());
    app.lives_through_releases(&runtime.to_string_lossy());
    assert_eq!(daemons().len(), 1);

    // Its supervisor is killed: the next one replaces the orphan instead of adding to it.
    app.release("v5", "exec sleep 1005");
    app.ok::<()>(What::Restart(web(), 10_000));
    let orphan = app.main_pid();
    app.host.sh(&format!("kill -KILL {}", daemons()[0]));
    let seen = app.status();
    assert_eq!(
        (seen.state.as_str(), seen.main_pid),
        ("running", Some(orphan))
    );
    app.ok::<()>(What::Restart(web(), 10_000));
    assert_ne!(app.main_pid(), orphan);
    assert_eq!(app.host.sh("pgrep -xfc 'sleep 1005'"), "1");

    // It is told to end, as at shutdown: what should run runs again with the next one.
    app.ok::<()>(What::Shutdown);
    eventually("the supervisor to end", || daemons().is_empty());
    let seen = app.status();
    assert_eq!(
        seen.last_exit.as_deref(),
        Some("its supervisor does not run"),
        "{seen:?}"
    );
    app.ok::<()>(What::Start(web()));
    assert_eq!(app.status().state.as_str(), "running");

    // Nothing to keep: it goes by itself.
    app.ok::<()>(What::Stop(web(), 10_000));
    eventually("the supervisor to go", || daemons().is_empty());
    assert_eq!(
        app.host.exec("pgrep -u deploy sleep").status.code(),
        Some(1)
    );
    let failure = {
        app.host.sh(&format!("rm {}/current", app.root));
        app.fails(What::Restart(web(), 10_000))
    };
    assert!(
        failure
            .message()
            .ends_with("current/.ship/run/web does not exist"),
        "{failure}"
    );
}
