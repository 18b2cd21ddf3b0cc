//! Narrow terminals: nothing is broken inside a word, and nothing that is drawn takes two lines.

use crate::model::HostName;
use crate::model::event::{Event, HostEvent, Phase};

use super::super::wrap::width;
use super::super::{Mode, Options};
use super::{Tape, play, say, scenes};

const WIDTHS: [usize; 5] = [40, 60, 80, 120, 200];

/// Words, without what draws and colours.
fn words(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter(|word| {
        let is_frame = word.chars().all(|c| "┏┓┗┛┣┫┃━·".contains(c));
        // The labels of cells that have left their row.
        !is_frame && !["why:", "health:", "was:", "is:", "answer:"].contains(word)
    });
    words.map(str::to_owned).collect()
}

#[test]
fn no_sentence_and_no_table_is_broken_inside_a_word() {
    let scenes = [
        scenes::good_single,
        scenes::good_three,
        scenes::failed_build,
        scenes::reverted,
        scenes::needs_person,
        scenes::unchanged,
        scenes::interrupted,
    ];
    for scene in scenes {
        let all = |columns| {
            let options = Options {
                columns,
                ..Options::default()
            };
            play(Mode::Live, options, scene()).stderr
        };
        let mut wide = words(&all(Some(10_000)));
        wide.sort();
        for columns in WIDTHS {
            let narrow = all(Some(columns));
            let mut same = words(&narrow);
            same.sort();
            // A table's heads stand above it once, or beside each of its cells.
            let heads = ["host", "was", "is", "health", "no", "answer", "why", "no"];
            let body = |words: &[String]| {
                let body = words.iter().filter(|word| !heads.contains(&word.as_str()));
                body.cloned().collect::<Vec<_>>()
            };
            assert_eq!(body(&same), body(&wide), "at {columns}:\n{narrow}");
            for line in narrow.lines() {
                // What others wrote and what a person copies stays as it is.
                let is_ours = !line.starts_with(['|', ' ']) && !line.starts_with("hint:");
                let fits = width(line) <= columns || line.split_whitespace().count() == 1;
                assert!(fits || !is_ours, "at {columns}: {line:?}");
            }
        }
    }
}

/// A line that is drawn over again and takes two lines is drawn anew below itself.
#[test]
fn what_is_drawn_fits_on_one_line() {
    let names = [
        "deploy@web1.eu-central-1.compute.internal.example.com",
        "deploy@修复.example.com",
    ];
    let proving = |name: &str| {
        say::on(
            name,
            HostEvent::Proving {
                service: say::service("web"),
                seen: "no answer yet: connection refused, which may change in a moment".to_owned(),
            },
        )
    };
    let tape = || -> Tape {
        let hosts: Vec<HostName> = names.iter().map(|name| say::host(name)).collect();
        let mut started = say::started(&[]);
        if let Event::Started { hosts: listed, .. } = &mut started {
            *listed = hosts;
        }
        let step = "bundle everything that the browser needs, and compress it";
        vec![
            (0, started),
            (10, say::began(Phase::Build, step)),
            (
                900,
                say::said(
                    Phase::Build,
                    step,
                    "webpack 修复登录 compiled 312 modules in 4s",
                ),
            ),
            (2_000, proving(names[0])),
            (2_001, proving(names[1])),
            (9_000, say::ended(Phase::Build, step, 8_000, None)),
        ]
    };
    for columns in WIDTHS {
        let options = Options {
            width: Some(u16::try_from(columns).unwrap()),
            ..Options::default()
        };
        let seen = play(Mode::Live, options, tape());
        let plain = seen.drawn.replace('\r', "\n");
        let mut lines = 0;
        for line in plain.lines().flat_map(|line| rows(&drawn(line), columns)) {
            let is_whole = line.trim().is_empty() || line.starts_with(begins_an_item);
            assert!(is_whole, "at {columns}: {line:?}");
            lines += usize::from(line.contains("proving web"));
        }
        assert!(
            lines > 0,
            "at {columns} it is not said what is done: {plain}"
        );
    }
}

fn begins_an_item(c: char) -> bool {
    "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏·".contains(c)
}

/// The rows that a terminal makes of a line.
fn rows(line: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for c in line.chars() {
        let last = rows.last_mut().unwrap();
        if width(&format!("{last}{c}")) > columns {
            rows.push(c.to_string());
        } else {
            last.push(c);
        }
    }
    rows
}

/// What a terminal shows of a line: without the sequences that move the cursor or clear.
fn drawn(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => {
                chars.by_ref().skip(1).find(char::is_ascii_alphabetic);
            }
            c => text.push(c),
        }
    }
    text.trim_end().to_owned()
}
