//! Where panels and their legend go: rows of frames, the legend beside or below them.

use super::axis::Frame;
use super::legend::Legend;
use super::scene::Scene;
use super::theme;

/// Room on the left of the first panel of a row: its tick labels and the name of its axis.
const FIRST: f64 = 56.0;
/// From panel to panel of up to two in a row, which all name their axis.
const GAP: f64 = 64.0;
/// From panel to panel of more, of which only the first does.
const NARROW: f64 = 46.0;
/// Room below a panel: tick labels, the name of the axis, and air.
const FOOT: f64 = 52.0;

/// What a grid is made for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) panels: usize,
    /// Side by side.
    pub(super) columns: usize,
    /// Height of each.
    pub(super) height: f64,
    /// Whether panels have a title above them.
    pub(super) titled: bool,
    /// More room below each panel.
    pub(super) foot: f64,
    /// Where the grid begins.
    pub(super) top: f64,
}

impl Wanted {
    /// One panel without a title.
    pub(super) fn one(height: f64) -> Self {
        Self { panels: 1, columns: 1, height, titled: false, foot: 0.0, top: theme::MARGIN }
    }

    /// Titled panels in rows of up to `columns`.
    pub(super) fn rows(panels: usize, columns: usize, height: f64) -> Self {
        let columns = columns.min(panels.max(1));
        Self { panels, columns, height, titled: true, foot: 0.0, top: theme::MARGIN }
    }
}

/// Frames in rows, with a legend.
pub(super) struct Grid {
    /// Row by row.
    pub(super) frames: Vec<Frame>,
    legend: Legend,
    head: f64,
    end: f64,
}

impl Grid {
    pub(super) fn new(wanted: &Wanted, legend: Legend) -> Self {
        let Wanted { panels, columns, height, titled, foot, top } = *wanted;
        let gap = if columns > 2 { NARROW } else { GAP };
        let taken = legend.width() + FIRST + gap * (columns - 1) as f64 + 8.0;
        let width = (theme::WIDTH - 2.0 * theme::MARGIN - taken) / columns as f64;
        let above = if titled { 22.0 } else { 8.0 };
        let pitch = above + height + FOOT + foot;
        let frame = |place: usize| {
            let left = theme::MARGIN + FIRST + (place % columns) as f64 * (width + gap);
            let top = top + above + (place / columns) as f64 * pitch;
            Frame { left, top, right: left + width, bottom: top + height }
        };
        let end = top + panels.div_ceil(columns) as f64 * pitch - 8.0;
        Self { frames: (0..panels).map(frame).collect(), legend, head: top + above, end }
    }

    /// Where everything ends, the legend included.
    pub(super) fn bottom(&self) -> f64 {
        self.end + self.legend.height_below(self.end - self.head)
    }

    /// An empty scene that the grid fills.
    pub(super) fn scene(&self) -> Scene {
        Scene::new(theme::WIDTH, self.bottom() + theme::MARGIN)
    }

    pub(super) fn draw_legend(&self, scene: &mut Scene) {
        self.legend.draw(scene, self.head, self.end);
    }
}
