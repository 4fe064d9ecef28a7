//! What is wrong with a study file, where, why, and what to do about it.

use std::ops::Range;

/// A text that a study was read from: a file, or one `--set` argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// Path as given, or `--set` or `--profile`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The study cannot be used.
    Error,
    /// The study can be used, but probably does not say what was meant.
    Warning,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Index into the sources.
    pub source: usize,
    /// Bytes of that source.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// Why, in the words that belong to the span.
    pub label: String,
    /// What to do next.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Line and column of the start of the span, both counted from 1; columns are characters.
    pub fn line_column(&self, sources: &[SourceText]) -> (usize, usize) {
        let Some(source) = sources.get(self.source) else { return (1, 1) };
        let place = Place::of(&source.text, &self.span);
        (place.line, place.before.chars().count() + 1)
    }
}

/// Every diagnostic of a study that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Failure {
    /// Errors first, then warnings, each in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into.
    pub sources: Vec<SourceText>,
}

impl Failure {
    fn summary(&self) -> String {
        let texts: Vec<_> = self.diagnostics.iter().map(|d| render(d, &self.sources)).collect();
        texts.join("\n")
    }
}

/// The diagnostic as plain text: the message, the place, the line with the span underlined,
/// the reason and the advice.
pub fn render(diagnostic: &Diagnostic, sources: &[SourceText]) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out = format!("{severity}: {}\n", diagnostic.message);
    if let Some(source) = sources.get(diagnostic.source) {
        let place = Place::of(&source.text, &diagnostic.span);
        let (line, column) = diagnostic.line_column(sources);
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let shown = format!("{}{}{}", place.before, place.marked, place.after).replace('\t', " ");
        let indent = " ".repeat(cells(place.before));
        let marks = "^".repeat(cells(place.marked).max(1));
        out += &format!("{gutter}--> {}:{line}:{column}\n", source.name);
        out += &format!("{gutter} |\n{}\n", format!("{number} | {shown}").trim_end());
        let underline = format!("{gutter} | {indent}{marks} {}", diagnostic.label);
        out += &format!("{}\n", underline.trim_end());
    }
    if let Some(help) = &diagnostic.help {
        out += &format!("help: {help}\n");
    }
    out
}

/// A span in its line, cut where the line ends.
struct Place<'a> {
    line: usize,
    before: &'a str,
    marked: &'a str,
    after: &'a str,
}

impl<'a> Place<'a> {
    fn of(text: &'a str, span: &Range<usize>) -> Self {
        let start = floor_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor_boundary(text, span.end).clamp(start, line_end);
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            before: &text[line_start..start],
            marked: &text[start..end],
            after: &text[end..line_end],
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Terminal cells of a text: Chinese, Japanese and Korean characters take two.
fn cells(text: &str) -> usize {
    let wide = |c: char| matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x20000..=0x3fffd);
    text.chars().map(|c| 1 + usize::from(wide(c))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, span: Range<usize>, expect: &str) {
        let sources = [SourceText { name: "a.toml".into(), text: text.into() }];
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            source: 0,
            span,
            message: "what".into(),
            label: "why".into(),
            help: Some("do".into()),
        };
        assert_eq!(render(&diagnostic, &sources), expect);
    }

    #[test]
    fn underlines_the_span() {
        let expect = "error: what\n --> a.toml:2:5\n  |\n2 | b = 12\n  |     ^^ why\nhelp: do\n";
        check("a = 1\nb = 12\nc = 3", 10..12, expect);
    }

    #[test]
    fn wide_characters_take_two_cells() {
        let text = "名 = \"中文\"";
        let expect =
            "error: what\n --> a.toml:1:5\n  |\n1 | 名 = \"中文\"\n  |      ^^^^^^ why\nhelp: do\n";
        check(text, text.find('"').unwrap()..text.len(), expect);
    }

    #[test]
    fn spans_are_cut_at_line_and_text_ends() {
        check(
            "a = [\n1]",
            4..8,
            "error: what\n --> a.toml:1:5\n  |\n1 | a = [\n  |     ^ why\nhelp: do\n",
        );
        check("", 5..9, "error: what\n --> a.toml:1:1\n  |\n1 |\n  | ^ why\nhelp: do\n");
    }
}
