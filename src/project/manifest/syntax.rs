//! What TOML itself refuses.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::context::Context;

/// What is left to say after the syntax: sections of the file without errors.
pub(super) struct Damage {
    sections: Vec<usize>,
}

impl Damage {
    /// Whether nothing was damaged.
    pub(super) fn is_none(&self) -> bool {
        self.sections.is_empty()
    }

    /// Whether what the parser made of the place is not to be trusted: an error lies in the same
    /// section, that is between two headers.
    pub(super) fn reaches(&self, text: &str, at: usize) -> bool {
        self.sections.contains(&section(text, at))
    }
}

/// Reports `errors`, one for each line; duplicate keys damage nothing.
pub(super) fn report(
    ctx: &mut Context,
    text: &str,
    root: &Spanned<DeTable<'_>>,
    errors: &[Error],
) -> Damage {
    let mut sections = Vec::new();
    let mut lines = Vec::new();
    let mut errors: Vec<(Range<usize>, &str)> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(text.len()..text.len());
            (span, error.message())
        })
        .collect();
    errors.sort_by_key(|(span, _)| span.start);
    for (span, message) in errors {
        if message == "duplicate key" {
            duplicate(ctx, text, root.get_ref(), span);
            continue;
        }
        let line = text
            .get(..span.start)
            .map_or(0, |t| t.matches('\n').count());
        if !lines.contains(&line) {
            lines.push(line);
            let (message, label) = match message.split_once(", expected ") {
                Some((message @ "string values must be quoted", _)) => {
                    (message, "put it in quotes".to_owned())
                }
                Some((message, expected)) => (message, format!("expected {expected}")),
                None => (message, String::new()),
            };
            ctx.error(span.clone(), message, label);
        }
        sections.push(section(text, span.start));
    }
    Damage { sections }
}

/// Where the section of `at` begins: the last line up to there that begins with a bracket.
fn section(text: &str, at: usize) -> usize {
    let mut begin = 0;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if offset > at {
            break;
        }
        if line.trim_start().starts_with('[') {
            begin = offset;
        }
        offset += line.len();
    }
    begin
}

fn duplicate(ctx: &mut Context, text: &str, root: &DeTable<'_>, span: Range<usize>) {
    let key = text.get(span.clone()).unwrap_or("").to_owned();
    let header = line_at(text, span.start).trim();
    if header.starts_with('[') {
        let problem = ctx.error(
            span.clone(),
            format!("the table {header} is there twice"),
            "again",
        );
        let before = text.get(..span.start).unwrap_or("");
        let mut offset = 0;
        for line in before.split_inclusive('\n') {
            // The last line of what is before is the header itself, cut off.
            if line.trim() == header {
                let start = offset + line.len() - line.trim_start().len();
                problem.label(start..start + header.len(), "first here");
                break;
            }
            offset += line.len();
        }
        return;
    }
    let mut first = None;
    earlier(text, root, &key, span.start, &mut first);
    let problem = ctx.error(span, format!("the key `{key}` is there twice"), "again");
    if let Some(first) = first {
        problem.label(first, "first here");
    }
}

fn line_at(text: &str, at: usize) -> &str {
    let start = text
        .get(..at)
        .and_then(|t| t.rfind('\n'))
        .map_or(0, |n| n + 1);
    let rest = text.get(start..).unwrap_or("");
    rest.lines().next().unwrap_or("")
}

/// Finds the last place before `at` where `key` is written, other than in inline tables that have
/// ended.
fn earlier(
    text: &str,
    table: &DeTable<'_>,
    key: &str,
    at: usize,
    found: &mut Option<Range<usize>>,
) {
    for (name, value) in table {
        let span = name.span();
        let closer = found.as_ref().is_none_or(|found| span.start > found.start);
        if text.get(span.clone()) == Some(key) && span.start < at && closer {
            *found = Some(span);
        }
        if let DeValue::Table(inner) = value.get_ref() {
            let span = value.span();
            let is_inline = text.get(span.clone()).is_some_and(|t| t.starts_with('{'));
            if !is_inline || span.contains(&at) {
                earlier(text, inner, key, at, found);
            }
        }
    }
}
