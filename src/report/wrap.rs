//! Text and the columns that it takes on a terminal: East Asian characters take two, combining
//! marks none (UAX #11, by the crate unicode-width); colours (SGR) take none.

use unicode_width::UnicodeWidthChar;

/// The fewest columns that a wrapped text is given, however narrow the terminal is.
const LEAST: usize = 16;

/// How many columns of a terminal `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            // A colour of our own; what others wrote has none left.
            chars.by_ref().find(|c| *c == 'm');
        } else {
            columns += c.width().unwrap_or(0);
        }
    }
    columns
}

/// `text` with spaces behind it until it takes `columns`.
#[must_use]
pub fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{:missing$}", "")
}

/// The lines of `text` when each takes at most `columns`; the second and later ones begin with
/// `hang` spaces. Lines break between words only: a word that is longer than a line stays whole,
/// so that it can be copied. `None`: one line, however long.
#[must_use]
pub fn wrapped(text: &str, columns: Option<usize>, hang: usize) -> Vec<String> {
    let Some(columns) = columns.filter(|columns| width(text) > *columns) else {
        return vec![text.to_owned()];
    };
    let columns = columns.max(hang + LEAST);
    let body = text.trim_start_matches(' ');
    let mut line = text[..text.len() - body.len()].to_owned();
    let mut lines = Vec::new();
    let mut is_empty = true;
    for word in body.split(' ').filter(|word| !word.is_empty()) {
        if !is_empty && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::replace(&mut line, " ".repeat(hang)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// The beginning of `text` that takes at most `columns`, cut between two words where that leaves
/// at least half of it; `…` stands for the rest. For what is drawn over again, which must not take
/// a second line.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let takes = c.width().unwrap_or(0);
        if takes > room {
            break;
        }
        room -= takes;
        end = at + c.len_utf8();
    }
    let begun = &text[..end];
    let whole_words = match text[end..].starts_with(' ') {
        true => Some(begun),
        false => begun.rsplit_once(' ').map(|(words, _)| words),
    };
    let begun = match whole_words {
        Some(words) if width(words) * 2 >= columns => words.trim_end(),
        _ => begun,
    };
    match columns {
        0 => String::new(),
        _ => format!("{begun}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_what_a_terminal_shows() {
        assert_eq!(width("web"), 3);
        assert_eq!(width("修复登录"), 8);
        assert_eq!(width("e\u{301}te\u{301}"), 3, "combining accents");
        assert_eq!(width("\x1b[1;31merror:\x1b[0m x"), 8);
        assert_eq!(padded("修复", 6), "修复  ");
    }

    #[test]
    fn lines_break_between_words() {
        let text = "the service did not answer for 35.1s";
        assert_eq!(wrapped(text, None, 2), [text]);
        assert_eq!(
            wrapped(text, Some(20), 2),
            ["the service did not", "  answer for 35.1s"]
        );
        assert_eq!(
            wrapped("  see web1.a-very-long-name.example.com now", Some(20), 4),
            ["  see", "    web1.a-very-long-name.example.com", "    now"]
        );
        let wide = wrapped("修复 登录 页面 的 问题", Some(18), 0);
        assert_eq!(wide, ["修复 登录 页面 的", "问题"]);
    }

    #[test]
    fn what_is_cut_ends_after_a_word() {
        assert_eq!(cut("no answer yet", 20), "no answer yet");
        assert_eq!(
            cut("no answer yet: connection refused", 20),
            "no answer yet:…"
        );
        assert_eq!(cut("a-single-long-word-only", 10), "a-single-…");
        assert_eq!(cut("修复登录", 6), "修复…");
        assert_eq!(cut("abc", 0), "");
    }
}
