//! The environment of a release as a file: `KEY="value"` lines that sh, systemd.exec(5)
//! `EnvironmentFile=` and this module read alike.
//!
//! Inside double quotes both sh (POSIX, "Double-Quotes") and systemd take a backslash before
//! `"`, `\`, `$` and a backquote as an escape; line ends and tabs stand for themselves.

use crate::model::Failure;

/// Characters that a backslash must precede inside double quotes.
const ESCAPED: [char; 4] = ['"', '\\', '$', '`'];

/// The text of an env file with `variables`, in their order.
///
/// # Errors
/// `Refused` when a name is not `[A-Za-z_][A-Za-z0-9_]*`, or when a value holds a control
/// character other than tab and line feed: systemd drops such a variable without a word to the
/// service (`env_value_is_valid`), and a NUL cannot be passed at all. The value is not in the error.
pub fn write<'a>(
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<String, Failure> {
    let mut text = String::new();
    for (name, value) in variables {
        if !is_name(name) {
            return Err(Failure::refused(format!(
                "`{name}` is not the name of an environment variable"
            ))
            .hint("letters, digits and underscores; the first one is not a digit"));
        }
        if let Some(bad) = value.chars().find(|c| !can_be_passed(*c)) {
            return Err(bad_value(name, bad));
        }
        text.push_str(name);
        text.push_str("=\"");
        for c in value.chars() {
            if ESCAPED.contains(&c) {
                text.push('\\');
            }
            text.push(c);
        }
        text.push_str("\"\n");
    }
    Ok(text)
}

/// Whether `name` is a name that sh and systemd take.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn can_be_passed(c: char) -> bool {
    matches!(c, '\t' | '\n') || !c.is_ascii_control()
}

fn bad_value(name: &str, bad: char) -> Failure {
    let (what, hint) = match bad {
        '\r' => (
            "a carriage return".to_owned(),
            "store it with LF line ends instead of CRLF",
        ),
        bad => (
            format!("the control character 0x{:02x}", u32::from(bad)),
            "encode it, for example as base64",
        ),
    };
    Failure::refused(format!(
        "the value of {name} holds {what}, which systemd does not pass on"
    ))
    .hint(hint)
}

/// The variables of an env file, in its order: what [`write`] wrote, and also bare or
/// single-quoted values and comments, by the rules of systemd.exec(5).
///
/// # Errors
/// A lower-case sentence with the number of the line, never with a value.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        if let Some(after) = trimmed.strip_prefix('\n') {
            rest = after;
            line += 1;
            continue;
        }
        if trimmed.is_empty() {
            break;
        }
        if trimmed.starts_with(['#', ';']) {
            rest = trimmed.find('\n').map_or("", |end| &trimmed[end..]);
            continue;
        }
        let Some((name, after)) = trimmed.split_once('=').filter(|(name, _)| is_name(name)) else {
            return Err(format!("line {line}: expected NAME=\"value\""));
        };
        let (value, after) =
            parse_value(after).ok_or_else(|| format!("line {line}: the quote is not closed"))?;
        line += trimmed[..trimmed.len() - after.len()].matches('\n').count();
        variables.push((name.to_owned(), value));
        rest = after;
    }
    Ok(variables)
}

/// One value and what follows it, from its line end on; `None` when a quote is not closed.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, '\n') => return Some((value.trim_end().to_owned(), &text[at..])),
            (None, '"' | '\'') => {
                quote = Some(c);
                // White space before the closing quote belongs to the value: nothing is trimmed.
                if value.trim().is_empty() {
                    value.clear();
                }
            }
            (Some(open), c) if c == open => {
                quote = None;
                let after = &text[at + 1..];
                if after.is_empty() || after.starts_with('\n') {
                    return Some((value, after));
                }
            }
            (Some('\''), c) => value.push(c),
            (_, '\\') => match chars.next() {
                None | Some((_, '\n')) => {}
                Some((_, c)) => {
                    if quote == Some('"') && !ESCAPED.contains(&c) {
                        value.push('\\');
                    }
                    value.push(c);
                }
            },
            (_, c) => value.push(c),
        }
    }
    quote.is_none().then(|| (value.trim_end().to_owned(), ""))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::{parse, write};

    #[test]
    fn sh_reads_what_is_written() {
        let values = [
            "plain",
            "",
            " spaces at both ends ",
            r#"a "quoted" \ back\slash \n \" \$ \`"#,
            "$HOME ${HOME} $(id) `id` $$ %h !! * ~",
            "two\nlines\tand a tab\n",
            "it's",
            "# no comment; none",
            "ends with a backslash \\",
            "ü ✓",
        ];
        for value in values {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(&file, write([("KEY", value)]).unwrap()).unwrap();
            let shell = Command::new("/bin/sh")
                .args(["-c", r#". "$1"; printf %s "$KEY""#, "sh"])
                .arg(file.path())
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&shell.stdout), value);
        }
    }

    #[test]
    fn what_systemd_would_drop_is_refused_without_its_value() {
        for (value, what) in [
            ("hunter2\r\n", "a carriage return"),
            ("hunter2\u{1b}", "0x1b"),
        ] {
            let failure = write([("KEY", value)]).unwrap_err();
            assert!(failure.message().contains(what), "{failure}");
            assert!(!format!("{failure:?}").contains("hunter2"));
        }
        for name in ["", "1A", "A-B", "A B", "A=B", "Ä"] {
            assert!(write([(name, "x")]).is_err(), "{name:?} was taken");
        }
    }

    #[test]
    fn other_spellings_are_read_as_systemd_does() {
        let text = "# comment\n\n; another\nA=bare value  \n B='it is \\n' \nC=\"a\\\nb\"\nD=\n";
        let expected = [
            ("A", "bare value"),
            ("B", "it is \\n"),
            ("C", "ab"),
            ("D", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse(text), Ok(expected.to_vec()));
        assert_eq!(
            parse("A=\"\n\n\"\nB=\"x"),
            Err("line 4: the quote is not closed".to_owned())
        );
        assert_eq!(
            parse("A=1\nnonsense\n"),
            Err("line 2: expected NAME=\"value\"".to_owned())
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            variables in proptest::collection::vec(
                ("[A-Za-z_][A-Za-z0-9_]{0,8}", "([^\\p{Cc}]|[\t\n\"\\\\$`' #;=]){0,40}"),
                0..6,
            ),
        ) {
            let text = write(variables.iter().map(|(n, v)| (n.as_str(), v.as_str()))).unwrap();
            prop_assert_eq!(parse(&text).unwrap(), variables);
        }

        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
