//! What others write never becomes a command: not to the terminal, not to the CI.

use crate::model::event::{Diagnosis, Event, HostEvent, Phase, Verb};
use crate::model::{Failure, FailureKind};

use super::super::{Mode, Options, Verbosity};
use super::say::{began, ended, host, on, row, said, service, started};
use super::{Tape, play};

const EVIL: [&str; 9] = [
    "::error::x",
    "  ::set-output name=token::x",
    "\u{200d}::add-mask::x",
    "prefix ##[error]x",
    "::0123456789abcdef::",
    "\x1b[2J\x1b[1;1Hcleared",
    "\x1b]0;title\x07\u{9b}31m",
    "\x1b[0Ksection_start:1700000000:mine[collapsed=true]\r\x1b[0Kheader",
    "section_end:1700000000:ship_1",
];

/// Evil in every text of every event that holds one.
fn evil() -> Tape {
    let mut tape = vec![(0, started(&["deploy@::error::web1", "deploy@web2"]))];
    for text in EVIL.map(str::to_owned) {
        let name = text.clone();
        let phase = Phase::Build;
        let step = [
            began(phase, &name),
            said(phase, &name, &text),
            ended(phase, &name, 1, Some(&text)),
            began(Phase::Test, &name),
            said(Phase::Test, &name, &text),
            ended(Phase::Test, &name, 1, None),
            Event::Waiting {
                text: text.clone(),
                done: None,
                total: None,
            },
            Event::Waited {
                text: text.clone(),
                bytes: None,
                ms: 1,
            },
            Event::Note { text: text.clone() },
            Event::Note {
                text: format!("first\n{text}"),
            },
            Event::Warning {
                text: text.clone(),
                hint: Some(text.clone()),
            },
            Event::RoundTrip {
                host: host("::error::web1"),
                what: text.clone(),
                ms: 1,
            },
        ];
        tape.extend(step.map(|event| (1, event)));
        let diagnosis = Diagnosis {
            service: service("web"),
            release: None,
            reason: text.clone(),
            facts: vec![text.clone()],
            log: vec![text.clone()],
        };
        let on_host = [
            HostEvent::HookStarted { name: name.clone() },
            HostEvent::HookOutput {
                name: name.clone(),
                line: text.clone(),
            },
            HostEvent::HookFinished {
                name,
                ok: false,
                why: Some(text.clone()),
                is_stopped: false,
                ms: 1,
            },
            HostEvent::Waiting { text: text.clone() },
            HostEvent::Proving {
                service: service("web"),
                seen: text.clone(),
            },
            HostEvent::Unproven { diagnosis },
            HostEvent::Changed { text: text.clone() },
            HostEvent::Note { text: text.clone() },
            HostEvent::Warning { text: text.clone() },
        ];
        tape.extend(on_host.map(|what| (40_000, on("deploy@::error::web1", what))));
        let mut only = row("deploy@::error::web1", 41, 41, false);
        only.why = Some(text.clone());
        only.by_hand = vec![text.clone()];
        let mut failure = Failure::new(FailureKind::NeedsPerson, format!("x\n{text}"));
        failure = failure.detail(text.clone()).hint(text.clone());
        tape.push((
            80_000,
            Event::Failed {
                failure,
                outcome: Some(super::say::outcome(Verb::Reverted, 42, vec![only])),
                exit: 8,
            },
        ));
    }
    tape.sort_by_key(|(at, _)| *at);
    tape
}

fn options(verbosity: Verbosity) -> Options {
    Options {
        verbosity,
        ..Options::default()
    }
}

const ALL: [Verbosity; 3] = [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose];

#[test]
fn no_escape_sequence_gets_out() {
    for mode in [
        Mode::Plain,
        Mode::Json,
        Mode::GitHub,
        Mode::GitLab,
        Mode::Live,
    ] {
        for verbosity in ALL {
            let seen = play(mode, options(verbosity), evil());
            let mut text = format!("\n{}{}", seen.stdout, seen.stderr);
            if mode == Mode::GitLab {
                // Its own, which begin and end a line.
                text = text
                    .replace("\n\x1b[0Ksection_", "\nsection_")
                    .replace("\r\x1b[0K", "");
            }
            let control = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{mode:?} {verbosity:?}");
        }
    }
}

#[test]
fn the_screen_obeys_nobody_else() {
    let drawn = play(Mode::Live, options(Verbosity::Normal), evil()).drawn;
    for forged in ["\x1b[2J", "\x1b[1;1H", "\x1b]", "\u{9b}"] {
        assert!(!drawn.contains(forged), "{forged:?}");
    }
}

/// Reads lines as GitHub's runner does and gives back the commands that it obeys.
fn obeyed(log: &str) -> Vec<String> {
    const KNOWN: [&str; 8] = [
        "error",
        "warning",
        "group",
        "endgroup",
        "set-output",
        "add-mask",
        "stop-commands",
        "notice",
    ];
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    for line in log.lines() {
        let bare: String = line.chars().filter(|c| *c != '\u{200d}').collect();
        assert!(!bare.contains("##["), "{line:?}");
        let Some(rest) = bare.trim_start().strip_prefix("::") else {
            continue;
        };
        let Some((command, data)) = rest.split_once("::") else {
            continue;
        };
        let name = command.split(' ').next().unwrap_or_default();
        if let Some(token) = &stopped {
            if name == token {
                stopped = None;
            }
        } else if KNOWN.contains(&name) {
            if name == "stop-commands" {
                stopped = Some(data.to_owned());
            }
            commands.push(line.to_owned());
        }
    }
    assert_eq!(stopped, None, "commands were never resumed");
    commands
}

#[test]
fn github_obeys_only_what_ship_itself_says() {
    for verbosity in ALL {
        let seen = play(Mode::GitHub, options(verbosity), evil());
        for command in obeyed(&seen.stderr) {
            let own = [
                "::error title=ship deploy shop production::x%0A",
                "::warning::",
                "::group::output of test step ",
                "::endgroup::",
                "::stop-commands::0123456789abcdef0123456789abcdef",
            ];
            assert!(
                own.iter().any(|own| command.starts_with(own)),
                "{command:?}"
            );
        }
    }
    // The reader of this test is awake: it sees what is not defused.
    assert_eq!(obeyed("  ::error::x\n").len(), 1);
}

#[test]
fn gitlab_sections_are_ship_s_own() {
    let seen = play(Mode::GitLab, options(Verbosity::Normal), evil());
    let mut open = None;
    for line in seen.stderr.split('\n') {
        if let Some(start) = line.strip_prefix("\x1b[0Ksection_start:1700000") {
            assert_eq!(open, None);
            let name = start.split([':', '[', '\r']).nth(1).unwrap_or_default();
            assert!(name.starts_with("ship_"), "{line:?}");
            open = Some(name.to_owned());
        } else if let Some(end) = line.strip_prefix("\x1b[0Ksection_end:1700000") {
            let name = end.split([':', '\r']).nth(1).map(str::to_owned);
            assert_eq!(name, open.take());
        } else {
            assert!(!line.contains("section_start:"), "{line:?}");
            assert!(!line.contains("section_end:"), "{line:?}");
        }
    }
}

#[test]
fn colours_of_a_step_stay_on_a_terminal_only() {
    let tape = || {
        let line = "\x1b[31mred\x1b[0m \x1b[2Jcleared";
        vec![
            (0, began(Phase::Build, "b")),
            (1, said(Phase::Build, "b", line)),
            (2, ended(Phase::Build, "b", 2, Some("exit code 1"))),
        ]
    };
    let colour = Options {
        colour: true,
        ..Options::default()
    };
    let live = play(Mode::Live, colour, tape()).stderr;
    assert!(live.contains("\x1b[31mred\x1b[0m cleared"), "{live:?}");
    for mode in [Mode::Plain, Mode::GitHub, Mode::GitLab] {
        let seen = play(mode, colour, tape()).stderr;
        assert!(seen.contains("red cleared\n"), "{seen:?}");
    }
}

#[test]
fn tokens_are_not_guessed() {
    let first = super::super::talk::random_token();
    assert_eq!(first.len(), 32);
    assert_ne!(first, super::super::talk::random_token());
}
