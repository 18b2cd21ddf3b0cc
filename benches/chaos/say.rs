//! What the person who measures is told.

use std::io::Write;

/// Prints a line on stdout; a closed stdout is no reason to stop measuring.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}
