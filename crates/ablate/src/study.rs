//! Reading a study file, and showing what is wrong with it.

use std::io::IsTerminal;
use std::path::Path;

use ablate_spec::{Diagnostic, Failure, Options, Severity, SourceText, Study};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};

use crate::cli::StudyArgs;
use crate::environment;
use crate::exit::{CommandError, Exit};

/// A study with the text that it was written in.
pub struct LoadedStudy {
    pub study: Study,
    /// The study file as it was written, with the files that it extends.
    pub text: String,
    /// Rendered warnings.
    pub warnings: Vec<String>,
}

/// Reads a study.
///
/// # Errors
/// Every error in the file, rendered, with exit code 2.
pub fn load(args: &StudyArgs) -> Result<LoadedStudy, CommandError> {
    let options = Options { profile: args.profile.clone(), set: args.set.clone() };
    try_load(&args.study, &options).map_err(|failure| {
        let mut message: String = failure
            .diagnostics
            .iter()
            .map(|diagnostic| render(diagnostic, &failure.sources))
            .collect();
        let errors = failure.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        message += &match errors {
            1 => "1 error; nothing was started".to_owned(),
            n => format!("{n} errors; nothing was started"),
        };
        CommandError::usage(message)
    })
}

/// Reads a study that may well be wrong.
///
/// # Errors
/// Every error in the file, with its place.
pub fn try_load(path: &Path, options: &Options) -> Result<LoadedStudy, Failure> {
    let loaded = ablate_spec::load(path, &read, options)?;
    let text = loaded
        .sources
        .iter()
        .map(|source| format!("# {}\n{}", source.name, source.text))
        .collect::<Vec<_>>()
        .join("\n");
    let warnings = loaded.warnings.iter().map(|warning| render(warning, &loaded.sources)).collect();
    Ok(LoadedStudy { study: loaded.study, text, warnings })
}

/// The place of a variant in its study.
///
/// # Errors
/// No such variant, with exit code 4 and the name that was probably meant.
pub fn find_variant(study: &Study, wanted: &str) -> Result<usize, CommandError> {
    study.variants.iter().position(|variant| variant.name == wanted).ok_or_else(|| {
        let names: Vec<&str> = study.variants.iter().map(|v| v.name.as_str()).collect();
        let help = ablate_suggestion::advice(wanted, "variants", &names).unwrap_or_default();
        let message = format!("study `{}` has no variant `{wanted}`; {help}", study.name);
        CommandError { exit: Exit::NoMatch, message }
    })
}

/// Reads a file for the study loader.
pub fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn render(diagnostic: &Diagnostic, sources: &[SourceText]) -> String {
    // The reason belongs to a place in the text; where there is no text, to the message.
    let message = match sources.get(diagnostic.source) {
        Some(source) if source.text.is_empty() && !diagnostic.label.is_empty() => {
            format!("{}: {}", diagnostic.message, diagnostic.label)
        }
        _ => diagnostic.message.clone(),
    };
    let mut report = MietteDiagnostic::new(message).with_severity(match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    });
    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }
    let mut out = String::new();
    let theme = if std::io::stderr().is_terminal() && environment::read("NO_COLOR").is_none() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1);
    let rendered = match sources.get(diagnostic.source) {
        Some(source) => {
            let label = LabeledSpan::new_primary_with_span(
                Some(diagnostic.label.clone()),
                diagnostic.span.clone(),
            );
            let report = miette::Report::new(report.with_label(label))
                .with_source_code(NamedSource::new(&source.name, source.text.clone()));
            handler.render_report(&mut out, report.as_ref())
        }
        None => handler.render_report(&mut out, &report),
    };
    if rendered.is_err() {
        out = format!("{}\n", diagnostic.message);
    }
    out
}
