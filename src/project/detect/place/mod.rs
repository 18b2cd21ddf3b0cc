//! Where a path that the sources put together leads: `path.join(__dirname, "..", "data")`,
//! `BASE_DIR / "db.sqlite3"`, `f"{DATA_DIR}/app.db"`. Text, not a parser: what is not plain is unknown.

#[cfg(test)]
mod tests;
mod value;
mod word;

use super::folder::Source;
use value::{MAX_DEPTH, Scope, is_moved, with};
pub(super) use word::is_path;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the app's own folder, relative to it.
    Inside(String),
    /// Elsewhere on the host.
    Outside,
    /// Only the running app knows.
    Unknown,
}

/// How long an expression may be.
const MAX_LENGTH: usize = 400;

/// Functions that put paths together, or that give the path that they are given.
const JOINS: &[&str] = &[
    "Combine",
    "File",
    "Join",
    "Path",
    "PurePath",
    "String",
    "URL",
    "absolute",
    "abspath",
    "expanduser",
    "fileURLToPath",
    "from",
    "fspath",
    "get",
    "join",
    "joinpath",
    "new",
    "normalize",
    "normpath",
    "of",
    "realpath",
    "realpathSync",
    "resolve",
    "str",
    "strict",
    "to_s",
];

/// Modules and classes with such functions: what stands before their dot is no folder.
const MODULES: &[&str] = &[
    "Deno",
    "File",
    "Path",
    "PathBuf",
    "Paths",
    "_path",
    "filepath",
    "fs",
    "nodePath",
    "node_path",
    "ntpath",
    "op",
    "os",
    "os.path",
    "osp",
    "path",
    "path.posix",
    "pathlib",
    "posixpath",
    "std::path",
    "std::path::Path",
    "std::path::PathBuf",
    "url",
];

/// Where the path leads that ends with the text at `start` of the code of `source`: `own` is that
/// text as a path. `sources` may give names their values.
pub(super) fn of(
    code: &str,
    start: usize,
    own: &str,
    source: &Source,
    sources: &[&Source],
) -> Place {
    let left = text_before(code, start - 1);
    let (begin, closes) = expression(code, left, source);
    if begin < left {
        let base = format!("{}\"\"{}", &code[begin..left], ")".repeat(closes));
        return below(&base, own, source, sources);
    }
    match callee(&code[..left]) {
        _ if own.starts_with('/') => Place::Outside,
        Some(callee) if makes_path(callee) && callee != "base_path" => Place::Unknown,
        _ => place(with(Vec::new(), own)),
    }
}

/// Where `own` leads below `base`, an expression of `source`.
pub(super) fn below(base: &str, own: &str, source: &Source, sources: &[&Source]) -> Place {
    let parts = Scope::new(source, sources).parts(base, MAX_DEPTH);
    let parts = parts.map(|parts| with(parts, own.trim_start_matches('/')));
    match parts {
        Some(parts) if !is_moved(source, base, &parts) => place(parts),
        _ => Place::Unknown,
    }
}

/// The value that ends at the end of `text`: what a method is called of.
pub(super) fn receiver(text: &str) -> &str {
    let start = primary(text);
    let is_new = text[..start].ends_with("new ");
    &text[start - if is_new { "new ".len() } else { 0 }..]
}

fn place(parts: Vec<String>) -> Place {
    match parts.first().map(String::as_str) {
        Some("..") => Place::Outside,
        _ => Place::Inside(parts.join("/")),
    }
}

/// A function that is named for the folder it knows: `app.tmpPath("x.db")`, `data_dir("x.db")`.
fn makes_path(callee: &str) -> bool {
    let knows = ["_path", "Path", "_dir", "Dir"];
    let sets = ["set", "with", "Path", "Dir", "open", "add"];
    let last = callee.rsplit(['.', ':', '>']).next().unwrap_or(callee);
    knows.iter().any(|end| last.ends_with(end)) && !sets.iter().any(|start| last.starts_with(start))
}

/// The name of the function whose first argument follows.
fn callee(before: &str) -> Option<&str> {
    let before = before.trim_end().strip_suffix('(')?;
    Some(&before[primary(before)..])
}

/// Where a text begins whose quote is at `quote`: `f"…"`, `@"…"`.
fn text_before(code: &str, quote: usize) -> usize {
    let before = &code[..quote];
    let letters = before.trim_end_matches(['f', 'F', 'r', 'R', 'b', 'u', '$', '@']);
    match letters.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        true => quote,
        false => letters.len(),
    }
}

/// The beginning of the path that ends at `end`, and how many brackets are open there.
fn expression(code: &str, end: usize, source: &Source) -> (usize, usize) {
    let (mut at, mut closes) = (end, 0);
    let lowest = end.saturating_sub(MAX_LENGTH);
    while at > lowest {
        let before = code[..at].trim_end();
        let concat = before.ends_with('+') && !before.ends_with("++")
            || before.ends_with('/') && !before.ends_with("//") && source.is(&["py"])
            || before.ends_with('.') && source.is(&["php"])
            || before.ends_with("<>");
        if concat {
            let operand = before
                .trim_end_matches(['+', '/', '.', '<', '>'])
                .trim_end();
            let start = primary(operand);
            if start == operand.len() {
                break;
            }
            at = start;
            continue;
        }
        let Some(open) = before
            .ends_with([',', '('])
            .then(|| opening(before))
            .flatten()
        else {
            break;
        };
        let start = primary(&code[..open]);
        let name = &code[start..open];
        let last = name.rsplit(['.', ':', '>', '\\']).next().unwrap_or(name);
        // A text alone in them is as it stands.
        let receiver = name.strip_suffix(last).unwrap_or_default();
        let receiver = receiver.trim_end_matches(['.', ':', '>', '-']);
        // What is made `new` is made of a class, and no folder.
        let is_module = receiver.is_empty() || MODULES.contains(&receiver) || last == "new";
        let alone = before.ends_with('(') && is_module;
        if !JOINS.contains(&last)
            || name.is_empty()
            || alone
            || last == "get" && receiver != "Paths"
        {
            break;
        }
        at = start;
        closes += 1;
    }
    (at, closes)
}

/// The bracket that is open at the end of `before`.
fn opening(before: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in before.char_indices().rev().take(MAX_LENGTH) {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' if depth == 0 => return Some(at),
            '[' | '{' if depth == 0 => return None,
            '(' | '[' | '{' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Where the value begins that ends at the end of `text`: a name with its dots, a call, a text.
fn primary(text: &str) -> usize {
    let mut at = text.len();
    while let Some(last) = text[..at].chars().next_back() {
        if last == ')' || last == ']' {
            let Some(open) = closed(&text[..at]) else {
                break;
            };
            at = open;
        } else if ['"', '\'', '`'].contains(&last) && at == text.len() {
            let Some(open) = text[..at - 1].rfind(last) else {
                break;
            };
            return open;
        } else if last.is_alphanumeric() || "_.$:@".contains(last) {
            at -= last.len_utf8();
        } else if text[..at].ends_with("->") {
            at -= 2;
        } else {
            break;
        }
    }
    at
}

/// Where the bracket opens that the last character of `text` closes.
fn closed(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices().rev().take(MAX_LENGTH) {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
