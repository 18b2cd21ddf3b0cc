//! A problem of a manifest, with the place it concerns.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing runs until it is repaired.
    Error,
    /// Worth a look; everything runs.
    Warning,
}

impl Severity {
    /// The word on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A file that diagnostics point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is called on the screen.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// A place in a file, and what is to be said there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Byte offsets into the file.
    pub span: Range<usize>,
    /// What is to be said there; may be empty.
    pub text: String,
}

/// A problem: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: one lower-case line.
    pub message: String,
    /// The file, if it concerns one.
    pub source: Option<Arc<Source>>,
    /// Places in the file: the first is where the problem is, the others explain it.
    pub labels: Vec<Label>,
    /// Places in other files that explain it.
    pub elsewhere: Vec<(Arc<Source>, Label)>,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A problem that stops everything.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// A problem that stops nothing.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Self {
        Self {
            severity,
            message: visible(&message),
            source: None,
            labels: Vec::new(),
            elsewhere: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Says which file it concerns.
    #[must_use]
    pub fn with_source(mut self, source: &Arc<Source>) -> Self {
        self.source = Some(Arc::clone(source));
        self
    }

    /// Adds a place; a span that is not inside the file or cuts a character is moved so that it is.
    pub fn label(&mut self, span: Range<usize>, text: impl Into<String>) -> &mut Self {
        let span = match &self.source {
            Some(source) => clamp(&source.text, span),
            None => span,
        };
        let text = visible(&text.into());
        self.labels.push(Label { span, text });
        self
    }

    /// Adds a place in another file; its span is moved as that of [`label`](Self::label).
    pub fn elsewhere(
        &mut self,
        source: &Arc<Source>,
        span: Range<usize>,
        text: impl Into<String>,
    ) -> &mut Self {
        let span = clamp(&source.text, span);
        let text = visible(&text.into());
        self.elsewhere
            .push((Arc::clone(source), Label { span, text }));
        self
    }

    /// Adds advice.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help.push(visible(&text.into()));
        self
    }

    /// Whether it stops everything.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Line and column (in characters) of the problem, counted from 1.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        let start = self.labels.first()?.span.start;
        let before = self.source.as_ref()?.text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        Some((line, before[line_start..].chars().count() + 1))
    }

    /// The whole problem as a person reads it: message, file:line:column, the source lines with
    /// carets, help. Ends without a line feed.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        if let Some(source) = &self.source {
            if self.labels.is_empty() {
                group = group.element(Origin::path(source.name.as_str()));
            } else {
                let mut snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
                for (nth, label) in self.labels.iter().enumerate() {
                    let kind = match nth {
                        0 => AnnotationKind::Primary,
                        _ => AnnotationKind::Context,
                    };
                    snippet = snippet.annotation(annotated(kind, label));
                }
                group = group.element(snippet);
            }
        }
        for (source, label) in &self.elsewhere {
            let snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
            let annotation = annotated(AnnotationKind::Context, label);
            group = group.element(snippet.annotation(annotation));
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let rendered = renderer.render(&[group]);
        let mut lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        lines.join("\n")
    }
}

fn annotated(kind: AnnotationKind, label: &Label) -> Annotation<'_> {
    let annotation = kind.span(label.span.clone());
    match label.text.as_str() {
        "" => annotation,
        text => annotation.label(text),
    }
}

/// Renders all of `diagnostics` and a last line that counts them; empty when there are none.
#[must_use]
pub fn render_all(diagnostics: &[Diagnostic], colour: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&diagnostic.render(colour));
        text.push_str("\n\n");
    }
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let counts = [
        (errors, Severity::Error),
        (diagnostics.len() - errors, Severity::Warning),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {}{plural}", severity.as_str())
        })
        .collect();
    text.push_str(&counts.join(", "));
    text.push('\n');
    text
}

/// Moves `span` inside `text`, onto character boundaries.
fn clamp(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Control characters of quoted input, made visible: a manifest must not move the cursor.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source {
            name: "ship.toml".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_span_is_moved_inside_the_file() {
        let source = source("a = \"ü\"\n");
        for span in [0..999, 6..6, 900..999, 5..6, 8..9, 9..9] {
            let mut diagnostic = Diagnostic::error("x").with_source(&source);
            diagnostic.label(span.clone(), "here");
            let moved = diagnostic.labels[0].span.clone();
            assert!(source.text.get(moved).is_some(), "{span:?}");
            assert!(diagnostic.render(false).contains("ship.toml:"), "{span:?}");
        }
    }

    #[test]
    fn the_position_counts_characters_from_one() {
        let mut diagnostic = Diagnostic::error("x").with_source(&source("a = 1\nü = 2\n"));
        diagnostic.label(9..10, "");
        assert_eq!(diagnostic.position(), Some((2, 3)));
    }

    #[test]
    fn a_manifest_cannot_move_the_cursor() {
        let mut diagnostic = Diagnostic::error("bad \u{1b}[2J").with_source(&source("\u{1b}[2J\n"));
        diagnostic.label(0..1, "\u{7}").help("\r");
        assert!(!diagnostic.render(false).contains(['\u{1b}', '\u{7}', '\r']));
    }

    #[test]
    fn colour_only_adds() {
        let mut diagnostic = Diagnostic::error("bad").with_source(&source("a = 1\n"));
        diagnostic.label(0..1, "this").help("do that");
        assert!(diagnostic.render(true).contains('\u{1b}'));
        assert!(!diagnostic.render(false).contains('\u{1b}'));
    }
}
