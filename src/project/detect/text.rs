//! Looking at source text without parsing it.

/// What stands between quotes on `line`: `"…"`, `'…'` or a backtick pair. An unpaired quote (a
/// lifetime, an apostrophe) is passed over.
pub(super) fn literals(line: &str) -> Vec<&str> {
    spans(line).into_iter().map(|(_, text)| text).collect()
}

/// [`literals`], each with the place where its text begins.
pub(super) fn spans(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..].find(['"', '\'', '`']) {
        let start = at + start + 1;
        let quote = &line[start - 1..start];
        at = match line[start..].find(quote) {
            Some(end) => {
                found.push((start, &line[start..start + end]));
                start + end + 1
            }
            None => start,
        };
    }
    found
}

/// The number at the start of `text`, after white space and at most one opening quote; not one
/// that goes on as a word or a fraction.
pub(super) fn leading_port(text: &str) -> Option<u16> {
    let text = text.trim_start();
    let text = text.strip_prefix(['"', '\'', '`']).unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let next = text[digits..].chars().next();
    if next.is_some_and(|c| c.is_alphanumeric() || c == '_')
        || (next == Some('.') && text[digits + 1..].starts_with(|c: char| c.is_ascii_digit()))
    {
        return None;
    }
    plausible(text[..digits].parse().ok()?)
}

/// A port that an app would listen on: not that of a database or mail server, which sources also
/// name.
pub(super) fn plausible(port: u16) -> Option<u16> {
    const OTHERS: &[u16] = &[
        110, 143, 443, 465, 587, 993, 1024, 1025, 1433, 1521, 3306, 5432, 5672, 6379, 8125, 9092,
        9200, 11211, 27017, 65535,
    ];
    (port >= 80 && !OTHERS.contains(&port)).then_some(port)
}

/// Whether `word` stands in `text` as a word of its own (`_` and `-` belong to words).
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// What `key` is in `text`, the inside of an object: the expression behind `key:`.
pub(super) fn option<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let found = text.match_indices(key).find_map(|(at, _)| {
        let value = text[at + key.len()..].trim_start().strip_prefix(':')?;
        (!text[..at].ends_with(is_part)).then_some(value)
    })?;
    let mut depth = 0_u32;
    let end = found.find(|c: char| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return true,
            ')' | ']' | '}' => depth -= 1,
            ',' | '\n' => return depth == 0,
            _ => {}
        }
        false
    });
    Some(found[..end.unwrap_or(found.len())].trim())
}

/// The first `max` characters' worth of bytes, cut at a character.
pub(super) fn head(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_come_in_any_quotes() {
        assert_eq!(
            literals(r#"f("a", 'b/c', `d`) // don't"#),
            ["a", "b/c", "d"]
        );
        assert_eq!(literals("fn f<'a>(x: &str)"), [""; 0]);
        assert_eq!(literals("ünï \"ö\""), ["ö"]);
    }

    #[test]
    fn a_port_is_a_whole_number() {
        assert_eq!(leading_port(" 3000)"), Some(3000));
        assert_eq!(leading_port("'8080'"), Some(8080));
        for not in ["10", "3000ms", "1.5", "8080.5", "99999", "", "x", "5432"] {
            assert_eq!(leading_port(not), None, "{not:?}");
        }
    }

    #[test]
    fn an_option_is_the_expression_behind_its_key() {
        let text = "{ subdir: 1, dir: path.join(a, 'x'), db: 'y' }";
        assert_eq!(option(text, "dir"), Some("path.join(a, 'x')"));
        assert_eq!(option(text, "db"), Some("'y'"));
        assert_eq!(option(text, "path"), None);
    }

    #[test]
    fn a_head_ends_at_a_character() {
        assert_eq!(head("aüb", 2), "a");
        assert_eq!(head("a", 9), "a");
    }
}
