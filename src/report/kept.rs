//! What a step said, kept until it is known whether anybody needs it.

use std::collections::VecDeque;

/// Lines of a step that are kept; older ones are in its log file.
pub(super) const MOST: usize = 10_000;

/// The last lines of a step's output.
#[derive(Debug, Default)]
pub(super) struct Kept {
    lines: VecDeque<String>,
    dropped: u64,
}

impl Kept {
    /// Keeps a line, in place of the oldest when there are [`MOST`].
    pub fn push(&mut self, line: String) {
        if self.lines.len() == MOST {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// How many older lines are not here.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
