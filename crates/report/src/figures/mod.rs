//! The figures of a report: laid out as [`scene::Scene`]s, drawn by plotters as SVG and PNG.

mod axis;
mod bars;
mod benchmarks;
mod clip;
mod coverage;
mod curves;
mod draw;
mod forgetting;
mod grid;
mod grid_curves;
mod layers;
mod layout;
mod legend;
mod mirrored;
mod plot;
mod progress;
mod scatter;
mod scene;
mod spreads;
mod theme;

use std::borrow::Cow;
use std::path::Path;

use polars::prelude::PolarsResult;

use crate::ReportError;
use crate::analysis::{Analysis, Estimate, Measure, Over};
use crate::paper::Paper;
pub(crate) use bars::headline;
pub(crate) use bars::our_scale;
pub(crate) use mirrored::{here, of_paper};
use scene::Scene;

/// A figure, laid out but not yet drawn.
pub(crate) struct Figure {
    /// File stem and anchor.
    pub(crate) name: Cow<'static, str>,
    /// What the figure shows, with what its bars and bands mean.
    pub(crate) caption: String,
    scene: Scene,
}

impl Figure {
    /// The figure as SVG.
    pub(crate) fn svg(&self) -> Result<String, ReportError> {
        draw::svg(&self.scene, &self.caption).map_err(|reason| self.failed(reason))
    }

    /// Writes the figure as PNG.
    pub(crate) fn png(&self, path: &Path) -> Result<(), ReportError> {
        draw::png(&self.scene, path).map_err(|reason| self.failed(reason))
    }

    fn failed(&self, reason: String) -> ReportError {
        ReportError::Figure { figure: self.name.to_string(), reason }
    }
}

/// Every figure that the rows have data for.
pub(crate) fn all(analysis: &Analysis<'_>, paper: &Paper) -> PolarsResult<Vec<Figure>> {
    let mut figures = Vec::new();
    figures.extend(bars::headline(analysis, paper));
    figures.extend(grid::scores(analysis));
    figures.extend(grid_curves::losses(analysis));
    figures.extend(benchmarks::panels(analysis));
    figures.extend(curves::learning(analysis, Over::Tokens)?);
    figures.extend(curves::learning(analysis, Over::Bytes)?);
    figures.extend(progress::scores(analysis));
    figures.extend(scatter::score_against_parameters(analysis));
    figures.extend(coverage::bars(analysis));
    figures.extend(layers::skips(analysis));
    figures.extend(layers::influence(analysis));
    figures.extend(spreads::panels(analysis));
    figures.extend(forgetting::parts(analysis));
    figures.extend(mirrored::beside(analysis, paper));
    Ok(figures)
}

/// SVG for inlining in a page: the neutral colours become style-sheet variables, so that the figure follows a dark page.
pub(crate) fn themed(svg: &str) -> String {
    let hex = |c: theme::Rgb| format!("\"#{:02X}{:02X}{:02X}\"", c.0, c.1, c.2);
    [
        (theme::PAPER, "paper"),
        (theme::INK, "ink"),
        (theme::MUTED, "muted"),
        (theme::GRID, "grid"),
        (theme::LEVEL, "level"),
        (theme::BAR_BASE, "bar-base"),
        (theme::REFERENCE, "reference"),
        (theme::ON_REFERENCE, "on-reference"),
    ]
    .iter()
    .fold(svg.to_string(), |svg, (colour, name)| {
        svg.replace(&hex(*colour), &format!("\"var(--figure-{name})\""))
    })
}

/// Mean and interval as far as an axis has to show them: a wide interval over two seeds may leave 0 to 100%.
fn shown_ends(measure: Measure, estimate: &Estimate) -> [f64; 3] {
    let (low, high) = estimate.ends();
    if measure.higher_is_better() {
        [estimate.mean, low.max(0.0), high.min(100.0)]
    } else {
        [estimate.mean, low.max(0.0), high]
    }
}

/// A range with room at both ends; scores stay within 0 and 100%.
fn padded(measure: Measure, range: axis::Range, share: f64) -> (f64, f64) {
    let (low, high) = range.padded(share);
    if measure.higher_is_better() && high > 0.0 && low < 100.0 {
        (low.max(0.0), high.min(100.0))
    } else {
        (low, high)
    }
}

/// How the intervals of a figure are described in its caption.
fn interval_words(analysis: &Analysis<'_>) -> String {
    match analysis.seeds().len() {
        0 | 1 => "One seed: no intervals.".to_string(),
        n => format!("Error bars: 95% interval over {n} seeds (Student's t)."),
    }
}

#[cfg(test)]
mod tests;
