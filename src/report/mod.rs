//! Events to whoever looks: a person at a terminal, plain lines, GitHub Actions, GitLab CI, or a
//! program that reads JSON lines. Knows only [`crate::model`]. Talk (progress, notes, warnings,
//! errors, the end) goes to stderr, data to stdout; a stream that nobody reads any more is left
//! alone, and never stops the command.

mod by_hand;
mod clock;
mod ending;
pub mod humanize;
mod json;
mod kept;
mod mode;
mod output;
mod paint;
mod person;
mod phrase;
mod progress;
mod reporter;
mod screen;
mod scrub;
mod story;
mod table;
mod talk;
#[cfg(test)]
mod tests;
mod untrusted;
pub mod wrap;
mod written;

pub use mode::{Mode, Options, Verbosity, colour};
pub use reporter::Reporter;
pub use table::{Table, table};
pub use written::Written;
