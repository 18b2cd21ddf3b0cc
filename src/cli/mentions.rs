//! Every command line of `ship` that people read, in the documents, in messages and in what `init`
//! writes, is one that `ship` takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

/// Words after `ship` in sentences about the program; everything else there must be a command.
const PROSE: [&str; 18] = [
    "agent", "artifact", "brings", "dial", "did", "does", "for", "gives", "has", "is", "itself",
    "keeps", "made", "restarts", "serves", "sets", "will", "would",
];

/// What stands in front of a command line rather than of a sentence about the program.
const BEFORE: [&str; 9] = ["\"", "`", "$", ":", "(", " run", " then", " and", " or"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            files(&path, found);
        } else if matches!(extension, Some("rs" | "md" | "toml" | "snap"))
            && !path.ends_with("mentions.rs")
        {
            found.push(path);
        }
    }
}

/// The parts of `line` that begin with the name of a command, and whether each is surely one.
fn mentions(line: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("ship ") {
        let before = line[..at].trim_end_matches([' ', '\u{a0}']);
        let glued = line[..at].ends_with(|c: char| c.is_alphanumeric() || "-/._".contains(c));
        let starts = before.is_empty() || before.chars().all(|c| c == '#' || c == '/');
        if glued || !(starts || BEFORE.iter().any(|word| before.ends_with(word))) {
            continue;
        }
        let rest = &line[at + "ship ".len()..];
        let end = rest.find(['"', '`', ';', '#', '\\', '│', '|', '&']);
        let rest = rest[..end.unwrap_or(rest.len())].trim();
        if rest.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.push((rest, before.ends_with(['`', '$'])));
        }
    }
    found
}

/// Why `words` (without `ship`) name a command or a flag that does not exist.
fn unknown(words: &str, surely: bool) -> Option<String> {
    let mut command = &super::definition();
    let mut longs: Vec<String> = flags(command);
    let mut rest = words.split_whitespace().map(|word| {
        word.trim_end_matches(['.', ',', ':', ')', '\''])
            .trim_matches(['[', ']'])
    });
    let first = rest.next()?;
    match command.find_subcommand(first) {
        Some(found) => command = found,
        None if !surely && PROSE.contains(&first) => return None,
        None if surely && first == "agent" => return None,
        None => return Some(format!("there is no command `ship {first}`")),
    }
    longs.extend(flags(command));
    for word in rest {
        if word == "--" {
            break;
        }
        if let Some(found) = command.find_subcommand(word) {
            command = found;
            longs.extend(flags(command));
        }
        let flag = word.split('=').next().unwrap_or(word);
        if flag.starts_with('-') && flag.len() > 1 && !longs.iter().any(|long| long == flag) {
            return Some(format!("`ship {}` has no {flag}", command.get_name()));
        }
    }
    None
}

fn flags(command: &clap::Command) -> Vec<String> {
    let mut all = vec!["--help".to_owned(), "-h".to_owned(), "--version".to_owned()];
    for argument in command.get_arguments() {
        let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
        all.extend(longs.iter().map(|long| format!("--{long}")));
        all.extend(argument.get_short().map(|short| format!("-{short}")));
    }
    all
}

/// The words of a line as sh(1) would split them, without its comment.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted && word.is_empty() => break,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Parses a line of a code block; a placeholder in place of a value is no fault.
fn refused(line: &str) -> Option<String> {
    let words = split(line);
    let at = words.iter().position(|word| word == "ship")?;
    let sets = |word: &String| word == "$" || word.contains('=');
    // Nobody types `ship agent`; a drawing shows it.
    if !words[..at].iter().all(sets) || words.get(at + 1).is_some_and(|word| word == "agent") {
        return None;
    }
    let error = super::definition()
        .try_get_matches_from(&words[at..])
        .err()?;
    match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::DisplayHelp => None,
        _ => Some(error.to_string().lines().next()?.to_owned()),
    }
}

#[test]
fn every_command_line_that_people_read_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![root.join("README.md")];
    for folder in ["docs", "examples", "src"] {
        files(&root.join(folder), &mut all);
    }
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        let is_markdown = path.extension().is_some_and(|extension| extension == "md");
        let mut say = |number: usize, why: String| {
            let path = path.strip_prefix(root).unwrap().display();
            wrong.push(format!("{path}:{}: {why}", number + 1));
        };
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        for (number, line) in text.lines().enumerate() {
            if is_code && line.trim_start().starts_with("//") {
                continue;
            }
            if line.contains('─') {
                // A drawing.
                continue;
            }
            if is_markdown && line.starts_with("    ") {
                seen += 1;
                if let Some(why) = refused(line.trim()) {
                    say(number, why);
                }
                continue;
            }
            for (words, surely) in mentions(line) {
                seen += 1;
                if let Some(why) = unknown(words, surely) {
                    say(number, why);
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} mentions were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_does_not_exist_is_found() {
    for (line, surely) in [
        ("see `ship secrets`", true),
        (".hint(\"ship pin --again\")", false),
    ] {
        let found = mentions(line);
        assert_eq!(found.len(), 1, "{line}");
        assert!(unknown(found[0].0, surely).is_some(), "{line}");
    }
    assert!(refused("A=1 ship deploy production --fast").is_some());
    assert_eq!(
        refused("ship freeze --until 2h --reason \"a b\"  # a comment"),
        None
    );
}
