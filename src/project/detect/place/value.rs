//! What an expression of the sources is as a path.

use std::cell::Cell;
use std::rc::Rc;

use super::super::folder::Source;
use super::super::text::{literals, spans};
use super::{JOINS, MAX_LENGTH, MODULES, closed};

/// How deep an expression may be, with those of the names in it, and how many parts it may have.
pub(super) const MAX_DEPTH: usize = 24;
const MAX_PARTS: usize = 200;

/// The folder that a service starts in is that of its release.
const ROOTS: &[&str] = &[
    "Deno.cwd()",
    "Dir.pwd",
    "Path.cwd()",
    "Rails.root",
    "base_path()",
    "cwd()",
    "getcwd()",
    "os.getcwd()",
    "os.path.curdir",
    "pathlib.Path.cwd()",
    "process.cwd()",
];

/// The folder of the file that they stand in, and that file.
const HERE: &[&str] = &[
    "__DIR__",
    "__dir__",
    "__dirname",
    // Of Flask and Quart: where the module is that makes the app.
    "app.root_path",
    "current_app.root_path",
    "import.meta.dir",
    "import.meta.dirname",
];
const THIS: &[&str] = &[
    "__FILE__",
    "__file__",
    "__filename",
    "import.meta.filename",
    "import.meta.url",
];

/// Names for the app's folder, where nothing in the sources gives them another value.
const CUSTOMARY: &[&str] = &[
    "APP_ROOT",
    "BASEDIR",
    "BASE_DIR",
    "BASE_PATH",
    "PROJECT_DIR",
    "PROJECT_ROOT",
    "ROOT_DIR",
    "base_dir",
    "basedir",
];

/// Folders that are emptied.
const TEMPORARY: &[&str] = &[
    "gettempdir",
    "mkdtemp",
    "sys_get_temp_dir",
    "temp_dir",
    "tmpdir",
];

/// Reads the environment.
const ENVIRONMENT: &[&str] = &[
    "process.env",
    "environ",
    "getenv",
    "Getenv",
    "env::var",
    "ENV[",
    "ENV.",
    "env(",
    "Deno.env",
    "Bun.env",
];

/// Where names have their values.
pub(super) struct Scope<'a> {
    source: &'a Source,
    sources: &'a [&'a Source],
    parts: Rc<Cell<usize>>,
}

impl<'a> Scope<'a> {
    /// Of an expression in `source`.
    pub fn new(source: &'a Source, sources: &'a [&'a Source]) -> Self {
        Self {
            source,
            sources,
            parts: Rc::new(Cell::new(MAX_PARTS)),
        }
    }

    /// The path that an expression gives, relative to the app's folder.
    pub fn parts(&self, expression: &str, depth: usize) -> Option<Vec<String>> {
        let text = expression.trim().trim_end_matches([';', ',']).trim_end();
        let depth = depth.checked_sub(1)?;
        self.parts.set(self.parts.get().checked_sub(1)?);
        if text.is_empty() || text.len() > MAX_LENGTH {
            return None;
        }
        if let Some(inner) = text
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            && closed(text) == Some(0)
        {
            return self.parts(inner, depth);
        }
        for word in ["new ", "await ", "&"] {
            if let Some(rest) = text.strip_prefix(word) {
                return self.parts(rest, depth);
            }
        }
        if let Some(last) = split(text, &["||", "??", " or "]).as_deref() {
            let (last, others) = last.split_last()?;
            return others
                .iter()
                .all(|other| reads_environment(other))
                .then(|| self.parts(last, depth))?;
        }
        // What holds unless something special does comes last: `is_container ? "/data" : root`.
        for (word, between) in [(" ? ", " : "), (" if ", " else ")] {
            if let Some(all) = split(text, &[between]).filter(|_| text.contains(word)) {
                return self.parts(all.last()?, depth);
            }
        }
        let operators: &[&str] = match self.source.path.rsplit_once('.').map(|(_, ext)| ext) {
            Some("py") => &["+", "/"],
            Some("php") => &["."],
            _ => &["+"],
        };
        if let Some(all) = split(text, operators) {
            return self.joined(all.iter().map(|part| part.trim()), depth);
        }
        self.single(text, depth)
    }

    /// Of paths that are put together.
    fn joined<'b>(&self, all: impl Iterator<Item = &'b str>, depth: usize) -> Option<Vec<String>> {
        let mut parts: Vec<String> = Vec::new();
        for (at, one) in all.enumerate() {
            if one.is_empty() {
                continue;
            }
            match literal(one) {
                Some(text) if at > 0 && text.starts_with('/') => parts = with(parts, text),
                Some(text) if text.starts_with('/') => parts = vec!["..".to_owned()],
                Some(text)
                    if text.ends_with(':') || text.ends_with("://") || text.ends_with(":///") => {}
                Some(text) if !text.contains(['{', '$', '%']) => parts = with(parts, text),
                Some(_) => return None,
                None => {
                    for part in self.parts(one, depth)? {
                        parts = with(parts, &part);
                    }
                }
            }
        }
        Some(parts)
    }

    fn single(&self, text: &str, depth: usize) -> Option<Vec<String>> {
        if literal(text).is_some() {
            return self.joined([text].into_iter(), depth);
        }
        let file = || with(Vec::new(), &self.source.path);
        if THIS.contains(&text) {
            return Some(file());
        }
        if HERE.contains(&text) {
            return Some(up(file()));
        }
        if ROOTS.contains(&text) {
            return Some(Vec::new());
        }
        if text.ends_with("instance_path") {
            return Some(vec!["instance".to_owned()]);
        }
        if text.ends_with(".root_path") {
            let makes = self.source.text.contains("Flask(__name__");
            return makes.then(|| up(file()));
        }
        if let Some(of) = text.strip_suffix(".parent") {
            return Some(up(self.parts(of, depth)?));
        }
        if let Some((of, number)) = text.rsplit_once(".parents[") {
            let number: usize = number.strip_suffix(']')?.parse().ok()?;
            let parts = self.parts(of, depth)?;
            return Some((0..=number.min(20)).fold(parts, |parts, _| up(parts)));
        }
        if TEMPORARY.iter().any(|word| text.contains(word)) {
            return Some(vec!["..".to_owned()]);
        }
        if text.ends_with(')') {
            return self.call(text, depth);
        }
        if reads_environment(text) {
            return None;
        }
        self.named(text, depth)
    }

    fn call(&self, text: &str, depth: usize) -> Option<Vec<String>> {
        let open = closed(text)?;
        let (callee, arguments) = (&text[..open], &text[open + 1..text.len() - 1]);
        let arguments = split(arguments, &[","]).unwrap_or_else(|| vec![arguments]);
        let arguments: Vec<&str> = arguments.into_iter().map(str::trim).collect();
        let at = callee.rfind(['.', ':', '>']).map_or(0, |at| at + 1);
        let (receiver, name) = callee.split_at(at);
        let receiver = receiver.trim_end_matches(['.', ':', '>', '-']);
        if reads_environment(&text[..=open]) {
            // `env::var("X").unwrap_or_else(|_| "data".into())`
            if name.starts_with("unwrap_or") {
                let literals = literals(arguments.first()?);
                return (literals.len() == 1).then(|| with(Vec::new(), literals[0]));
            }
            return self.parts(arguments.get(1)?, depth);
        }
        match name {
            "dirname" => Some(up(self.parts(arguments.first()?, depth)?)),
            // `new URL("./data", import.meta.url)`
            "URL" => {
                let file = self.parts(arguments.get(1)?, depth)?;
                Some(with(up(file), literal(arguments.first()?)?))
            }
            "expand_path" => {
                let base = arguments
                    .get(1)
                    .map_or(Some(Vec::new()), |it| self.parts(it, depth))?;
                Some(with(base, literal(arguments.first()?)?))
            }
            name if JOINS.contains(&name) => {
                let is_module = receiver.is_empty() || MODULES.contains(&receiver);
                let receiver = (!is_module).then_some(receiver);
                let arguments = arguments.into_iter().filter(|it| !it.contains("strict="));
                self.joined(receiver.into_iter().chain(arguments), depth)
            }
            _ => None,
        }
    }

    /// The value of a name that has one alone.
    fn named(&self, text: &str, depth: usize) -> Option<Vec<String>> {
        let name = text.rsplit(['.', '>', '@', '$', ':']).next()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        let mut found: Vec<(&Source, String)> = values(self.source, name);
        let constant = !name.contains(|c: char| c.is_ascii_lowercase());
        if found.is_empty() && constant {
            let all = self.sources.iter();
            found = all.flat_map(|source| values(source, name)).collect();
        }
        match found.as_slice() {
            [] => CUSTOMARY.contains(&name).then(Vec::new),
            [(source, value)] => {
                let scope = Scope {
                    source,
                    sources: self.sources,
                    parts: Rc::clone(&self.parts),
                };
                // `environ.Path(__file__) - 3`
                let customary =
                    CUSTOMARY.contains(&name) && THIS.iter().any(|it| value.contains(it));
                let known = scope.parts(value, depth);
                let parts = known.or_else(|| customary.then(Vec::new))?;
                (!is_moved(source, value, &parts)).then_some(parts)
            }
            _ => None,
        }
    }
}

/// The folder above; that above the app's own is outside.
fn up(parts: Vec<String>) -> Vec<String> {
    with(parts, "..")
}

/// The text between the quotes, if `text` is nothing else.
fn literal(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['f', 'r', 'b', 'u', '@']);
    match spans(text).as_slice() {
        [(1, inner)] if inner.len() + 2 == text.len() => Some(inner),
        _ => None,
    }
}

fn reads_environment(text: &str) -> bool {
    ENVIRONMENT.iter().any(|word| text.contains(word))
}

/// `text` at each of `operators` that stands in no bracket and no quotes; `None` when none does.
fn split<'a>(text: &'a str, operators: &[&str]) -> Option<Vec<&'a str>> {
    let (mut depth, mut quote, mut begin) = (0usize, None, 0);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && at >= begin => {
                let here = operators.iter().find(|it| text[at..].starts_with(**it));
                // `a . b` in PHP; `1.5` and `a->b` are no such.
                if let Some(operator) = here {
                    found.push(&text[begin..at]);
                    begin = at + operator.len();
                }
            }
            _ => {}
        }
    }
    found.push(&text[begin..]);
    (found.len() > 1).then_some(found)
}

/// What `source` gives to `name`, at the beginnings of lines.
fn values<'a>(source: &'a Source, name: &str) -> Vec<(&'a Source, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let value = |at: usize| {
        let line = lines[at];
        let start = line.find(name)?;
        let (before, rest) = (&line[..start], &line[start + name.len()..]);
        let leads = |c: char| c.is_alphanumeric() || "_ \t$@.-><".contains(c);
        if !before.chars().all(leads) || before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            return None;
        }
        let (kind, value) = rest.split_once('=')?;
        let kind = kind.trim();
        let typed =
            kind.is_empty() || kind == ":" || kind.starts_with(':') && literals(kind).is_empty();
        if !typed || value.starts_with(['=', '>']) || kind.contains(['(', '{']) {
            return None;
        }
        let mut value = value.trim().to_owned();
        for next in lines[at + 1..].iter().take(6) {
            let count = |set: [char; 2]| value.matches(set).count();
            if count(['(', '[']) <= count([')', ']']) {
                break;
            }
            value.push_str(next.trim());
        }
        Some((source, value))
    };
    (0..lines.len()).filter_map(value).collect()
}

/// `parts`, and then a relative path.
pub(super) fn with(mut parts: Vec<String>, path: &str) -> Vec<String> {
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

/// Whether a compiler puts the file elsewhere whose folder `expression` starts from.
pub(super) fn is_moved(source: &Source, expression: &str, parts: &[String]) -> bool {
    let top = source.path.split_once('/').map(|(top, _)| top);
    source.is(&["ts", "tsx", "mts", "cts"])
        && HERE
            .iter()
            .chain(THIS)
            .any(|word| expression.contains(word))
        && parts.first().map(String::as_str) == top
}
