use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::agent::Layout;
use crate::agent::service::unit::units;
use crate::model::service::{HealthCheck, Run, StartType};
use crate::model::{Deployment, ServiceManagerKind, ServiceSpec};

/// What setup wrote for these facts before environments were read by the launcher.
const OF_AN_OLDER_SHIP: &str = "\
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
EnvironmentFile=-/srv/shop/current/.ship/env
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
";

#[derive(Debug, Clone)]
struct Said {
    manager: ServiceManagerKind,
    user: String,
    root: String,
    port: Option<u16>,
    is_notify: bool,
    health_ms: u64,
    stop_ms: u64,
}

impl Said {
    fn usual() -> Self {
        Self {
            manager: ServiceManagerKind::Systemd,
            user: "shop".to_owned(),
            root: "/srv/shop".to_owned(),
            port: Some(3000),
            is_notify: false,
            health_ms: 30_000,
            stop_ms: 10_000,
        }
    }

    fn unit(&self) -> String {
        let deployment = Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: None,
            manager: self.manager,
            user: self.user.clone(),
            readable_by: Vec::new(),
        };
        let service = ServiceSpec {
            name: "web".try_into().unwrap(),
            run: Run::Shell("node server.js".to_owned()),
            fallback: None,
            port: self.port,
            env: BTreeMap::new(),
            health: HealthCheck {
                probe: None,
                timeout_ms: self.health_ms,
                interval_ms: 500,
                successes: 2,
                settle_ms: 5000,
            },
            start_type: match self.is_notify {
                true => StartType::Notify,
                false => StartType::Simple,
            },
            stop_timeout_ms: self.stop_ms,
        };
        let layout = Layout::at(&self.root);
        units(&deployment, &layout, &[service]).remove(0).text
    }
}

fn said() -> impl Strategy<Value = Said> {
    (
        prop::sample::select(vec![
            ServiceManagerKind::Systemd,
            ServiceManagerKind::SystemdUser,
        ]),
        "[a-z_][a-z0-9_-]{0,6}",
        "/[ -~]{1,12}/x",
        prop::option::of(any::<u16>()),
        any::<bool>(),
        1_u64..10_000_000,
        0_u64..10_000_000,
    )
        .prop_map(
            |(manager, user, root, port, is_notify, health_ms, stop_ms)| Said {
                manager,
                user,
                root,
                port,
                is_notify,
                health_ms,
                stop_ms,
            },
        )
}

/// The names of the manifest's settings in which the units differ.
fn of_the_manifest(found: &str, wanted: &str) -> Vec<String> {
    differences(found, wanted)
        .into_iter()
        .filter(Difference::is_of_the_manifest)
        .map(|difference| difference.name)
        .collect()
}

/// The same unit as another hand might have written it: its sections' lines in reverse order, with
/// comments and spaces.
fn rewritten(unit: &str) -> String {
    let sections = unit.split("\n[").map(|section| {
        let mut lines = section.lines();
        let head = lines.next().unwrap_or_default();
        let body: Vec<_> = lines.filter(|line| !line.starts_with('#')).collect();
        let body = body.iter().rev().map(|line| match line.split_once('=') {
            Some((name, value)) => format!("; a comment\n  {name} =   {value}\n"),
            None => format!("{line}\n"),
        });
        format!("{head}\n{}", body.collect::<String>())
    });
    sections.collect::<Vec<_>>().join("\n[")
}

proptest! {
    /// A unit that setup has just written needs no setup, whatever the manifest says.
    #[test]
    fn a_unit_is_as_the_manifest_says_in_any_order_and_spelling(said in said()) {
        let unit = said.unit();
        prop_assert_eq!(differences(&unit, &unit), []);
        prop_assert_eq!(differences(&rewritten(&unit), &unit), []);
    }

    /// Whatever the manifest says otherwise is found.
    #[test]
    fn another_manifest_is_another_unit(one in said(), stop_ms in 0_u64..10_000_000) {
        let other = Said { stop_ms, ..one.clone() };
        let expected: &[&str] = match one.stop_ms == stop_ms {
            true => &[],
            false => &["TimeoutStopSec"],
        };
        prop_assert_eq!(of_the_manifest(&one.unit(), &other.unit()), expected);
    }
}

#[test]
fn each_setting_of_the_manifest_is_named() {
    let usual = Said::usual();
    let found = usual.unit();
    let is = |said: Said| of_the_manifest(&found, &said.unit());
    let with = |change: fn(&mut Said)| {
        let mut said = usual.clone();
        change(&mut said);
        is(said)
    };
    assert_eq!(with(|it| it.stop_ms = 77_000), ["TimeoutStopSec"]);
    assert_eq!(with(|it| it.user = "www-data".to_owned()), ["User"]);
    assert_eq!(with(|it| it.port = Some(82)), ["AmbientCapabilities"]);
    assert_eq!(with(|it| it.port = Some(8080)), [""; 0]);
    assert_eq!(with(|it| it.is_notify = true), ["Type"]);
    assert_eq!(with(|it| it.root = "/srv/other".to_owned()), ["ExecStart"]);
    // Only the proof has that limit.
    assert_eq!(with(|it| it.health_ms = 3_600_000), [""; 0]);

    let slow = |health_ms| Said {
        is_notify: true,
        health_ms,
        ..usual.clone()
    };
    let found = slow(30_000).unit();
    let wanted = slow(3_600_000).unit();
    assert_eq!(of_the_manifest(&found, &wanted), ["TimeoutStartSec"]);
}

#[test]
fn a_unit_of_an_older_ship_says_what_the_manifest_says() {
    let usual = Said::usual();
    assert_eq!(of_the_manifest(OF_AN_OLDER_SHIP, &usual.unit()), [""; 0]);
    let other = Said {
        stop_ms: 77_000,
        ..usual
    };
    let found = differences(OF_AN_OLDER_SHIP, &other.unit());
    let stop = found.iter().find(|it| it.name == "TimeoutStopSec").unwrap();
    assert_eq!(
        (stop.found.as_deref(), stop.wanted.as_deref()),
        (Some("10s"), Some("77s"))
    );
}

#[test]
fn what_means_the_same_is_the_same() {
    let differ = |found: &str, wanted: &str| {
        let section = |lines: &str| format!("[Service]\n{lines}\n");
        !differences(&section(found), &section(wanted)).is_empty()
    };
    for (found, wanted) in [
        ("TimeoutStopSec=1min 17s", "TimeoutStopSec=77s"),
        ("TimeoutStopSec=77", "TimeoutStopSec=77000ms"),
        ("TimeoutSec=5", "TimeoutStartSec=5s\nTimeoutStopSec=5s"),
        ("PrivateTmp=true", "PrivateTmp=yes"),
        ("User=a\nUser=b", "User=b"),
        ("User=a\nUser=", ""),
        ("ExecStart=/bin/a \\\n  b", "ExecStart=/bin/a    b"),
        (
            "AmbientCapabilities=A B",
            "AmbientCapabilities=B\nAmbientCapabilities=A",
        ),
    ] {
        assert!(!differ(found, wanted), "{found:?} is not {wanted:?}");
    }
    for (found, wanted) in [
        ("TimeoutStopSec=infinity", "TimeoutStopSec=77s"),
        ("TimeoutStopSec=77min", "TimeoutStopSec=77s"),
        ("User=a", "#User=a"),
        ("User=yes", "User=a"),
        (
            "AmbientCapabilities=A\nAmbientCapabilities=",
            "AmbientCapabilities=A",
        ),
    ] {
        assert!(differ(found, wanted), "{found:?} is {wanted:?}");
    }
}
