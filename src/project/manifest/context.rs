//! Where the problems of one manifest are collected.

use std::ops::Range;
use std::sync::Arc;

use super::super::diagnostic::{Diagnostic, Source};

/// The problems found so far.
pub(super) struct Context {
    source: Arc<Source>,
    problems: Vec<Diagnostic>,
    /// Keys that an unknown key was taken for, with the start of their table: they are misspelled
    /// rather than missing.
    misspelled: Vec<(usize, &'static str)>,
}

impl Context {
    pub(super) fn new(source: Arc<Source>) -> Self {
        Self {
            source,
            problems: Vec::new(),
            misspelled: Vec::new(),
        }
    }

    /// Adds an error at `span`; the result takes more labels and help.
    pub(super) fn error(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Diagnostic::error(message), span, label)
    }

    /// Adds a warning at `span`.
    pub(super) fn warning(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Diagnostic::warning(message), span, label)
    }

    /// Adds an error that has no place in the file: something is not there.
    pub(super) fn absent(&mut self, message: impl Into<String>) -> &mut Diagnostic {
        let problem = Diagnostic::error(message).with_source(&self.source);
        self.push(problem)
    }

    fn add(
        &mut self,
        problem: Diagnostic,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        let mut problem = problem.with_source(&self.source);
        problem.label(span, label);
        self.push(problem)
    }

    fn push(&mut self, problem: Diagnostic) -> &mut Diagnostic {
        let at = self.problems.len();
        self.problems.push(problem);
        &mut self.problems[at]
    }

    /// Notes that in the table at `table` an unknown key probably means `key`.
    pub(super) fn misspelled(&mut self, table: usize, key: &'static str) {
        self.misspelled.push((table, key));
    }

    /// Whether in the table at `table` an unknown key probably means `key`.
    pub(super) fn is_misspelled(&self, table: usize, key: &str) -> bool {
        self.misspelled.contains(&(table, key))
    }

    /// The problems that satisfy `keep`, dropping the others.
    pub(super) fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.problems.retain(keep);
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// All problems, in the order of the file; what is absent comes last.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.problems.sort_by_key(|problem| {
            problem
                .labels
                .first()
                .map_or(usize::MAX, |label| label.span.start)
        });
        self.problems
    }
}
