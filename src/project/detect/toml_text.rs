//! TOML as a person would write it: one key per line, comments beside short lines.

use std::collections::BTreeMap;

/// A string: basic, or literal when it holds double quotes or backslashes.
pub(super) fn string(text: &str) -> String {
    let plain = !text.chars().any(char::is_control);
    if plain && text.contains(['"', '\\']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of strings: on one line while it is short.
pub(super) fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| string(item)).collect();
    array(&items)
}

/// A list of values that are TOML already.
pub(super) fn array(items: &[String]) -> String {
    let line = format!("[{}]", items.join(", "));
    if line.len() <= 80 {
        return line;
    }
    let lines: String = items.iter().map(|item| format!("    {item},\n")).collect();
    format!("[\n{lines}]")
}

/// An inline table of strings.
pub(super) fn table(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{} = {}", self::key(key), string(value)))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A key, quoted when it must be.
pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { text.to_owned() } else { string(text) }
}

/// `key = value` lines of one table with comments beside them, aligned; a comment for a long line
/// stands above it.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<(String, Option<String>)>);

impl Lines {
    pub fn add(&mut self, line: impl Into<String>) {
        self.0.push((line.into(), None));
    }

    pub fn explain(&mut self, line: impl Into<String>, comment: impl Into<String>) {
        self.0.push((line.into(), Some(comment.into())));
    }

    /// The lines, each with its end.
    pub fn text(&self) -> String {
        const WIDTH: usize = 96;
        let short = |(line, comment): &&(String, Option<String>)| {
            let comment = comment.as_ref().map_or(0, String::len);
            comment > 0 && line.len() <= 44 && line.len() + comment + 4 <= WIDTH
        };
        let column = self
            .0
            .iter()
            .filter(short)
            .map(|(line, _)| line.len())
            .max()
            .unwrap_or(0);
        let mut out = String::new();
        for entry in &self.0 {
            match entry {
                (line, None) => out.push_str(line),
                (line, Some(comment)) if short(&entry) => {
                    out.push_str(&format!("{line:column$}  # {comment}"));
                }
                (line, Some(comment)) => out.push_str(&format!("# {comment}\n{line}")),
            }
            out.push('\n');
        }
        out
    }
}

/// Every line behind a `# `.
pub(super) fn commented(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "#\n".to_owned()
            } else {
                format!("# {line}\n")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_valid_string() {
        for text in [
            "a",
            "it's",
            "say \"hi\"",
            "it's \"x\"",
            "a\\b",
            "a\nb\u{7f}\u{85}",
            "ü",
            "",
        ] {
            let table: toml::Table = format!("x = {}", string(text)).parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
        }
        let table: toml::Table = format!("{} = 1", key("a b\"")).parse().unwrap();
        assert_eq!(table["a b\""].as_integer(), Some(1));
    }
}
