//! Events and answers to a program: one JSON object per line.

use serde::Serialize;

use super::untrusted::misleads;

/// The object as one line, without its end. A terminal that shows it obeys nothing in it, and shows
/// it as it is.
pub(super) fn line(object: &impl Serialize) -> String {
    // Only maps with keys that are not strings fail to serialize; there are none.
    let json = serde_json::to_string(object).unwrap_or_default();
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Beyond ASCII's, which JSON has to escape, a terminal obeys C1 (ECMA-48), too.
            c if ('\u{7f}'..='\u{9f}').contains(&c) || misleads(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => safe.push(c),
        }
    }
    // Where GitHub's runner reads along, this is a command anywhere in a line; in JSON `#` only
    // stands in strings, where `[` may be escaped.
    safe.replace("##[", "##\\u005b")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    #[test]
    fn a_line_is_the_event_and_commands_no_one() {
        let event = Event::Note {
            text: "\x1b[2J\u{9b}2J ##[error]x\n::error::y \u{202e}\u{2066}\u{200f}\u{61c}\u{e0041}"
                .to_owned(),
        };
        let line = line(&event);
        assert!(
            line.is_ascii() && !line.contains(char::is_control),
            "{line}"
        );
        assert!(!line.contains("##["), "{line}");
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}
