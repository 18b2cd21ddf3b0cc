//! Names that stand for a plain value in their source: `const PORT = 4000`, `host := "0.0.0.0"`. Text,
//! not a parser: a name that is given a value twice, or one that is computed, stands for none.

use std::collections::BTreeMap;

use super::folder::Source;
use super::text::spans;

/// How long a line and a value may be, bytes.
const MAX_LINE: usize = 500;
const MAX_VALUE: usize = 120;

/// Types that stand behind a name, in Go.
const TYPES: &[&str] = &["int", "int32", "int64", "string", "uint", "uint16"];

/// Ends of numbers and of texts that only say a type.
const ENDS: &[&str] = &[
    ".into()",
    ".to_owned()",
    ".to_string()",
    "i32",
    "u16",
    "u32",
    "usize",
];

/// Calls that make a text of a number.
const TEXTS: &[&str] = &["String(", "strconv.Itoa(", "str("];

/// Places in a text that an argument fills.
const GAPS: &[&str] = &["{}", "%d", "%s", "%v", "{0}"];

/// `source` with each such value in the place of its name; `None` where it has no such name.
pub(super) fn written_out(source: &Source) -> Option<Source> {
    let values = values(source);
    if values.is_empty() {
        return None;
    }
    let lines = source.lines().map(|line| match line.len() <= MAX_LINE {
        true => joined(&filled(&named(line, &values))),
        false => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    Some(Source {
        path: source.path.clone(),
        text,
    })
}

/// The names that stand for the name of a variable in one of `sources`, also for the others:
/// `pub const SALT: &str = "SHOP_SALT"`.
pub(super) fn of_variables<'a>(sources: &[&'a Source]) -> BTreeMap<&'a str, &'a str> {
    let is_upper = |text: &str| is_name(text) && !text.contains(|c: char| c.is_ascii_lowercase());
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    let mut twice = Vec::new();
    for (name, value) in sources.iter().flat_map(|source| values(source)) {
        let inner = value.trim_matches(['"', '\'', '`']);
        if is_upper(name)
            && is_upper(inner)
            && found.insert(name, value).is_some_and(|it| it != value)
        {
            twice.push(name);
        }
    }
    found.retain(|name, _| !twice.contains(name));
    found
}

/// `source` with the names of variables written out where it reads the environment; `None` where it
/// reads none by another name.
pub(super) fn read_by_name(source: &Source, names: &BTreeMap<&str, &str>) -> Option<Source> {
    let line = |line: &str| {
        let reads = line.to_ascii_lowercase().contains("env") && line.len() <= MAX_LINE;
        match reads {
            true => without_paths(named(line, names)),
            false => line.to_owned(),
        }
    };
    let lines: Vec<String> = source.text.lines().map(line).collect();
    let text = lines.join("\n");
    (text.trim_end() != source.text.trim_end()).then(|| Source {
        path: source.path.clone(),
        text,
    })
}

/// `vars::"SALT"` is the value alone.
fn without_paths(mut line: String) -> String {
    while let Some(at) = line.find("::\"") {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let begin = line[..at].trim_end_matches(part).len();
        line.replace_range(begin..at + 2, "");
    }
    line
}

/// The names of `source` that have a plain value, as it is written.
fn values(source: &Source) -> BTreeMap<&str, &str> {
    let mut found: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for line in source.lines().filter(|line| line.len() <= MAX_LINE) {
        if let Some((name, value)) = assigned(line) {
            found
                .entry(name)
                .and_modify(|value| *value = None)
                .or_insert(plain(value));
        }
    }
    let plain = found.into_iter();
    plain
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The name that a line gives a value, and that value.
fn assigned(line: &str) -> Option<(&str, &str)> {
    if let Some(rest) = line.strip_prefix("#define ") {
        return rest.trim().split_once(' ');
    }
    let (left, value) = line.split_once('=')?;
    let compares = left.ends_with(['=', '!', '<', '>', '+', '-', '*', '/', '|', '&', '?', '%']);
    // `port=8000,` on a line of its own is an argument.
    if compares || value.starts_with(['=', '>', '~']) || value.trim_end().ends_with(',') {
        return None;
    }
    let left = left.split(':').next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_ \t$@".contains(c);
    let mut words = left.split_whitespace().rev();
    let mut name = words.next()?;
    if let (true, Some(before)) = (TYPES.contains(&name), words.next()) {
        name = before;
    }
    let name = name.trim_start_matches(['$', '@']);
    (left.chars().all(plain) && is_name(name)).then_some((name, value))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value that is a number or a text, and nothing else.
fn plain(value: &str) -> Option<&str> {
    let value = value.trim_start();
    let (plain, rest) = match spans(value).first() {
        Some((1, text)) => value.split_at(text.len() + 2),
        _ => {
            let digits = value.bytes().take_while(u8::is_ascii_digit).count();
            value.split_at(digits)
        }
    };
    let rest = rest.trim_start_matches('_');
    let rest = ENDS
        .iter()
        .find_map(|end| rest.strip_prefix(end))
        .unwrap_or(rest);
    let rest = rest.trim_start_matches(';').trim();
    let is_all = rest.is_empty() || rest.starts_with("//") || rest.starts_with('#');
    (is_all && !plain.is_empty() && plain.len() <= MAX_VALUE).then_some(plain)
}

/// `line` with the values of its names, also of those in the brackets of a text.
fn named(line: &str, values: &BTreeMap<&str, &str>) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let texts = spans(line);
    let mut written = String::new();
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let end = line[at..]
            .find(|c| !part(c))
            .map_or(line.len(), |end| at + end);
        if end == at {
            written.push(c);
            at += c.len_utf8();
            continue;
        }
        let (before, after) = (&line[..at], line[end..].trim_start());
        let inside = texts
            .iter()
            .any(|(start, text)| (*start..start + text.len()).contains(&at));
        let value = values.get(&line[at..end]).copied();
        let stands = match inside {
            true => before.ends_with('{') && line[end..].starts_with('}'),
            false => {
                let is_set = after.starts_with('=') && !after.starts_with("==");
                !before.ends_with('.') && !is_set && !after.starts_with([':', '(', '.', '['])
            }
        };
        match value.filter(|_| stands) {
            Some(value) if inside => {
                let open = written.trim_end_matches('{').trim_end_matches(['$', '#']);
                written.truncate(open.len());
                written.push_str(value.trim_matches(['"', '\'', '`']));
                at = end + 1;
            }
            Some(value) => {
                let open = written.trim_end_matches(['$', '@']);
                written.truncate(open.len());
                written.push_str(value);
                at = end;
            }
            None => {
                written.push_str(&line[at..end]);
                at = end;
            }
        }
    }
    written
}

/// The first text of `line` with gaps, filled with the plain arguments behind it.
fn filled(line: &str) -> String {
    let has_gap = |text: &str| GAPS.iter().any(|gap| text.contains(gap));
    let texts = spans(line);
    let Some((start, text)) = texts.iter().find(|(_, text)| has_gap(text)) else {
        return line.to_owned();
    };
    let end = start + text.len();
    let behind = line[end + 1..].trim_start();
    let arguments = [",", ".format(", "%"]
        .iter()
        .find_map(|word| behind.strip_prefix(word));
    let Some(arguments) = arguments else {
        return line.to_owned();
    };
    let mut text = (*text).to_owned();
    for argument in arguments.split([',', ')']).map(str::trim) {
        let first = GAPS
            .iter()
            .filter_map(|gap| Some((text.find(gap)?, gap.len())));
        let (Some((at, length)), Some(value)) = (first.min(), plain(argument)) else {
            break;
        };
        text.replace_range(at..at + length, value.trim_matches(['"', '\'', '`']));
    }
    format!("{}{text}{}", &line[..*start], &line[end..])
}

/// `":" + "8080"` as one text.
fn joined(line: &str) -> String {
    let Some((start, text)) = spans(line)
        .into_iter()
        .find(|(_, text)| text.ends_with(':'))
    else {
        return line.to_owned();
    };
    let end = start + text.len();
    let Some(rest) = line[end + 1..].trim_start().strip_prefix('+') else {
        return line.to_owned();
    };
    let rest = rest.trim_start();
    let rest = TEXTS
        .iter()
        .find_map(|call| rest.strip_prefix(call))
        .unwrap_or(rest);
    let rest = rest.trim_start_matches(['"', '\'', '`']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let quote = &line[end..=end];
    let number = &rest[..digits];
    format!("{}{number}{quote}{}", &line[..end], &rest[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_one_plain_value_is_written_out() {
        for (path, text, line) in [
            (
                "a.js",
                "const PORT = 4000;\nx.listen(PORT, f)",
                "x.listen(4000, f)",
            ),
            (
                "a.js",
                "const P = '4000'\nx.listen(`:${P}`)",
                "x.listen(`:4000`)",
            ),
            ("a.ts", "const P: number = 1\nf({ P: P })", "f({ P: 1 })"),
            (
                "a.rs",
                "let port = 8082_u16;\nformat!(\"h:{}\", port)",
                "format!(\"h:8082\", 8082)",
            ),
            (
                "a.rs",
                "const P: u16 = 80;\nformat!(\"h:{P}\")",
                "format!(\"h:80\")",
            ),
            (
                "a.go",
                "const port int = 80\nfmt.Sprintf(\"%s:%d\", \"\", port)",
                "fmt.Sprintf(\":80\", \"\", 80)",
            ),
            ("a.go", "p := 80\nf(\":\" + strconv.Itoa(p))", "f(\":80\"))"),
            ("a.py", "A = 'x'\nB = 5\nf(A, b=B)", "f('x', b=5)"),
            ("a.py", "P = 5 # five\nf(':%d' % P)", "f(':5' % 5)"),
            ("a.py", "P = 5\nf('{}'.format(P))", "f('5'.format(5))"),
            ("a.php", "$p = 'x';\nf($p);", "f('x');"),
            ("a.c", "#define P 80\nhtons(P)", "htons(80)"),
            // Not these.
            ("a.py", "P = 5\nP = 6\nf(P)", "f(P)"),
            ("a.py", "P = g()\nf(P)", "f(P)"),
            ("a.py", "P = 5\nf(self.P)", "f(self.P)"),
            ("a.py", "P = 5\nf('P')", "f('P')"),
            ("a.py", "f(\n  P=5,\n)\nf(P)", "f(P)"),
            ("a.js", "if (P == 5)\nf(P)", "f(P)"),
        ] {
            let source = Source {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            let known = written_out(&source).unwrap_or(source);
            assert_eq!(known.text.lines().last(), Some(line), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_written_out_without_a_panic(
            text in "([a-c]|=|:|\"|'|\\{|\\}|%d|\\$|\\+|,|\\(|\\)|5|ü| |\n){0,60}",
        ) {
            let path = "a.js".to_owned();
            let _ = written_out(&Source { path, text });
        }
    }
}
