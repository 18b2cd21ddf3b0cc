//! `_headers`: a path on a line of its own, then indented `Name: value` lines.

use super::{Pattern, Problem, lines};

/// The most rules that are kept.
const MAX_RULES: usize = 1000;

/// Headers that frame or describe what is sent: a site does not choose them.
const RESERVED: &[&str] = &[
    "accept-ranges",
    "age",
    "allow",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "location",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The rules of a `_headers` file, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<HeaderRule>);

/// A path and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRule {
    path: Pattern,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Set(String, String),
    Remove(String),
}

impl Headers {
    /// Reads the text of a `_headers` file: the rules that ship follows, and the lines that it does
    /// not.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut rules: Vec<HeaderRule> = Vec::new();
        // Whether the lines that follow belong to the last rule, or to a path that was refused.
        let mut is_known = None;
        for (number, line) in lines(text, &mut problems) {
            let (is_indented, line) = (line.starts_with([' ', '\t']), line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = match (is_indented, is_known) {
                (true, Some(true)) => Line::parse(line).map(|line| {
                    if let Some(rule) = rules.last_mut() {
                        rule.lines.push(line);
                    }
                }),
                (true, Some(false)) => Ok(()),
                (true, None) => Err("a header without a path above it".to_owned()),
                (false, _) if rules.len() == MAX_RULES => {
                    let why = format!("the first {MAX_RULES} paths are followed, and no more");
                    problems.push(Problem::new(number, why));
                    break;
                }
                (false, _) => {
                    let path = Pattern::parse(line);
                    is_known = Some(path.is_ok());
                    path.map(|path| {
                        let lines = Vec::new();
                        rules.push(HeaderRule { path, lines });
                    })
                }
            };
            problems.extend(read.err().map(|why| Problem::new(number, why)));
        }
        problems.sort_by_key(|problem| problem.line);
        (Self(rules), problems)
    }

    /// What the rules make of a response to `names`, the decoded names of a path: each header with
    /// its value, or `None` where ship's own is taken away. Values of one name are joined.
    #[must_use]
    pub fn of(&self, names: &[&str]) -> Vec<(&str, Option<String>)> {
        let mut found: Vec<(&str, Option<String>)> = Vec::new();
        for rule in &self.0 {
            let Some(captures) = rule.path.captures(names) else {
                continue;
            };
            for line in &rule.lines {
                let (name, value) = match line {
                    Line::Set(name, value) => (name, Some(captures.fill(value, printable))),
                    Line::Remove(name) => (name, None),
                };
                let have = found.iter_mut().find(|(have, _)| have == name);
                match (have, value) {
                    (None, value) => found.push((name, value)),
                    (Some((_, Some(have))), Some(value)) => {
                        have.push_str(", ");
                        have.push_str(&value);
                    }
                    (Some((_, have)), value) => *have = value,
                }
            }
        }
        found
    }
}

impl Line {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = match text.strip_prefix('!') {
            Some(name) => (name, None),
            None => {
                let colon = text.split_once(':');
                let (name, value) = colon.ok_or_else(|| format!("`{text}` is not a header"))?;
                (name, Some(value.trim()))
            }
        };
        let name = name.trim().to_ascii_lowercase();
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("`{name}` is not the name of a header"));
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("`{name}` is for ship to say"));
        }
        Ok(match value {
            None => Self::Remove(name),
            Some(value) if value.bytes().all(|b| b == b'\t' || !b.is_ascii_control()) => {
                Self::Set(name, value.to_owned())
            }
            Some(_) => return Err(format!("the value of `{name}` holds control characters")),
        })
    }
}

/// What a request says, as part of a header's value.
fn printable(text: &str) -> String {
    let is_plain = |c: &char| !c.is_control();
    text.chars().filter(is_plain).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "# all\n/*\n  X-Frame-Options: DENY\n  Link: </a.css>; rel=preload\n\n\
        /assets/*\n  Cache-Control: public, max-age=60\n\tlink: </b.css>; rel=preload\n\
        /assets/open/:name\n  ! x-frame-options\n  X-Name: \":name\"\n";

    fn of(names: &[&str]) -> String {
        let (rules, problems) = Headers::parse(TEXT);
        assert_eq!(problems, []);
        let found = rules.of(names).into_iter();
        let lines = found.map(|(name, value)| format!("{name}: {}", value.unwrap_or("-".into())));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rules_add_up_and_can_take_away() {
        assert_eq!(
            of(&["a"]),
            "x-frame-options: DENY\nlink: </a.css>; rel=preload"
        );
        assert_eq!(
            of(&["assets", "open", "x"]),
            "x-frame-options: -\nlink: </a.css>; rel=preload, </b.css>; rel=preload\n\
             cache-control: public, max-age=60\nx-name: \"x\""
        );
    }

    #[test]
    fn lines_that_are_not_followed_are_named() {
        let text = "  X: y\n/a\n  nonsense\n  Content-Length: 3\n  b c: d\n  ok: yes\n\
                    https://a.example/*\n  X: y\n/b\n  X: \u{1}\n";
        let (rules, problems) = Headers::parse(text);
        assert_eq!(rules.of(&["a"]), [("ok", Some("yes".to_owned()))]);
        let text: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.line, problem.why))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(
            text in "([/:*a-c!# \\t\\n\\u{e9}\\u{1}]|X-A: |Date: ){0,60}",
            names in proptest::collection::vec("[a-c\\u{1}\\u{e9}]{1,4}", 0..4),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (rules, _) = Headers::parse(&text);
            for (name, value) in rules.of(&names) {
                prop_assert!(!name.is_empty() && !RESERVED.contains(&name));
                let value = value.unwrap_or_default();
                prop_assert!(value.bytes().all(|b| b == b'\t' || !b.is_ascii_control()));
            }
        }
    }
}
