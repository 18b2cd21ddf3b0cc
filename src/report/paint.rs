//! Colour, which adds and never carries meaning.

use std::fmt::Display;

/// Colours text with SGR sequences (ECMA-48, 8.3.117), or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    /// Whether to colour at all.
    pub on: bool,
}

impl Paint {
    fn wrap(self, sgr: &str, text: impl Display) -> String {
        if self.on {
            format!("\x1b[{sgr}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    pub fn good(self, text: impl Display) -> String {
        self.wrap("32", text)
    }

    pub fn bad(self, text: impl Display) -> String {
        self.wrap("1;31", text)
    }

    pub fn warn(self, text: impl Display) -> String {
        self.wrap("33", text)
    }

    pub fn hint(self, text: impl Display) -> String {
        self.wrap("36", text)
    }

    pub fn strong(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    pub fn faint(self, text: impl Display) -> String {
        self.wrap("2", text)
    }

    /// The one thing that must not be overlooked.
    pub fn alarm(self, text: impl Display) -> String {
        self.wrap("1;37;41", text)
    }
}
