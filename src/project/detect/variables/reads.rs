//! Reads of a variable that fail when nobody has set it. A new way to read is one more row.

use super::super::folder::Source;
use super::levels::at_import;
use super::options;

const SCRIPT: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"];

/// When a read is one that must succeed.
#[derive(Debug, Clone, Copy)]
enum When {
    /// Always: it fails by itself.
    Always,
    /// When the code says so right behind it, or fails when the value is missing.
    Said(&'static [&'static str]),
    /// When it has no more arguments than those of [`HARMLESS`]: one more is a value to fall back on.
    Alone,
    /// When a tag of a field says so.
    Tag(&'static [&'static str]),
}

/// A way to read a variable: what stands before its name, and when it has to be there.
struct Form {
    types: &'static [&'static str],
    /// Words of which the file has one; none: any file.
    with: &'static [&'static str],
    before: &'static [&'static str],
    when: When,
}

/// Arguments that are no value to fall back on.
const HARMLESS: &[&str] = &["cast=", "cast =", "subcast=", "parse_default", "validate="];

#[rustfmt::skip]
const FORMS: &[Form] = &[
    Form { types: SCRIPT, with: &[], before: &["process.env.", "process.env[", "Bun.env.", "Bun.env[", "Deno.env.get("],
        when: When::Said(&["!"]) },
    Form { types: SCRIPT, with: &["$env/dynamic/"], before: &["env."], when: When::Said(&["!"]) },
    Form { types: SCRIPT, with: &[], before: &["getOrThrow("], when: When::Always },
    Form { types: &["py"], with: &[], before: &["environ["], when: When::Always },
    Form { types: &["py"], with: &[], before: &["environ.get(", "getenv("], when: When::Said(&[]) },
    Form { types: &["py"], with: &["environ", "environs"], before: &["env(", "env.str(", "env.int(", "env.bool(", "env.url(", "env.db(", "env.list(", "env.cache(", "env.db_url("],
        when: When::Alone },
    Form { types: &["py"], with: &["decouple", "starlette.config", "starlette.datastructures"], before: &["config("], when: When::Alone },
    Form { types: &["rb", "ru"], with: &[], before: &["ENV.fetch("], when: When::Alone },
    Form { types: &["rb", "ru"], with: &[], before: &["ENV["], when: When::Said(&[]) },
    Form { types: &["go"], with: &[], before: &["Getenv(", "LookupEnv("], when: When::Said(&[]) },
    Form { types: &["go"], with: &[], before: &["env:", "envconfig:"], when: When::Tag(&[",required", ",notEmpty", "required:\"true\"", "env-required:\"true\""]) },
    Form { types: &["rs"], with: &[], before: &["env::var(", "dotenvy::var(", "dotenv::var("],
        when: When::Said(&[".expect(", ".unwrap()", "?"]) },
    Form { types: &["php"], with: &[], before: &["$_ENV[", "$_SERVER[", "getenv("], when: When::Said(&[]) },
    Form { types: &["cs", "fs"], with: &[], before: &["GetEnvironmentVariable("], when: When::Said(&[]) },
    Form { types: &["java", "kt", "scala", "clj", "dart", "swift"], with: &[], before: &["getenv(", "environment["], when: When::Said(&[]) },
    Form { types: &["cr", "nim"], with: &[], before: &["ENV["], when: When::Said(&[]) },
];

/// What a program does when it cannot go on.
const FAILS: &[&str] = &[
    "throw ",
    "process.exit(",
    "panic(",
    "panic!(",
    "log.Fatal",
    "os.Exit(",
    "raise ",
    "raise(",
    "sys.exit(",
    "abort",
    "Fatal(",
    "Fatalf(",
    "Deno.exit(",
    "exit(1)",
];

/// The names of the variables without which `source` fails.
pub(super) fn needed(source: &Source) -> Vec<String> {
    let text = without_tests(source);
    let parts: Vec<(usize, &str)> = match source.is(&["py"]) {
        true => at_import(text),
        false => places(source, text),
    };
    let mut found: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if is_name(name) && !found.iter().any(|have| have == name) {
            found.push(name.to_owned());
        }
    };
    if is_of_developers(&source.path) {
        return found;
    }
    let rows = FORMS.iter().filter(|row| {
        source.is(row.types) && (row.with.is_empty() || row.with.iter().any(|it| text.contains(it)))
    });
    let rows: Vec<&Form> = rows.collect();
    for (start, line) in parts {
        for (row, before) in rows
            .iter()
            .flat_map(|row| row.before.iter().map(move |it| (*row, *it)))
        {
            for (at, _) in line.match_indices(before) {
                // A word of its own: `getenv(`, and not `mygetenv(`.
                let whole = !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                    || before.starts_with(|c: char| c.is_ascii_uppercase());
                let read = Read::new(text, start, start + at, start + at + before.len());
                if let Some(read) = read.filter(|read| whole && read.must(row.when)) {
                    add(read.name);
                }
            }
        }
        helpers(line).for_each(&mut add);
    }
    if source.is(&["rs"]) {
        options::needed(text).iter().for_each(|name| add(name));
    }
    found
}

/// The lines of a source that are no comment, each with its place.
fn places<'a>(source: &'a Source, text: &'a str) -> Vec<(usize, &'a str)> {
    let base = text.as_ptr() as usize;
    let lines = source.lines();
    lines
        .map(|line| (line.as_ptr() as usize - base, line))
        .filter(|(start, line)| start + line.len() <= text.len())
        .collect()
}

/// A Rust module ends with its tests.
fn without_tests(source: &Source) -> &str {
    match source.is(&["rs"]) {
        true => source.text.split("#[cfg(test)]").next().unwrap_or_default(),
        false => &source.text,
    }
}

/// Settings of an environment that is not that of a host.
fn is_of_developers(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    ["development", "dev", "test", "local", "testing", "deploy"].contains(&stem)
}

/// Whether a text is the name of a variable, by custom.
pub(in crate::project::detect) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.len() > 1 && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(plain)
}

/// One read of a variable.
struct Read<'a> {
    name: &'a str,
    /// The line before it.
    before: &'a str,
    /// The text behind it, with the bracket that ends the read left out.
    after: &'a str,
}

impl<'a> Read<'a> {
    /// The read in `text` that begins at `read` on the line at `line`, and whose name begins at `at`.
    fn new(text: &'a str, line: usize, read: usize, at: usize) -> Option<Self> {
        let rest = &text[at..];
        let opened = text[read..at].ends_with(['(', '[']);
        let quoted = rest.trim_start().strip_prefix(['"', '\'', '`']);
        let (name, after) = match quoted {
            Some(inner) => {
                let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
                let after = &inner[end..];
                let after = after.strip_prefix(['"', '\'', '`']).unwrap_or(after);
                (&inner[..end], after)
            }
            None if opened => return None,
            None => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        Some(Self {
            name,
            before: &text[line..read],
            after,
        })
    }

    /// Whether the value has to be there.
    fn must(&self, when: When) -> bool {
        match when {
            When::Always => !self.is_written() && !self.before.trim_start().starts_with("del "),
            When::Alone => self.is_alone() && !self.is_guarded(),
            When::Said(words) => {
                let after = self.behind();
                words.iter().any(|word| says(after, word))
                    || chain(after).is_some_and(|end| words.iter().any(|word| says(end, word)))
                    || self.falls()
                    || self.is_checked()
            }
            When::Tag(words) => {
                let tag = self.line_end();
                let tag = tag.split('`').next().unwrap_or(tag);
                let own = self.before.rsplit('`').next().unwrap_or_default();
                let has_default = tag.contains("efault:") || tag.contains(",default=");
                !has_default
                    && words
                        .iter()
                        .any(|word| tag.contains(word) || own.contains(word))
            }
        }
    }

    fn line_end(&self) -> &'a str {
        self.after.lines().next().unwrap_or_default()
    }

    /// The text behind the whole call.
    fn behind(&self) -> &'a str {
        let after = self.after.trim_start_matches([')', ']']);
        // A call in a chain may go on on the next line.
        match after.trim_start() {
            next if next.starts_with(['.', '?']) => next,
            _ => after,
        }
    }

    /// `environ["X"] = …` sets it.
    fn is_written(&self) -> bool {
        let rest = self.line_end().trim_start_matches(']').trim_start();
        rest.starts_with('=') && !rest.starts_with("==")
    }

    /// Whether nothing in the call is a value to fall back on, nor a block behind it.
    fn is_alone(&self) -> bool {
        let rest = self.after.trim_start();
        if let Some(rest) = rest.strip_prefix(')') {
            let rest = rest.lines().next().unwrap_or_default().trim_start();
            return !rest.starts_with('{') && !rest.starts_with("do ") && rest != "do";
        }
        let Some(arguments) = rest.strip_prefix(',') else {
            return false;
        };
        let end = arguments.find(')').or(arguments.find('\n'));
        let end = end.unwrap_or(arguments.len());
        let arguments = &arguments[..end];
        !arguments.contains("default")
            && arguments.split(',').all(|it| {
                let it = it.trim();
                it.is_empty() || HARMLESS.iter().any(|own| it.starts_with(own))
            })
    }

    /// Whether a condition on the same line lets it be missing.
    fn is_guarded(&self) -> bool {
        let words = [" if ", " unless ", " rescue "];
        words.iter().any(|word| self.line_end().contains(word))
    }

    /// `?? throw`, `|| raise`, `?: throw`, `or abort`, on this line or the next.
    fn falls(&self) -> bool {
        let after = self.behind().trim_start();
        let operators = ["??", "||", "?:", "or "];
        let rest = operators.iter().find_map(|it| after.strip_prefix(it));
        rest.is_some_and(|rest| {
            let rest = rest.trim_start();
            FAILS.iter().any(|word| rest.starts_with(word))
                || rest.starts_with("(() =>") && fails(rest)
        })
    }

    /// `if (!READ) throw`, and `x = READ` with `if !x` and a failure behind it.
    fn is_checked(&self) -> bool {
        let before = self.before.trim_start();
        if before.starts_with("if ") || before.starts_with("if(") {
            let asked = before.trim_end().ends_with('!') || before.trim_end().ends_with("not os.");
            let is_empty = self.behind().trim_start().starts_with("== \"\"");
            let one = !before.contains("&&") && !self.line_end().contains("&&");
            return (asked || is_empty) && one && fails(self.after);
        }
        let Some((variable, assigned)) = before.rsplit_once('=') else {
            return false;
        };
        if assigned.contains(['(', '?', '|']) {
            return false;
        }
        let variable = variable.trim_end_matches(':').trim_end();
        let variable = variable.split(':').next().unwrap_or_default().trim_end();
        let variable = match variable.split_once(',') {
            // `value, ok := os.LookupEnv(…)`
            Some((_, second)) => second,
            None => variable,
        };
        let Some(variable) = variable.split_whitespace().last() else {
            return false;
        };
        let near: String = self
            .after
            .lines()
            .skip(1)
            .take(8)
            .flat_map(|l| [l, "\n"])
            .collect();
        let asks = [
            format!("if (!{variable})"),
            format!("if (! {variable})"),
            format!("if !{variable} "),
            format!("if {variable} == \"\" "),
            format!("if ({variable} == null)"),
            format!("if ({variable} === undefined)"),
            format!("if not {variable}:"),
            format!("if {variable} is None:"),
            format!("if len({variable}) == 0 "),
        ];
        asks.iter()
            .any(|ask| near.find(ask).is_some_and(|at| fails(&near[at..])))
    }
}

/// Whether `text` begins with `word`; `!` and `?` are no part of an operator.
fn says(text: &str, word: &str) -> bool {
    let Some(rest) = text.strip_prefix(word) else {
        return false;
    };
    match word {
        "!" => !rest.starts_with('='),
        "?" => !rest.starts_with(['?', '.', ':']) || rest.starts_with(".\n"),
        _ => true,
    }
}

/// What follows a call that only changes the error: `.context("…")`, `.map_err(…)`.
fn chain(text: &str) -> Option<&str> {
    let calls = [".context(", ".with_context(", ".map_err(", ".wrap_err("];
    let call = calls.iter().find(|call| text.starts_with(**call))?;
    let mut depth = 1;
    let end = text[call.len()..].find(|c: char| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    })?;
    Some(text[call.len() + end + 1..].trim_start())
}

/// Whether the program ends in the next lines.
fn fails(text: &str) -> bool {
    let mut lines = text.lines().take(3);
    lines.any(|line| FAILS.iter().any(|word| line.contains(word)))
}

/// Names that a function of the project insists on: `requireEnv("X")`, `mustGetenv("X")`.
fn helpers(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('(').filter_map(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '!';
        let called = line[..at].rsplit(|c| !word(c)).next().unwrap_or_default();
        let called = called.to_ascii_lowercase();
        let insists = called.contains("must") || called.contains("require");
        let rest = line[at + 1..].strip_prefix(['"', '\''])?;
        let (name, rest) = rest.split_once(['"', '\''])?;
        (insists && called.contains("env") && rest.starts_with(')')).then_some(name)
    })
}
