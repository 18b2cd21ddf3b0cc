//! Commands as the engine would tell them.

use crate::model::event::{Diagnosis, Event, HostEvent, Outcome, Phase, Verb};
use crate::model::{Failure, FailureKind, ReleaseId};

use super::Tape;
use super::say::*;

/// Build and test, which went well.
fn built() -> Tape {
    let npm = "npm ci";
    vec![
        (20, began(Phase::Build, npm)),
        (900, said(Phase::Build, npm, "added 312 packages in 4s")),
        (4_120, ended(Phase::Build, npm, 4_100, None)),
        (4_120, began(Phase::Test, "npm test")),
        (
            4_800,
            said(Phase::Test, "npm test", "\x1b[32m✓\x1b[0m 48 tests passed"),
        ),
        (5_300, ended(Phase::Test, "npm test", 1_180, None)),
    ]
}

/// One host, from the next number to a healthy service.
fn activated(name: &str) -> Tape {
    let web = || service("web");
    vec![
        (
            5_600,
            on(
                name,
                HostEvent::Staged {
                    release: ReleaseId(42),
                    files: 412,
                    files_sent: 3,
                    sent: 48_000,
                    reused: 12_000_000,
                    ms: 210,
                },
            ),
        ),
        (
            5_700,
            on(
                name,
                HostEvent::Flipped {
                    from: Some(ReleaseId(41)),
                    to: ReleaseId(42),
                },
            ),
        ),
        (
            5_900,
            on(
                name,
                HostEvent::Restarted {
                    service: web(),
                    ms: 180,
                },
            ),
        ),
        (
            6_100,
            on(
                name,
                HostEvent::Proving {
                    service: web(),
                    seen: "200, 1 of 2".to_owned(),
                },
            ),
        ),
    ]
}

fn proven(name: &str, unanswered_ms: u64) -> Event {
    on(
        name,
        HostEvent::Proven {
            service: service("web"),
            ms: 1_200,
            unanswered_ms: Some(unanswered_ms),
            answered: true,
        },
    )
}

fn crashed() -> Diagnosis {
    Diagnosis {
        service: service("web"),
        release: Some(ReleaseId(42)),
        reason: "the process exited with code 1 after 0.2s, 3 restarts".to_owned(),
        facts: vec![
            "GET http://127.0.0.1:3000/healthz: connection refused".to_owned(),
            "nothing listens on port 3000".to_owned(),
        ],
        log: vec![
            "node:internal/modules/cjs/loader:1143".to_owned(),
            "Error: Cannot find module './config'".to_owned(),
        ],
    }
}

const WEB1: &str = "deploy@web1.example.com";
const WEB2: &str = "deploy@web2.example.com";
const WEB3: &str = "deploy@web3.example.com";

pub fn good_single() -> Tape {
    let mut tape = vec![(0, started(&[WEB1]))];
    tape.extend(built());
    tape.insert(2, (60, connected(WEB1, Some(41))));
    tape.push((
        5_310,
        Event::Numbered {
            release: ReleaseId(42),
        },
    ));
    tape.extend(activated(WEB1));
    tape.push((7_100, proven(WEB1, 40)));
    tape.push((
        7_200,
        on(
            WEB1,
            HostEvent::Pruned {
                releases: vec![ReleaseId(36)],
            },
        ),
    ));
    let outcome = outcome(Verb::Deployed, 42, vec![row(WEB1, 41, 42, true)]);
    tape.push((7_300, Event::Finished { outcome }));
    tape
}

pub fn good_three() -> Tape {
    let mut tape = vec![(0, started(&[WEB1, WEB2, WEB3]))];
    for (at, name) in [(50, WEB1), (55, WEB3), (70, WEB2)] {
        tape.push((at, connected(name, Some(41))));
    }
    tape.push((
        80,
        Event::Warning {
            text: "2 files are changed but not committed".to_owned(),
            hint: Some("commit them, so that v42 can be told from its commit".to_owned()),
        },
    ));
    tape.extend(built());
    tape.push((
        5_310,
        Event::Numbered {
            release: ReleaseId(42),
        },
    ));
    tape.extend(activated(WEB1));
    tape.extend(activated(WEB2));
    tape.sort_by_key(|(at, _)| *at);
    for (at, done) in [
        (6_200, 0),
        (8_000, 14_000_000),
        (9_300, 24_800_000),
        (10_000, 30_000_000),
    ] {
        tape.push((at, sending(WEB3, done)));
    }
    tape.extend(
        activated(WEB3)
            .into_iter()
            .map(|(at, event)| (at + 6_000, event)),
    );
    for (at, name) in [(13_000, WEB1), (13_001, WEB2), (13_002, WEB3)] {
        tape.push((at, proven(name, 0)));
    }
    let rows = [WEB1, WEB2, WEB3].map(|name| row(name, 41, 42, true));
    let outcome = Outcome {
        unanswered_ms: Some(0),
        sent: 10_096_000,
        ms: 13_100,
        ..outcome(Verb::Deployed, 42, rows.to_vec())
    };
    tape.push((13_100, Event::Finished { outcome }));
    tape
}

pub fn failed_build() -> Tape {
    let step = "npm run build";
    let mut tape = vec![
        (0, started(&[WEB1, WEB2])),
        (20, began(Phase::Build, step)),
        (60, connected(WEB1, Some(41))),
        (61, connected(WEB2, Some(41))),
    ];
    for line in [
        "> shop@1.0.0 build",
        "",
        "\x1b[96msrc/cart.ts\x1b[0m:3:7 - error TS2322: Type 'string' is not assignable",
    ] {
        tape.push((900, said(Phase::Build, step, line)));
    }
    tape.push((2_400, ended(Phase::Build, step, 2_380, Some("exit code 2"))));
    let failure = Failure::new(
        FailureKind::Build,
        "build step `npm run build` failed: exit code 2",
    )
    .detail("no host was touched")
    .hint("ship build runs the steps alone");
    tape.push((
        2_410,
        Event::Failed {
            failure,
            outcome: None,
            exit: 4,
        },
    ));
    tape
}

pub fn reverted() -> Tape {
    let mut tape = vec![
        (0, started(&[WEB1, WEB2])),
        (60, connected(WEB1, Some(41))),
        (61, connected(WEB2, Some(41))),
    ];
    tape.extend(activated(WEB1));
    tape.push((
        6_400,
        on(
            WEB1,
            HostEvent::Unproven {
                diagnosis: crashed(),
            },
        ),
    ));
    tape.push((
        6_410,
        Event::Reverting {
            release: ReleaseId(42),
            host: host(WEB1),
            activated: true,
        },
    ));
    tape.push((
        8_000,
        on(
            WEB1,
            HostEvent::Reverted {
                to: Some(ReleaseId(41)),
                healthy: true,
                unanswered_ms: Some(2_150),
            },
        ),
    ));
    let failure = Failure::new(
        FailureKind::Reverted,
        "v42 is not healthy on web1.example.com; v41 is serving everywhere",
    )
    .hint("ship logs web shows more of its log");
    let mut first = row(WEB1, 41, 41, true);
    first.why = Some("put back: web of v42 was not healthy".to_owned());
    first.unanswered_ms = Some(2_150);
    let mut second = row(WEB2, 41, 41, true);
    second.why = Some("not switched: web1.example.com came first".to_owned());
    tape.push((
        8_100,
        Event::Failed {
            failure,
            outcome: Some(outcome(Verb::Reverted, 42, vec![first, second])),
            exit: 7,
        },
    ));
    tape
}

pub fn needs_person() -> Tape {
    let mut tape = vec![
        (0, started(&[WEB1, WEB2])),
        (60, connected(WEB1, Some(41))),
        (61, connected(WEB2, Some(41))),
    ];
    tape.extend(activated(WEB2));
    tape.push((
        6_400,
        on(
            WEB2,
            HostEvent::Unproven {
                diagnosis: crashed(),
            },
        ),
    ));
    let older = Diagnosis {
        release: Some(ReleaseId(41)),
        reason: "no answer within 30s".to_owned(),
        facts: vec!["web listens on 127.0.0.1:3001, expected 3000".to_owned()],
        log: Vec::new(),
        ..crashed()
    };
    tape.push((38_000, on(WEB2, HostEvent::Unproven { diagnosis: older })));
    tape.push((
        38_001,
        on(
            WEB2,
            HostEvent::Reverted {
                to: Some(ReleaseId(41)),
                healthy: false,
                unanswered_ms: Some(31_900),
            },
        ),
    ));
    let failure = Failure::new(
        FailureKind::NeedsPerson,
        "v42 failed on web2.example.com, and v41 is not healthy there either",
    )
    .hint("ship status production tells when it serves again");
    let mut second = row(WEB2, 41, 41, false);
    second.why = Some("put back to v41, which does not answer".to_owned());
    second.unanswered_ms = Some(31_900);
    second.by_hand = vec![
        "ssh deploy@web2.example.com journalctl -u shop-web -n 100".to_owned(),
        "ssh deploy@web2.example.com sudo systemctl restart shop-web".to_owned(),
    ];
    tape.push((
        38_100,
        Event::Failed {
            failure,
            outcome: Some(outcome(
                Verb::Reverted,
                42,
                vec![row(WEB1, 41, 41, true), second],
            )),
            exit: 8,
        },
    ));
    tape
}

pub fn unchanged() -> Tape {
    vec![
        (0, started(&[WEB1])),
        (60, connected(WEB1, Some(42))),
        (
            200,
            Event::Unchanged {
                release: ReleaseId(42),
            },
        ),
        (
            210,
            Event::Finished {
                outcome: outcome(Verb::Unchanged, 42, vec![row(WEB1, 42, 42, true)]),
            },
        ),
    ]
}

pub fn interrupted() -> Tape {
    let failure = Failure::interrupted("interrupted; production is on v41, as it was");
    vec![
        (0, started(&[WEB1])),
        (20, began(Phase::Build, "npm ci")),
        (60, connected(WEB1, Some(41))),
        (900, said(Phase::Build, "npm ci", "fetching 312 packages")),
        (
            16_000,
            ended(Phase::Build, "npm ci", 15_980, Some("interrupted")),
        ),
        (
            16_010,
            Event::Failed {
                failure,
                outcome: None,
                exit: 130,
            },
        ),
    ]
}
