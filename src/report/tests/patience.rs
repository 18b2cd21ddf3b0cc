//! Long waits, much output, closed streams.

use std::sync::Arc;

use crate::model::ReleaseId;
use crate::model::event::{Event, HostEvent, Phase};

use super::super::kept::MOST;
use super::super::{Mode, Options, Verbosity};
use super::play;
use super::say::{began, connected, ended, on, said, sending, service, started};

const WEB1: &str = "deploy@web1.example.com";

#[test]
fn what_takes_long_is_mentioned_every_15_seconds_and_bytes_every_5() {
    let proving = |at: u64, seen: &str| {
        let seen = seen.to_owned();
        let service = service("web");
        (at, on(WEB1, HostEvent::Proving { service, seen }))
    };
    let restarted = HostEvent::Restarted {
        service: service("web"),
        ms: 180,
    };
    let waiting = |done| Event::Waiting {
        text: "fetching node 20.11.1".to_owned(),
        done: Some(done),
        total: Some(25_000_000),
    };
    let waited = Event::Waited {
        text: "fetching node 20.11.1".to_owned(),
        bytes: Some(25_000_000),
        ms: 16_000,
    };
    let tape = vec![
        (0, started(&[WEB1])),
        (16_000, connected(WEB1, None)),
        (16_000, waiting(0)),
        (30_000, waiting(12_000_000)),
        (32_000, waited),
        (32_000, began(Phase::Build, "npm ci")),
        (
            63_000,
            said(Phase::Build, "npm ci", "shop v42 is live on production"),
        ),
        (64_000, ended(Phase::Build, "npm ci", 32_000, None)),
        (64_000, on(WEB1, restarted)),
        proving(64_100, "connection refused"),
        proving(65_000, "connection refused"),
        proving(68_000, "connection refused"),
        proving(72_000, "connection refused"),
        proving(73_000, "200, 1 of 2"),
        (
            90_000,
            Event::Note {
                text: "end".to_owned(),
            },
        ),
    ];
    let seen = play(Mode::Plain, Options::default(), tape);
    assert_eq!(
        seen.stderr,
        "deploy shop to production (web1.example.com), commit 3f2a91c\n\
         still connecting to web1.example.com (15s)\n\
         connected to web1.example.com in 45 ms; nothing is live yet\n\
         still fetching node 20.11.1: 0 B of 25 MB (5s)\n\
         still fetching node 20.11.1: 0 B of 25 MB (10s)\n\
         still fetching node 20.11.1: 12 MB of 25 MB (15s)\n\
         fetching node 20.11.1: 25 MB in 16.0s\n\
         still running build step `npm ci` (15s)\n\
         still running build step `npm ci` (30s)\n\
         ok build  npm ci  32.0s\n\
         restarted web in 180 ms\n\
         proving web: connection refused\n\
         proving web: 200, 1 of 2\n\
         still proving web: 200, 1 of 2 (24s)\n\
         end\n"
    );
    assert_eq!(seen.stdout, "");
}

#[test]
fn a_transfer_is_told_every_3_seconds() {
    let mut tape = vec![
        (0, started(&[WEB1, "web2"])),
        (10, connected(WEB1, None)),
        (20, connected("web2", None)),
    ];
    tape.extend((0..=40).map(|n| (1_000 + n * 250, sending(WEB1, n * 1_000_000))));
    let seen = play(Mode::Plain, Options::default(), tape);
    let told: Vec<&str> = seen
        .stderr
        .lines()
        .filter(|line| line.contains("sending"))
        .collect();
    assert_eq!(
        told,
        [
            "web1.example.com: sending 12 MB of 40 MB, 4 MB/s, 3 MB on the wire",
            "web1.example.com: sending 24 MB of 40 MB, 4 MB/s, 6 MB on the wire",
            "web1.example.com: sending 36 MB of 40 MB, 4 MB/s, 9 MB on the wire",
        ]
    );
}

#[test]
fn a_failed_step_shows_its_last_10_000_lines_and_where_the_rest_is() {
    let mut tape = vec![(0, began(Phase::Test, "npm test"))];
    tape.extend(
        (1..=MOST + 2_345).map(|n| (1, said(Phase::Test, "npm test", &format!("line {n}")))),
    );
    tape.push((2, ended(Phase::Test, "npm test", 2, Some("exit code 1"))));
    let seen = play(Mode::Plain, Options::default(), tape);
    let lines: Vec<&str> = seen.stderr.lines().collect();
    assert_eq!(lines.len(), MOST + 3);
    assert_eq!(
        lines[..3],
        [
            "output of test step `npm test`:",
            "  | (2,345 lines came before; all of it is in .ship/logs/test-1-npm-test.log)",
            "  | line 2346",
        ]
    );
    assert_eq!(
        lines[MOST + 1..],
        [
            "  | line 12345",
            "failed test   npm test  2 ms: exit code 1"
        ]
    );
}

#[test]
fn twins_are_told_apart_by_their_users() {
    let tape = vec![
        (0, started(&["blue@web1", "green@web1", "web2"])),
        (1, connected("blue@web1", None)),
        (2, connected("web2", None)),
    ];
    let seen = play(Mode::Plain, Options::default(), tape);
    assert!(
        seen.stderr.contains("\nblue@web1: connected"),
        "{}",
        seen.stderr
    );
    assert!(seen.stderr.contains("\nweb2: connected"), "{}", seen.stderr);
}

#[test]
fn a_prompt_has_the_screen_to_itself() {
    let capture = Arc::new(super::Capture::default());
    let output = Arc::clone(&capture) as Arc<dyn super::Output>;
    let clock = super::Clock::Set(Arc::default());
    let options = Options {
        verbosity: Verbosity::Normal,
        ..Options::default()
    };
    let (sink, reporter) = super::Reporter::with(Mode::Live, options, output, clock, String::new);
    sink.emit(started(&[WEB1]));
    let answer = reporter.suspend(|| {
        let before = capture.drawn.lock().unwrap().len();
        // The engine may go on meanwhile, also from the thread that asks.
        sink.emit(began(Phase::Build, "npm ci"));
        sink.emit(Event::Note {
            text: "told".to_owned(),
        });
        reporter.tick();
        capture.drawn.lock().unwrap().len() - before
    });
    assert_eq!(answer, 0, "something was drawn over the prompt");
    reporter.data("data\n");
    reporter.tick();
    let drawn = String::from_utf8(capture.drawn.lock().unwrap().clone()).unwrap();
    assert!(drawn.contains("npm ci"), "{drawn:?}");
    assert_eq!(capture.stdout.lock().unwrap().as_slice(), b"data\n");
    let told = String::from_utf8(capture.stderr.lock().unwrap().clone()).unwrap();
    assert!(told.ends_with("told\n"), "{told:?}");
}

#[test]
fn a_watch_tells_what_is_left_and_every_bad_answer() {
    let watching = |at: u64, left_ms: u64, bad: Option<&str>| {
        let what = HostEvent::Watching {
            release: ReleaseId(42),
            ms: 40_000,
            left_ms,
            bad: bad.map(str::to_owned),
        };
        (at, on(WEB1, what))
    };
    let watched = HostEvent::Watched {
        release: ReleaseId(42),
        ms: 41_200,
    };
    let mut tape = vec![(0, started(&[WEB1])), (500, connected(WEB1, None))];
    tape.extend((0..4).map(|at| watching(1_000 + at * 5_000, 40_000 - at * 5_000, None)));
    tape.push(watching(18_000, 23_000, Some("web: answered 503, 1 of 3")));
    tape.extend((4..8).map(|at| watching(1_000 + at * 5_000, 40_000 - at * 5_000, None)));
    tape.push((41_000, on(WEB1, watched)));
    let seen = play(Mode::Plain, Options::default(), tape);
    assert_eq!(
        seen.stderr,
        "deploy shop to production (web1.example.com), commit 3f2a91c\n\
         connected to web1.example.com in 45 ms; nothing is live yet\n\
         still watching v42: 30s left (15s)\n\
         web: answered 503, 1 of 3\n\
         still watching v42: 10s left (32s)\n\
         v42 stayed healthy, 41.2s after its proof\n"
    );
}

#[test]
fn a_service_that_nobody_asks_is_running() {
    for (answered, state) in [(true, "healthy"), (false, "running")] {
        let proven = HostEvent::Proven {
            service: service("worker"),
            ms: 5_000,
            unanswered_ms: None,
            answered,
        };
        let tape = vec![(0, started(&[WEB1])), (500, on(WEB1, proven))];
        let seen = play(Mode::Plain, Options::default(), tape);
        let line = format!("worker is {state} after 5.0s\n");
        assert!(seen.stderr.ends_with(&line), "{}", seen.stderr);
    }
}
