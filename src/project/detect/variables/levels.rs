//! Which lines of a Python module run when it is imported.

/// The lines that run on every import: outside of functions, branches and `try`. Each comes with
/// the place where it begins in `text`.
pub(super) fn at_import(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    // The indentation of the block that is passed over, if one is.
    let mut skipped: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let code = line.trim();
        if code.is_empty() || code.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if let Some(outer) = skipped {
            // A closing bracket belongs to the line that opened it.
            if indent > outer || code.starts_with([')', ']', '}']) {
                continue;
            }
            skipped = None;
        }
        let first = code.split([' ', ':', '(']).next().unwrap_or_default();
        if BLOCKS.contains(&first) && !code.ends_with(',') {
            skipped = Some(indent);
            continue;
        }
        found.push((start, line.trim_end()));
    }
    found
}

/// What begins a block that may not run.
const BLOCKS: &[&str] = &[
    "def", "async", "if", "elif", "else", "try", "except", "finally", "for", "while", "lambda",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_on_import_is_known_by_its_place() {
        let text = "A = 1\ndef f(\n    x,\n):\n    B\nclass C:\n    D = 2\n    def g(self):\n        E\n    F = 3\nif x:\n    G\ntry:\n    H\nexcept KeyError:\n    I\nJ = {\n    'k': K,\n}\n";
        let lines: Vec<&str> = at_import(text)
            .iter()
            .map(|(_, line)| line.trim())
            .collect();
        assert_eq!(
            lines,
            [
                "A = 1", "class C:", "D = 2", "F = 3", "J = {", "'k': K,", "}"
            ]
        );
    }
}
