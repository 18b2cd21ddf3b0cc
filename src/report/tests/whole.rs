//! Whole commands, whole outputs.

use super::super::{Mode, Options, Verbosity};
use super::{Tape, play, scenes};

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
    tell("good_single", scenes::good_single, &[quiet, verbose, gitlab]);
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
    tell("failed_build", scenes::failed_build, &[quiet, verbose, gitlab]);
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
            .map(|line| super::super::untrusted::line(line, super::super::untrusted::Colours::Strip))
            .collect();
        assert_eq!(stripped, plain.lines().collect::<Vec<_>>());
    }
}

#[test]
fn a_live_screen_shows_what_goes_on_and_leaves_nothing_behind() {
    let seen = play(Mode::Live, Options::default(), scenes::good_three());
    for shown in ["build  npm ci", "web2.example.com  connected", "proving web"] {
        assert!(seen.drawn.contains(shown), "{shown} is not in {}", seen.drawn);
    }
    assert!(seen.drawn.ends_with("\x1b[2K"), "{:?}", seen.drawn);
}
