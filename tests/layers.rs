//! The folders of `src/` are the architecture: an arrow may only point down the list, and the host
//! side knows nothing of the controller's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the bottom.
const LAYERS: [&str; 11] = [
    "cli",
    "report",
    "rollout",
    "pipeline",
    "runtime",
    "project",
    "transport",
    "agent",
    "artifact",
    "wire",
    "model",
];

/// Arrows that point down and are forbidden all the same.
const FORBIDDEN: [(&str, &[&str]); 2] = [
    // A consumer of events knows events, nothing of what makes them.
    (
        "report",
        &[
            "rollout",
            "pipeline",
            "runtime",
            "project",
            "transport",
            "agent",
            "artifact",
            "wire",
        ],
    ),
    // The controller reaches hosts through messages only.
    ("rollout", &["agent"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The folders that a file names by `crate::FOLDER`, in `use` lines and in paths.
fn named(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut folders = BTreeSet::new();
    for line in code {
        for rest in line.split("crate::").skip(1) {
            let word = |text: &str| {
                text.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect::<String>()
            };
            // `use crate::{agent, model::Digest};`
            match rest.strip_prefix('{') {
                Some(list) => folders.extend(list.split([',', '}']).map(|item| word(item.trim()))),
                None => {
                    folders.insert(word(rest));
                }
            }
        }
    }
    folders
}

#[test]
fn arrows_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for path in all {
        let relative = path.strip_prefix(&src).expect("below src");
        let folder = relative
            .components()
            .next()
            .expect("a name")
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let Some(from) = LAYERS.iter().position(|layer| *layer == folder) else {
            continue;
        };
        let text = fs::read_to_string(&path).expect("a readable file");
        for named in named(&text) {
            let Some(to) = LAYERS.iter().position(|layer| *layer == named) else {
                continue;
            };
            arrows += usize::from(to != from);
            let forbidden = FORBIDDEN
                .iter()
                .any(|(layer, those)| *layer == folder && those.contains(&named.as_str()));
            if to < from || forbidden {
                wrong.push(format!("{}: {folder} → {named}", relative.display()));
            }
        }
    }
    assert!(
        arrows > 50,
        "the test found next to no arrows; it reads the wrong thing"
    );
    assert!(
        wrong.is_empty(),
        "arrows that point the wrong way:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_folder_is_a_layer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders: BTreeSet<String> = fs::read_dir(src)
        .expect("src is readable")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        folders,
        LAYERS.iter().map(|layer| (*layer).to_owned()).collect()
    );
}

#[test]
fn names_are_found_in_every_form() {
    let found = named(
        "use crate::agent::Layout;\nuse crate::{cli, model::Digest};\nlet x = crate::wire::X; // crate::no\n// crate::comment",
    );
    for name in ["agent", "cli", "model", "wire"] {
        assert!(found.contains(name), "{name}");
    }
    assert!(!found.contains("comment"));
}
