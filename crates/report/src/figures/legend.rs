//! A legend outside the plot area: a sample of the line, then the label, wrapped to its column. A few entries stand beside the plot, many
//! below it in several columns.

use super::scene::{Scene, Text, wrap};
use super::theme::{self, Rgb};

/// One entry of a legend.
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) colour: Rgb,
    pub(crate) sample: Sample,
}

/// What stands before the label.
pub(crate) enum Sample {
    /// A piece of line in its dash pattern.
    Line(&'static [f64]),
    /// A marker.
    Marker(theme::Shape),
}

const LINE: f64 = 14.5;
const GAP: f64 = 6.0;
const SAMPLE: f64 = 24.0;
/// Width of a legend beside the plot.
const BESIDE: f64 = 200.0;
/// Most entries that stand beside the plot.
const FEW: usize = 14;
/// Columns of a legend below the plot.
const COLUMNS: usize = 3;

/// A legend that knows where it goes.
pub(crate) struct Legend {
    entries: Vec<Entry>,
    beside: bool,
}

impl Legend {
    /// Beside the plot where it has few entries.
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let beside = entries.len() <= FEW;
        Self { entries, beside }
    }

    /// Below the plot, however few entries it has.
    pub(crate) fn below(entries: Vec<Entry>) -> Self {
        Self { entries, beside: false }
    }

    /// Width that it takes from the plot.
    pub(crate) fn width(&self) -> f64 {
        if self.beside && !self.entries.is_empty() { BESIDE + 22.0 } else { 0.0 }
    }

    /// Height that it takes below a plot whose own height is `plot`.
    pub(crate) fn height_below(&self, plot: f64) -> f64 {
        if self.entries.is_empty() {
            0.0
        } else if self.beside {
            (self.column_height(&self.entries, BESIDE) - plot).max(0.0)
        } else {
            let width = self.column_width();
            let tallest = self
                .entries
                .chunks(self.per_column())
                .map(|c| self.column_height(c, width))
                .fold(0.0, f64::max);
            tallest + 12.0
        }
    }

    /// Draws it: beside the plot from `top`, or below the plot from `bottom`.
    pub(crate) fn draw(&self, scene: &mut Scene, top: f64, bottom: f64) {
        if self.beside {
            let x = theme::WIDTH - theme::MARGIN - BESIDE;
            column(scene, &self.entries, (x, top), BESIDE);
            return;
        }
        let width = self.column_width();
        for (i, entries) in self.entries.chunks(self.per_column()).enumerate() {
            let x = theme::MARGIN + 44.0 + i as f64 * width;
            column(scene, entries, (x, bottom + 12.0), width);
        }
    }

    fn per_column(&self) -> usize {
        self.entries.len().div_ceil(COLUMNS).max(1)
    }

    fn column_width(&self) -> f64 {
        (theme::WIDTH - 2.0 * theme::MARGIN - 44.0) / COLUMNS as f64
    }

    fn column_height(&self, entries: &[Entry], width: f64) -> f64 {
        entries.iter().map(|e| lines(e, width).len().max(1) as f64 * LINE + GAP).sum()
    }
}

fn column(scene: &mut Scene, entries: &[Entry], at: (f64, f64), width: f64) {
    let (x, mut y) = at;
    for entry in entries {
        let middle = y + LINE / 2.0;
        match entry.sample {
            Sample::Line(dash) => {
                let sample = [(x, middle), (x + SAMPLE, middle)];
                scene.dashed(&sample, dash, entry.colour, theme::CURVE + 0.5);
            }
            Sample::Marker(shape) => {
                scene.marker((x + SAMPLE / 2.0, middle), 4.5, entry.colour, shape);
            }
        }
        let lines = lines(entry, width);
        for (i, line) in lines.iter().enumerate() {
            let at = (x + SAMPLE + 8.0, y + 11.0 + LINE * i as f64);
            scene.text(Text::new(at, line, theme::SMALL));
        }
        y += lines.len().max(1) as f64 * LINE + GAP;
    }
}

fn lines(entry: &Entry, width: f64) -> Vec<String> {
    wrap(&entry.label, theme::SMALL, false, width - SAMPLE - 14.0, 2)
}
