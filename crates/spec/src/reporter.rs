//! Collects diagnostics, each once.

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::At;

/// What has been found so far. The base of a study is checked again in every variant, so the
/// same message at the same place is kept only once.
#[derive(Default)]
pub(crate) struct Reporter {
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Reporter {
    pub(crate) fn error(&mut self, at: &At, message: String, label: String, help: Option<String>) {
        self.push(Severity::Error, at, message, label, help);
    }

    pub(crate) fn warning(
        &mut self,
        at: &At,
        message: String,
        label: String,
        help: Option<String>,
    ) {
        self.push(Severity::Warning, at, message, label, help);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Errors before warnings, each in the order of the texts.
    pub(crate) fn sorted(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|d| (d.severity, d.source, d.span.start));
        self.diagnostics
    }

    fn push(
        &mut self,
        severity: Severity,
        at: &At,
        message: String,
        label: String,
        help: Option<String>,
    ) {
        let (source, span) = (at.source, at.span.clone());
        let known = self
            .diagnostics
            .iter()
            .any(|old| old.source == source && old.span == span && old.message == message);
        if !known {
            self.diagnostics.push(Diagnostic { severity, source, span, message, label, help });
        }
    }
}
