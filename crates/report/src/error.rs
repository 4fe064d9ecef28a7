//! What can go wrong while a report is written or read.

use std::path::PathBuf;

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A parquet or CSV file could not be made or understood.
    #[error("cannot {action} the table `{}`: {reason}; make the report again with `ablate report`", path.display())]
    Frame {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Reason given by polars.
        reason: String,
    },
    /// The rows could not be grouped.
    #[error("cannot group the rows of the study: {0}")]
    Query(String),
    /// The folder holds no report.
    #[error("`{}` holds no report (`{missing}` is missing): make it with `ablate run` or `ablate report`", path.display())]
    NoReport {
        /// The folder.
        path: PathBuf,
        /// The file that should have been there.
        missing: &'static str,
    },
    /// A figure could not be drawn.
    #[error("cannot draw the figure `{figure}`: {reason}")]
    Figure {
        /// Name of the figure.
        figure: String,
        /// Reason given by the drawing backend.
        reason: String,
    },
    /// The page could not be rendered.
    #[error("cannot render the page: {0}")]
    Page(String),
    /// The embedded numbers of the paper do not parse.
    #[error("the embedded paper data is broken: {0}")]
    Paper(String),
    /// A cell that was asked for is not in the report.
    #[error("{0}")]
    NoCell(String),
    /// A variant that was asked for is not in the study.
    #[error("study `{study}` has no variant `{variant}`; it has: {known}")]
    NoVariant {
        /// Study name.
        study: String,
        /// What was asked for.
        variant: String,
        /// The names there are.
        known: String,
    },
}

impl ReportError {
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }
}
