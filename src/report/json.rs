//! Events to a program: one JSON object per line.

use crate::model::event::Event;

/// The event as one line, without its end.
pub(super) fn line(event: &Event) -> String {
    // Only maps with keys that are no strings fail to serialize; an event has none.
    let json = serde_json::to_string(event).unwrap_or_default();
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Beyond ASCII's, which JSON has to escape, a terminal obeys C1 (ECMA-48), too.
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)));
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

    #[test]
    fn a_line_is_the_event_and_commands_no_one() {
        let event = Event::Note {
            text: "\x1b[2J\u{9b}2J ##[error]x\n::error::y".to_owned(),
        };
        let line = line(&event);
        assert!(!line.chars().any(char::is_control), "{line}");
        assert!(!line.contains("##["), "{line}");
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}
