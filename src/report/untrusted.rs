//! Text that others wrote, made safe to print: the output of steps and hooks, the app's log, names
//! and sentences that carry a piece of either. Escape sequences (ECMA-48) go, what is left of
//! control and invisible characters is shown as an escape, and what a CI system would take for a
//! command of its own is broken up.

use std::fmt::Write as _;
use std::str::Chars;

/// Longest line that is kept, in bytes.
const LONGEST: usize = 8 * 1024;

/// What becomes of colours (SGR, ECMA-48 8.3.117).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    /// They stay; the line ends with a reset.
    Keep,
    /// They go like every other escape sequence.
    Strip,
}

/// One line, safe to print: without escape sequences; of a line that overwrote itself with
/// carriage returns, what a terminal would show last; of a very long one, its beginning.
pub(super) fn line(text: &str, colours: Colours) -> String {
    up_to(LONGEST, text, colours)
}

/// As [`line`], without colours, and however long it is.
pub(super) fn whole_line(text: &str) -> String {
    up_to(usize::MAX, text, Colours::Strip)
}

fn up_to(longest: usize, text: &str, colours: Colours) -> String {
    let text = last_drawn(text);
    let mut safe = String::with_capacity(text.len());
    let mut coloured = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if safe.len() > longest {
            let _ = write!(
                safe,
                "… ({} more bytes)",
                chars.as_str().len() + c.len_utf8()
            );
            break;
        }
        match c {
            '\x1b' | '\u{9b}' | '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => {
                if let Some(sgr) = escape_sequence(c, &mut chars)
                    && colours == Colours::Keep
                {
                    coloured = true;
                    let _ = write!(safe, "\x1b[{sgr}m");
                }
            }
            '\t' => safe.push('\t'),
            c if c.is_control() || misleads(c) => {
                let _ = write!(safe, "{}", c.escape_default());
            }
            c => safe.push(c),
        }
    }
    if coloured {
        safe.push_str("\x1b[0m");
    }
    safe
}

/// Several lines, each made safe.
pub(super) fn text(text: &str, colours: Colours) -> String {
    text.split('\n')
        .map(|part| line(part, colours))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is visible once the carriage returns of a progress bar have done their work.
fn last_drawn(text: &str) -> &str {
    let text = text.trim_end_matches('\r');
    text.rsplit('\r').next().unwrap_or(text)
}

/// Eats an escape sequence whose first character was `first`; gives back the parameters when it
/// is an SGR sequence.
fn escape_sequence<'a>(first: char, chars: &mut Chars<'a>) -> Option<&'a str> {
    let kind = match first {
        '\x1b' => {
            let mut ahead = chars.clone();
            match ahead.next() {
                Some(c @ ('[' | ']' | 'P' | 'X' | '^' | '_')) => {
                    *chars = ahead;
                    c
                }
                // Intermediate bytes, then one final byte: ESC ( B, ESC 7, ESC c.
                Some(' '..='~') => {
                    for c in chars.by_ref() {
                        if !(' '..='/').contains(&c) {
                            break;
                        }
                    }
                    return None;
                }
                _ => return None,
            }
        }
        // The same introducers as single characters of C1.
        '\u{9b}' => '[',
        _ => ']',
    };
    let rest = chars.as_str();
    if kind == '[' {
        let length = rest
            .find(|c: char| !(' '..='?').contains(&c))
            .unwrap_or(rest.len());
        let parameters = &rest[..length];
        *chars = rest[length..].chars();
        let mut ahead = chars.clone();
        // A final byte ends the sequence; anything else aborted it and is text.
        return match ahead.next() {
            Some(end @ '@'..='~') => {
                *chars = ahead;
                (end == 'm'
                    && parameters
                        .bytes()
                        .all(|b| b.is_ascii_digit() || b == b';' || b == b':'))
                .then_some(parameters)
            }
            _ => None,
        };
    }
    // A string (window title, link, device control) up to its terminator. One that never ends
    // takes only its introducer with it: a line is not swallowed by one stray byte.
    let bell = rest.find('\x07').map(|at| (at, 1));
    let terminator = rest.find("\x1b\\").map(|at| (at, 2));
    let single = rest.find('\u{9c}').map(|at| (at, 2));
    if let Some((at, length)) = [bell, terminator, single].into_iter().flatten().min() {
        *chars = rest[at + length..].chars();
    }
    None
}

/// Whether a character makes a line read differently from what it is: it turns the direction of
/// the text, or takes no room (Unicode: bidirectional controls, line separators, most of the
/// default ignorables; the joiners stay, words of some languages and emoji need them).
pub(super) fn misleads(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A line that GitHub's runner will not take for a command: those start with `::` after white
/// space, or hold `##[` anywhere. Its comparison skips characters that take no room, and so does
/// this one.
pub(super) fn not_a_github_command(line: &str) -> String {
    let bare: String = line.chars().filter(|&c| !takes_no_room(c)).collect();
    let start = bare.trim_start();
    if !start.starts_with("::") && !bare.contains("##[") {
        return line.to_owned();
    }
    let indent = &bare[..bare.len() - start.len()];
    let broken = match start.strip_prefix("::") {
        Some(rest) => format!("{indent}: :{rest}"),
        None => bare.clone(),
    };
    broken.replace("##[", "## [")
}

fn takes_no_room(c: char) -> bool {
    misleads(c)
        || matches!(
            c,
            '\u{200c}' | '\u{200d}' | '\u{34f}' | '\u{fe00}'..='\u{fe0f}'
        )
}

/// A line that GitLab will not take for the edge of a section. Real ones hold a carriage return
/// and an escape sequence, which [`line`] took away already; this is for log viewers that are less
/// strict.
pub(super) fn not_a_gitlab_section(line: &str) -> String {
    line.replace("section_start:", "section_start :")
        .replace("section_end:", "section_end :")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(text: &str) -> String {
        line(text, Colours::Strip)
    }

    #[test]
    fn escape_sequences_go() {
        for (given, left) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("a\x1b[2Jb\x1b[1;1Hc", "abc"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1bPq device \x1b\\after", "after"),
            ("\u{9b}31mred", "red"),
            ("\u{9d}0;title\u{9c}text", "text"),
            ("\x1b(Bcharset\x1b7\x1bcreset", "charsetreset"),
            ("\x1b]0;never ends", "0;never ends"),
            ("ends in \x1b", "ends in "),
            ("\x1b[31", ""),
            ("\x1b[3\x1b[1mx", "x"),
            ("\x1b[3é", "é"),
        ] {
            assert_eq!(strip(given), left, "{given:?}");
        }
    }

    #[test]
    fn other_control_characters_are_shown() {
        assert_eq!(
            strip("a\x07b\x00c\x7f\u{85}"),
            "a\\u{7}b\\u{0}c\\u{7f}\\u{85}"
        );
        assert_eq!(strip("a\tb"), "a\tb");
        assert_eq!(strip("one\ntwo"), "one\\ntwo");
        assert_eq!(strip("safe\u{202e}gnp.exe"), "safe\\u{202e}gnp.exe");
        assert_eq!(text("one\ntwo\x1b[2J", Colours::Strip), "one\ntwo");
    }

    #[test]
    fn a_progress_bar_leaves_its_last_state() {
        assert_eq!(strip("10%\r50%\r100%\r"), "100%");
        assert_eq!(strip("windows\r"), "windows");
    }

    #[test]
    fn colours_stay_where_they_may_and_never_leak() {
        assert_eq!(
            line("\x1b[31mred\x1b[2J", Colours::Keep),
            "\x1b[31mred\x1b[0m"
        );
        assert_eq!(line("\x1b[?25lx", Colours::Keep), "x");
        assert_eq!(line("\x1b[>4;2mx", Colours::Keep), "x");
    }

    #[test]
    fn a_very_long_line_is_cut() {
        let cut = strip(&"x".repeat(10_000));
        assert!(cut.len() < 8_300, "{}", cut.len());
        assert!(cut.ends_with("x… (1807 more bytes)"), "{}", &cut[8_000..]);
    }

    #[test]
    fn commands_of_a_ci_are_broken_up() {
        for forged in [
            "::error::x",
            "  ::set-output name=a::b",
            "\u{200d}::error::x",
            ":\u{fe0f}:error::x",
            "text ##[error]x",
            "#\u{200d}#[group]x",
        ] {
            let safe = not_a_github_command(forged);
            assert!(!safe.trim_start().starts_with("::"), "{safe:?}");
            assert!(!safe.contains("##["), "{safe:?}");
        }
        assert_eq!(not_a_github_command("std::mem::swap"), "std::mem::swap");
        assert_eq!(not_a_github_command("⚠\u{fe0f} look"), "⚠\u{fe0f} look");
        assert_eq!(
            not_a_gitlab_section("section_start:1:x[collapsed=true]"),
            "section_start :1:x[collapsed=true]"
        );
    }
}
