//! Makes every text of an event or an answer safe to print, in one place: what comes after need not
//! think of it.

use crate::model::event::Event;
use crate::model::texts::{Reading, Texts, Visit};

use super::untrusted::{Colours, line, text, whole_line};

/// The event with safe texts.
///
/// `colours` decides for what a person reads as it came: output, log lines, the texts of notes and
/// failures. Names, which end up in columns, never keep them.
pub(super) fn scrub(mut event: Event, colours: Colours) -> Event {
    event.each(&mut Scrub(colours));
    event
}

/// Makes the texts of an answer safe to print: each becomes one line without colours.
pub(super) fn inert(answer: &mut dyn Texts) {
    struct Inert;

    impl Visit for Inert {
        fn text(&mut self, _: Reading, given: &mut String) {
            *given = whole_line(given);
        }
    }

    answer.each(&mut Inert);
}

struct Scrub(Colours);

impl Visit for Scrub {
    fn text(&mut self, reading: Reading, given: &mut String) {
        *given = match reading {
            Reading::Word | Reading::Name => line(given, Colours::Strip),
            Reading::Line => line(given, self.0),
            Reading::Text => text(given, self.0),
        };
    }
}
