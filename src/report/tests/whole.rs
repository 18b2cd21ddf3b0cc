//! Whole commands, whole outputs.

use crate::model::event::{HostEvent, Phase};

use super::super::{Mode, Options, Verbosity};
use super::{Tape, play, say, scenes};

/// Compares the output of a scene in each mode with its snapshots.
fn tell(name: &str, scene: fn() -> Tape, extra: &[(&str, Mode, Verbosity)]) {
    let usual = [
        ("plain", Mode::Plain, Verbosity::Normal),
        ("json", Mode::Json, Verbosity::Normal),
        ("github", Mode::GitHub, Verbosity::Normal),
        ("live", Mode::Live, Verbosity::Normal),
    ];
    for (mode_name, mode, verbosity) in usual.iter().chain(extra) {
        let options = Options {
            verbosity: *verbosity,
            ..Options::default()
        };
        let seen = play(*mode, options, scene());
        insta::assert_snapshot!(format!("{name}__{mode_name}"), seen.whole());
        for line in seen.stderr.lines() {
            assert_eq!(line.trim_end_matches(' '), line, "a line ends in a space");
        }
    }
}

#[test]
fn a_good_deploy_to_one_host() {
    let quiet = ("quiet", Mode::Plain, Verbosity::Quiet);
    let verbose = ("verbose", Mode::Plain, Verbosity::Verbose);
    let gitlab = ("gitlab", Mode::GitLab, Verbosity::Normal);
    tell(
        "good_single",
        scenes::good_single,
        &[quiet, verbose, gitlab],
    );
}

#[test]
fn a_good_deploy_to_three_hosts() {
    let quiet = ("quiet", Mode::Plain, Verbosity::Quiet);
    tell("good_three", scenes::good_three, &[quiet]);
}

#[test]
fn a_failed_build() {
    let quiet = ("quiet", Mode::Plain, Verbosity::Quiet);
    let verbose = ("verbose", Mode::Plain, Verbosity::Verbose);
    let gitlab = ("gitlab", Mode::GitLab, Verbosity::Normal);
    tell(
        "failed_build",
        scenes::failed_build,
        &[quiet, verbose, gitlab],
    );
}

#[test]
fn a_failed_health_check_that_is_reverted() {
    let quiet = ("quiet", Mode::Plain, Verbosity::Quiet);
    tell("reverted", scenes::reverted, &[quiet]);
}

#[test]
fn a_host_that_needs_a_person() {
    let quiet = ("quiet", Mode::Plain, Verbosity::Quiet);
    tell("needs_person", scenes::needs_person, &[quiet]);
}

#[test]
fn nothing_to_do() {
    let quiet = ("quiet", Mode::Plain, Verbosity::Quiet);
    tell("unchanged", scenes::unchanged, &[quiet]);
}

#[test]
fn an_interruption() {
    tell("interrupted", scenes::interrupted, &[]);
}

#[test]
fn colour_adds_and_carries_nothing() {
    let options = Options {
        colour: true,
        ..Options::default()
    };
    let scenes = [
        scenes::good_three,
        scenes::failed_build,
        scenes::needs_person,
        scenes::interrupted,
    ];
    for scene in scenes {
        let plain = play(Mode::Live, Options::default(), scene()).stderr;
        let coloured = play(Mode::Live, options, scene()).stderr;
        assert_ne!(plain, coloured);
        let stripped: Vec<String> = coloured
            .lines()
            .map(|line| {
                super::super::untrusted::line(line, super::super::untrusted::Colours::Strip)
            })
            .collect();
        assert_eq!(stripped, plain.lines().collect::<Vec<_>>());
    }
}

#[test]
fn a_live_screen_shows_what_goes_on_and_leaves_nothing_behind() {
    let web1 = "deploy@web1.example.com";
    let proving = HostEvent::Proving {
        service: say::service("web"),
        seen: "up for 2s of 5s".to_owned(),
    };
    let seen = play(
        Mode::Live,
        Options::default(),
        vec![
            (0, say::started(&[web1])),
            (10, say::connected(web1, Some(41))),
            (20, say::began(Phase::Build, "npm ci")),
            (
                30,
                say::said(Phase::Build, "npm ci", &"fetching ".repeat(20)),
            ),
            (2_030, say::ended(Phase::Build, "npm ci", 2_010, None)),
            (2_100, say::on(web1, proving)),
            (3_000, say::sending(web1, 12_100_000)),
            (4_000, say::sending(web1, 20_000_000)),
            (5_000, say::connected(web1, Some(42))),
        ],
    );
    for shown in [
        "⠋ web1.example.com  connecting  0s",
        "⠋ build  npm ci  0s",
        "⠋ build  npm ci  1s  fetching fetching",
        "⠋ web1.example.com  proving web: up for 2s of 5s  0s",
        "⠋ web1.example.com  sending: 20 MB of 40 MB, 20 MB/s  2s",
        "· web1.example.com  connected, v42 is live",
    ] {
        assert!(
            seen.drawn.contains(shown),
            "{shown} is not in {}",
            seen.drawn
        );
    }
    // Each begins with its mark.
    for line in seen.drawn.split(['\x1b', '\r', '⠋', '·']) {
        assert!(
            line.chars().count() < 80,
            "wider than the terminal: {line:?}"
        );
    }
    assert!(seen.drawn.ends_with("\x1b[2K"), "{:?}", seen.drawn);
    assert_eq!(
        seen.stderr,
        "deploy shop to production (web1.example.com), commit 3f2a91c\nok build  npm ci  2.0s\n"
    );
}
