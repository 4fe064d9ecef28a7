//! The headline score over the numeric setting of a grid, as in the paper's Figure 8.

use super::axis::{Frame, Range, Scale};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Scene, Text};
use super::{Figure, interval_words, padded, shown_ends, theme};
use crate::analysis::{Analysis, Estimate, Grid};

/// Panels side by side.
const COLUMNS: usize = 2;
const PANEL: f64 = 260.0;
const GAP: f64 = 66.0;
/// Most ticks of a panel: more values than these get round ticks.
const MOST_TICKS: usize = 12;

/// What became of a variant.
struct Point {
    /// Nothing where every seed failed.
    score: Option<Estimate>,
    /// Whether any seed diverged.
    diverged: bool,
}

/// The figure, where a numeric setting varies over a grid.
pub(crate) fn scores(analysis: &Analysis<'_>) -> Option<Figure> {
    let grid = Grid::of(&analysis.data.study)?;
    let measure = analysis.headline();
    let points: Vec<(usize, Point)> = (0..analysis.variants().len())
        .map(|v| {
            let score = analysis.estimate(v, measure);
            (v, Point { score, diverged: analysis.diverged(v).is_some() })
        })
        .collect();
    let scored = || points.iter().filter_map(|(_, point)| point.score);
    if scored().count() < 2 {
        return None;
    }
    let (name, of) = analysis.name_of(measure);
    let range =
        padded(measure, Range::of(scored().flat_map(|found| shown_ends(measure, &found))), 0.1);
    let layout = Layout::new(&grid, line_legend(&grid));
    let mut scene = layout.scene();
    for panel in 0..grid.panels.len() {
        let frame = layout.frame(panel);
        title(&mut scene, &frame, &grid.panels[panel]);
        let x = value_scale(&grid, &frame);
        let y = Scale::linear(range, (frame.bottom, frame.top));
        value_axis(&mut scene, &grid, &frame, &x);
        frame.y_axis(&mut scene, &y, 5, &format!("{name} ({of})"));
        for line in 0..grid.lines.len() {
            let (colour, dash) = theme::series(line);
            let mut own: Vec<(f64, Estimate)> = points
                .iter()
                .filter(|(v, _)| grid.places[*v].panel == panel && grid.places[*v].line == line)
                .filter_map(|(v, p)| Some((x.at(grid.values[grid.places[*v].value].0), p.score?)))
                .collect();
            own.sort_by(|a, b| a.0.total_cmp(&b.0));
            let path: Vec<(f64, f64)> =
                own.iter().map(|(x, found)| (*x, y.at(found.mean))).collect();
            scene.dashed(&path, dash, colour, theme::CURVE);
            for (x, found) in own {
                if let Some(ends) = found.interval {
                    scene.interval_v(x, &y, ends, 4.0, colour);
                }
                scene.marker((x, y.at(found.mean)), 4.5, colour, theme::shape(line));
            }
        }
        let worst = if measure.higher_is_better() { frame.bottom - 8.0 } else { frame.top + 8.0 };
        for value in 0..grid.values.len() {
            let lost: Vec<usize> = points
                .iter()
                .filter(|(v, point)| {
                    let place = grid.places[*v];
                    point.diverged && place.panel == panel && place.value == value
                })
                .map(|(v, _)| grid.places[*v].line)
                .collect();
            // Beside each other, so that no cross hides another.
            for (i, line) in lost.iter().enumerate() {
                let aside = 12.0 * (i as f64 - (lost.len() - 1) as f64 / 2.0);
                let at = (x.at(grid.values[value].0) + aside, worst);
                scene.cross(at, 4.5, theme::series(*line).0);
            }
        }
    }
    layout.legend(&mut scene);
    let diverged = points.iter().any(|(_, point)| point.diverged);
    let crosses = if diverged { " A cross at the edge: trainings diverged there." } else { "" };
    let caption = format!("{name} ({of}) over {}. {}{crosses}", grid.x, interval_words(analysis));
    Some(Figure { name: "grid".into(), caption, scene })
}

/// An entry for every line, where there are several.
fn line_legend(grid: &Grid) -> Vec<Entry> {
    let entry = |(line, label): (usize, &String)| {
        let (colour, dash) = theme::series(line);
        Entry { label: label.clone(), colour, sample: Sample::Line(dash) }
    };
    match grid.lines.len() {
        0 | 1 => Vec::new(),
        _ => grid.lines.iter().enumerate().map(entry).collect(),
    }
}

/// The scale of the horizontal setting, with room at both ends.
fn value_scale(grid: &Grid, frame: &Frame) -> Scale {
    let ends = (grid.values.first(), grid.values.last());
    let (Some((low, _)), Some((high, _))) = ends else {
        return Scale::linear((0.0, 1.0), (frame.left, frame.right));
    };
    if grid.log {
        let room = (high / low).powf(0.06);
        return Scale::logarithmic((low / room, high * room), (frame.left, frame.right));
    }
    let room = 0.06 * (high - low);
    Scale::linear((low - room, high + room), (frame.left, frame.right))
}

/// Ticks at the values themselves, as they were written.
fn value_axis(scene: &mut Scene, grid: &Grid, frame: &Frame, scale: &Scale) {
    let name = capital(&grid.x);
    if grid.values.len() <= MOST_TICKS {
        frame.x_axis_at(scene, scale, grid.values.clone(), &name);
    } else {
        frame.x_axis(scene, scale, 6, &name);
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(super) fn title(scene: &mut Scene, frame: &Frame, text: &str) {
    scene.text(Text::new((frame.left, frame.top - 8.0), text, theme::LABEL).bold());
}

/// Panels in rows of two, with a legend.
pub(super) struct Layout {
    legend: Option<Legend>,
    columns: usize,
    width: f64,
    end: f64,
}

impl Layout {
    pub(super) fn new(grid: &Grid, entries: Vec<Entry>) -> Self {
        Self::of(grid.panels.len(), entries)
    }

    /// So many panels.
    pub(super) fn of(panels: usize, entries: Vec<Entry>) -> Self {
        let legend = (!entries.is_empty()).then(|| Legend::new(entries));
        let columns = panels.clamp(1, COLUMNS);
        let beside = legend.as_ref().map_or(0.0, Legend::width);
        let room = theme::WIDTH - 2.0 * theme::MARGIN - beside;
        let width = room / columns as f64 - GAP - 8.0;
        let end = theme::MARGIN + panels.div_ceil(columns) as f64 * pitch() - 8.0;
        Self { legend, columns, width, end }
    }

    pub(super) fn scene(&self) -> Scene {
        let below = self.legend.as_ref().map_or(0.0, |legend| legend.height_below(self.end));
        Scene::new(theme::WIDTH, self.end + below + theme::MARGIN)
    }

    pub(super) fn frame(&self, panel: usize) -> Frame {
        let (column, row) = (panel % self.columns, panel / self.columns);
        let left = theme::MARGIN + GAP + column as f64 * (self.width + GAP + 8.0);
        let top = theme::MARGIN + 22.0 + row as f64 * pitch();
        Frame { left, top, right: left + self.width, bottom: top + PANEL }
    }

    pub(super) fn legend(&self, scene: &mut Scene) {
        if let Some(legend) = &self.legend {
            legend.draw(scene, theme::MARGIN + 22.0, self.end);
        }
    }
}

fn pitch() -> f64 {
    PANEL + 76.0
}
