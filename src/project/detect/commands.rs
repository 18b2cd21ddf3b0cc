//! The commands of a line for the shell, with what joins them.

/// A command, and the operator behind it; none behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub text: &'a str,
    pub operator: &'a str,
}

/// The commands of a line, split at the operators outside of quotes and parentheses.
pub(super) fn of(line: &str) -> Vec<Command<'_>> {
    let mut found = Vec::new();
    let (mut quote, mut depth, mut start) = (None, 0_u32, 0);
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'(' | b'{') => depth += 1,
            (None, b')' | b'}') => depth = depth.saturating_sub(1),
            (None, b'&' | b'|' | b';') if depth == 0 && !redirects(bytes, at) => {
                let end = at + 1 + usize::from(bytes.get(at + 1) == Some(&byte));
                found.push(Command {
                    text: line[start..at].trim(),
                    operator: &line[at..end],
                });
                (at, start) = (end, end);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found.push(Command {
        text: line[start..].trim(),
        operator: "",
    });
    found.retain(|command| !command.text.is_empty());
    found
}

/// Whether the `&` at `at` is one of `2>&1` or `&>file`.
fn redirects(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| bytes[at]);
    bytes[at] == b'&' && (before == Some(b'>') || bytes.get(at + 1) == Some(&b'>'))
}

/// The line with each of its commands changed; what joins them stays.
pub(super) fn each(line: &str, mut change: impl FnMut(&str) -> String) -> String {
    let (mut changed, mut end) = (String::new(), 0);
    let inner = unwrapped(line);
    for command in of(inner) {
        let start = command.text.as_ptr() as usize - line.as_ptr() as usize;
        changed.push_str(&line[end..start]);
        changed.push_str(&change(command.text));
        end = start + command.text.len();
    }
    changed.push_str(&line[end..]);
    changed
}

/// The line inside of `sh -c '…'`.
pub(super) fn unwrapped(line: &str) -> &str {
    const SHELLS: &[&str] = &[
        "bash -c ",
        "sh -c ",
        "bash -lc ",
        "/bin/sh -c ",
        "/bin/bash -c ",
    ];
    let line = line.trim();
    let inner = SHELLS.iter().find_map(|shell| {
        let inner = line.strip_prefix(shell)?.trim();
        let quote = inner.chars().next().filter(|c| "'\"".contains(*c))?;
        let inner = inner[1..].strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    });
    inner.unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_a_line_is_changed_and_nothing_else() {
        for (line, changed) in [
            ("a", "[a]"),
            ("a; b  && c || d", "[a]; [b]  && [c] || [d]"),
            ("a 2>&1 | b &>x & c", "[a 2>&1] | [b &>x] & [c]"),
            ("a 'x; y' \"&&\"; b", "[a 'x; y' \"&&\"]; [b]"),
            ("bash -c 'a && b'", "bash -c '[a] && [b]'"),
            ("(a; b); c", "[(a; b)]; [c]"),
            ("", ""),
        ] {
            assert_eq!(each(line, |text| format!("[{text}]")), changed, "{line}");
        }
    }
}
