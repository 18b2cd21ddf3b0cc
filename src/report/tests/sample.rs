//! One of each event, as `docs/events.md` shows them.

use crate::model::event::{
    Diagnosis, Event, HostEvent, HostOutcome, Outcome, Phase, PlannedHost, Verb,
};
use crate::model::{Failure, FailureKind, ReleaseId};

use super::say::{host, on, service, started};

const WEB1: &str = "deploy@web1.example.com";

fn release(number: u32) -> ReleaseId {
    ReleaseId(number)
}

/// One of each, in the order of `model/event.rs`.
pub fn events() -> Vec<Event> {
    let step = || "npm ci".to_owned();
    vec![
        started(&[WEB1, "deploy@web2.example.com"]),
        Event::Note {
            text: "test steps are skipped".to_owned(),
        },
        Event::Warning {
            text: "2 files are changed but not committed".to_owned(),
            hint: Some("commit them first".to_owned()),
        },
        Event::StepStarted {
            phase: Phase::Build,
            name: step(),
        },
        Event::StepOutput {
            phase: Phase::Build,
            name: step(),
            line: "added 312 packages in 4s".to_owned(),
        },
        Event::StepFinished {
            phase: Phase::Build,
            name: step(),
            ok: false,
            why: Some("exit code 1".to_owned()),
            is_stopped: false,
            ms: 4_100,
            log: Some(".ship/logs/build-1-npm-ci.log".to_owned()),
        },
        Event::Waiting {
            text: "fetching node 20.11.1".to_owned(),
            done: Some(12_000_000),
            total: Some(25_000_000),
        },
        Event::Waited {
            text: "fetching node 20.11.1".to_owned(),
            bytes: Some(25_000_000),
            ms: 2_200,
        },
        Event::RoundTrip {
            host: host(WEB1),
            what: "facts".to_owned(),
            ms: 12,
        },
        Event::Planned {
            release: release(42),
            hosts: vec![PlannedHost {
                host: host(WEB1),
                from: Some(release(41)),
                wave: 1,
                services: vec![service("web")],
                runtimes: vec!["node 20.11.1".to_owned()],
            }],
            before: vec!["migrate".to_owned()],
            after: vec![],
            watch_ms: 60_000,
        },
        on(WEB1, HostEvent::Reconnecting),
        Event::Unchanged {
            release: release(42),
        },
        Event::Numbered {
            release: release(42),
        },
        Event::Reverting {
            release: release(42),
            host: host(WEB1),
            activated: true,
        },
        Event::Finished {
            outcome: Outcome {
                verb: Verb::Deployed,
                release: Some(release(42)),
                hosts: vec![HostOutcome {
                    host: host(WEB1),
                    was: Some(release(41)),
                    is: Some(release(42)),
                    healthy: Some(true),
                    why: None,
                    unanswered_ms: None,
                    by_hand: Vec::new(),
                }],
                ms: 3_240,
                sent: 48_000,
                unanswered_ms: Some(0),
            },
        },
        Event::Done,
        Event::Failed {
            failure: Failure::new(
                FailureKind::NeedsPerson,
                "v42 failed on web1.example.com, and v41 is not healthy there either",
            )
            .detail("no answer within 30s")
            .hint("ship status production tells when it serves again"),
            outcome: Some(Outcome {
                verb: Verb::Reverted,
                release: Some(release(42)),
                hosts: vec![HostOutcome {
                    host: host(WEB1),
                    was: Some(release(41)),
                    is: Some(release(41)),
                    healthy: Some(false),
                    why: Some("put back to v41, which does not answer".to_owned()),
                    unanswered_ms: None,
                    by_hand: vec!["ssh deploy@web1.example.com journalctl -u shop-web".to_owned()],
                }],
                ms: 38_100,
                sent: 48_000,
                unanswered_ms: None,
            }),
            exit: 8,
        },
    ]
}

/// One of each that happens on a host, in the order of `model/event.rs`.
pub fn host_events() -> Vec<HostEvent> {
    let hook = || "migrate".to_owned();
    let web = || service("web");
    vec![
        HostEvent::Connected {
            agent_sent: true,
            current: Some(release(41)),
            ms: 640,
        },
        HostEvent::Reconnecting,
        HostEvent::Reconnected { ms: 2_500 },
        HostEvent::Waiting {
            text: "the deploy that ann@laptop began at 10:31".to_owned(),
        },
        HostEvent::Transferring {
            done: 12_100_000,
            total: 40_000_000,
            sent: 3_900_000,
            runtime: None,
        },
        HostEvent::Staged {
            release: release(42),
            files: 412,
            files_sent: 3,
            sent: 48_000,
            reused: 12_000_000,
            ms: 210,
        },
        HostEvent::HookStarted { name: hook() },
        HostEvent::HookOutput {
            name: hook(),
            line: "applied 0042_add_cart".to_owned(),
        },
        HostEvent::HookFinished {
            name: hook(),
            ok: true,
            why: None,
            is_stopped: false,
            ms: 1_900,
        },
        HostEvent::Flipped {
            from: Some(release(41)),
            to: release(42),
        },
        HostEvent::Stopped {
            service: service("mailer"),
        },
        HostEvent::Restarted {
            service: web(),
            ms: 180,
        },
        HostEvent::Proving {
            service: web(),
            seen: "200, 1 of 2".to_owned(),
        },
        HostEvent::Proven {
            service: web(),
            ms: 1_200,
            unanswered_ms: Some(40),
            answered: true,
        },
        HostEvent::Unproven {
            diagnosis: Diagnosis {
                service: web(),
                release: Some(release(42)),
                reason: "the process exited with code 1 after 0.2s, 3 restarts".to_owned(),
                facts: vec!["nothing listens on port 3000".to_owned()],
                log: vec!["Error: Cannot find module './config'".to_owned()],
            },
        },
        HostEvent::Watching {
            release: release(42),
            ms: 60_000,
            left_ms: 45_000,
            bad: Some("web: answered 500 Internal Server Error, 1 of 3".to_owned()),
        },
        HostEvent::Watched {
            release: release(42),
            ms: 61_200,
        },
        HostEvent::Reverted {
            to: Some(release(41)),
            healthy: true,
            unanswered_ms: Some(35_100),
        },
        HostEvent::Pruned {
            releases: vec![release(35), release(36)],
        },
        HostEvent::Changed {
            text: "created the system user shop".to_owned(),
        },
        HostEvent::Note {
            text: "systemd 252".to_owned(),
        },
        HostEvent::Warning {
            text: "the disk is 91% full".to_owned(),
        },
    ]
}
