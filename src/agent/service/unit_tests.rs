use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::*;
use crate::model::service::{HealthCheck, Run};

fn deployment(manager: ServiceManagerKind) -> Deployment {
    Deployment {
        app: "shop".try_into().unwrap(),
        environment: "production".try_into().unwrap(),
        root: None,
        manager,
        user: "shop".to_owned(),
        readable_by: Vec::new(),
    }
}

fn service(name: &str) -> ServiceSpec {
    ServiceSpec {
        name: name.try_into().unwrap(),
        run: Run::Shell("node server.js".to_owned()),
        fallback: None,
        port: Some(3000),
        env: BTreeMap::new(),
        health: HealthCheck {
            probe: None,
            timeout_ms: 30_000,
            interval_ms: 500,
            successes: 2,
            settle_ms: 5000,
        },
        start_type: StartType::Simple,
        stop_timeout_ms: 10_000,
    }
}

fn text(deployment: &Deployment, root: &str, service: &ServiceSpec) -> String {
    let units = units(deployment, &Layout::at(root), std::slice::from_ref(service));
    units[0].text.clone()
}

#[test]
fn a_system_unit() {
    let text = text(
        &deployment(ServiceManagerKind::Systemd),
        "/srv/shop",
        &service("web"),
    );
    assert_snapshot!(text, @r##"
    # managed by ship for shop
    # Written by `ship setup production`, which overwrites changes. What runs is in the release.
    [Unit]
    Description=shop: web (production)
    ConditionPathExists=/srv/shop/current/.ship/run/web
    # A service is never given up: when its database is back, so is the service.
    StartLimitIntervalSec=0
    Wants=shop.recovery.service
    After=shop.recovery.service
    After=network-online.target
    Wants=network-online.target
    RequiresMountsFor=/srv/shop

    [Service]
    User=shop
    Type=exec
    ExecStart=/srv/shop/current/.ship/run/web
    RuntimeDirectory=shop-web
    RuntimeDirectoryMode=0755
    Restart=always
    RestartSec=1
    KillMode=mixed
    TimeoutStopSec=10s
    StandardOutput=journal
    StandardError=journal
    SyslogIdentifier=shop-web
    NoNewPrivileges=yes
    PrivateTmp=yes
    ProtectSystem=full
    ProtectHome=yes

    [Install]
    WantedBy=multi-user.target
    "##);
}

#[test]
fn a_user_unit_with_notify() {
    let mut spec = service("worker");
    spec.start_type = StartType::Notify;
    spec.stop_timeout_ms = 1500;
    let manager = ServiceManagerKind::SystemdUser;
    let text = text(&deployment(manager), "/home/deploy/apps/shop", &spec);
    assert_snapshot!(text, @r##"
    # managed by ship for shop
    # Written by `ship setup production`, which overwrites changes. What runs is in the release.
    [Unit]
    Description=shop: worker (production)
    ConditionPathExists=/home/deploy/apps/shop/current/.ship/run/worker
    # A service is never given up: when its database is back, so is the service.
    StartLimitIntervalSec=0
    Wants=shop.recovery.service
    After=shop.recovery.service

    [Service]
    Type=notify
    NotifyAccess=all
    TimeoutStartSec=15min
    ExecStart=/home/deploy/apps/shop/current/.ship/run/worker
    RuntimeDirectory=shop-worker
    RuntimeDirectoryMode=0755
    Restart=always
    RestartSec=1
    KillMode=mixed
    TimeoutStopSec=1500ms
    StandardOutput=journal
    StandardError=journal
    SyslogIdentifier=shop-worker
    NoNewPrivileges=yes

    [Install]
    WantedBy=default.target
    "##);
}

#[test]
fn a_start_may_take_as_long_as_its_proof() {
    let mut spec = service("worker");
    spec.start_type = StartType::Notify;
    for (health_ms, expected) in [(900_000, "15min"), (1_800_000, "1800s")] {
        spec.health.timeout_ms = health_ms;
        let text = text(&deployment(ServiceManagerKind::Systemd), "/srv/shop", &spec);
        let line = format!("\nTimeoutStartSec={expected}\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn odd_roots_are_escaped_and_stay_usable() {
    let mut spec = service("web");
    spec.port = Some(80);
    let mut deployment = deployment(ServiceManagerKind::Systemd);
    let odd = text(&deployment, r#"/home/a b/100%/"x"\y/$z"#, &spec);
    assert_snapshot!(odd, @r##"
    # managed by ship for shop
    # Written by `ship setup production`, which overwrites changes. What runs is in the release.
    [Unit]
    Description=shop: web (production)
    ConditionPathExists=/home/a b/100%%/"x"\y/$z/current/.ship/run/web
    # A service is never given up: when its database is back, so is the service.
    StartLimitIntervalSec=0
    Wants=shop.recovery.service
    After=shop.recovery.service
    After=network-online.target
    Wants=network-online.target
    RequiresMountsFor="/home/a b/100%%/\"x\"\\y/$z"

    [Service]
    User=shop
    Type=exec
    ExecStart="/home/a b/100%%/\"x\"\\y/$z/current/.ship/run/web"
    RuntimeDirectory=shop-web
    RuntimeDirectoryMode=0755
    Restart=always
    RestartSec=1
    KillMode=mixed
    TimeoutStopSec=10s
    StandardOutput=journal
    StandardError=journal
    SyslogIdentifier=shop-web
    NoNewPrivileges=yes
    PrivateTmp=yes
    ProtectSystem=full
    AmbientCapabilities=CAP_NET_BIND_SERVICE

    [Install]
    WantedBy=multi-user.target
    "##);

    deployment.user = "web".to_owned();
    let below_usr = text(&deployment, "/usr/local/apps/shop", &service("web"));
    assert!(below_usr.contains("\nReadWritePaths=-/usr/local/apps/shop/shared\n"));
    assert!(!below_usr.contains("ProtectHome"), "{below_usr}");
}

#[test]
fn the_recovery_of_the_system_and_of_a_user() {
    let text = |manager, root: &str| {
        let unit = recovery(&deployment(manager), &Layout::at(root), "deploy").unwrap();
        assert_eq!(unit.name, "shop.recovery.service");
        unit.text
    };
    assert_snapshot!(text(ServiceManagerKind::Systemd, "/srv/my shop"), @r##"
    # managed by ship for shop
    # Written by `ship setup production`, which overwrites changes.
    [Unit]
    Description=shop: recovery after a power cut (production)
    ConditionPathExists=/srv/my shop/.ship/journal.jsonl
    ConditionFileIsExecutable=/srv/my shop/.ship/bin/recovery
    RequiresMountsFor="/srv/my shop"

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    User=deploy
    ExecStart="/srv/my shop/.ship/bin/recovery" agent recover "/srv/my shop"
    TimeoutStartSec=30s

    [Install]
    WantedBy=multi-user.target
    "##);
    let text = text(ServiceManagerKind::SystemdUser, "/home/deploy/apps/shop");
    assert!(!text.contains("User="), "{text}");
    assert!(text.ends_with("WantedBy=default.target\n"), "{text}");
}

#[test]
fn the_supervisor_has_no_units() {
    let deployment = deployment(ServiceManagerKind::Supervisor);
    assert_eq!(
        units(&deployment, &Layout::at("/srv/shop"), &[service("web")]),
        []
    );
}

#[test]
fn sudoers_lines_are_exact() {
    let app = "shop".try_into().unwrap();
    let services = ["web".parse().unwrap(), "worker".parse().unwrap()];
    let text = sudoers(
        &app,
        &services,
        "deploy",
        Some("shop"),
        "/usr/bin/systemctl",
    );
    assert_snapshot!(text, @r##"
    # managed by ship for shop
    # Lets deploy start and stop the services of shop, and run commands as shop: what
    # deploy deploys runs as shop anyway.
    Defaults:deploy !requiretty
    deploy ALL=(shop) NOPASSWD: ALL
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl start shop-web.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl stop shop-web.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart shop-web.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl reset-failed shop-web.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl start shop-worker.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl stop shop-worker.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart shop-worker.service
    deploy ALL=(root) NOPASSWD: /usr/bin/systemctl reset-failed shop-worker.service
    "##);
}
