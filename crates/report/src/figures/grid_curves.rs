//! Training losses over tokens, a curve for every value of a grid's numeric setting and a panel for
//! everything else, as in the paper's Figure 7.

use super::axis::{Range, Scale, prefix};
use super::clip::{below, shown};
use super::grid::{Layout, title};
use super::legend::{Entry, Sample};
use super::scene::Scene;
use super::{Figure, theme};
use crate::analysis::{Analysis, Grid, Line, LinePoint};
use crate::rows::VariantRow;

/// Spans of tokens that the losses of a training are averaged over: single steps are noise.
const SPANS: usize = 60;
/// Most panels of the figure.
const MOST: usize = 24;

/// A curve of one variant in a panel.
struct Curve {
    value: usize,
    panel: usize,
    diverged: bool,
    line: Line,
}

/// The figure, where a numeric setting varies over a grid.
pub(crate) fn losses(analysis: &Analysis<'_>) -> Option<Figure> {
    let grid = Grid::of(&analysis.data.study)?;
    let panels = grid.lines.len() * grid.panels.len();
    if panels > MOST {
        return None;
    }
    let curves: Vec<Curve> = analysis
        .variants()
        .iter()
        .zip(&grid.places)
        .filter_map(|(row, place)| {
            let line = curve(analysis, row)?;
            let panel = place.panel * grid.lines.len() + place.line;
            let diverged = row.diverged.len() >= analysis.data.study.seeds.len().max(1);
            Some(Curve { value: place.value, panel, diverged, line })
        })
        .collect();
    if curves.is_empty() {
        return None;
    }
    let entries = grid.values.iter().enumerate().map(|(value, (_, text))| {
        let (colour, dash) = theme::series(value);
        Entry { label: format!("{} {text}", grid.x), colour, sample: Sample::Line(dash) }
    });
    let layout = Layout::of(panels, entries.collect());
    let mut scene = layout.scene();
    // One scale for all panels.
    let xs = Range::of(curves.iter().flat_map(|c| c.line.points.iter().map(|p| p.x)).chain([0.0]));
    let high = xs.padded(0.0).1;
    let lines = |all: bool| -> Vec<&Line> {
        curves.iter().filter(|curve| all || !curve.diverged).map(|curve| &curve.line).collect()
    };
    // What diverged leaves the picture.
    let kept = lines(false);
    let shown_lines = if kept.is_empty() { lines(true) } else { kept };
    let points: Vec<(f64, f64, f64)> =
        shown_lines.iter().flat_map(|l| &l.points).map(|p| (p.x, p.low, p.high)).collect();
    let range = shown(&points, high);
    let (divisor, unit) = prefix(high, true);
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    for panel in 0..panels {
        let frame = layout.frame(panel);
        let names = [&grid.panels[panel / grid.lines.len()], &grid.lines[panel % grid.lines.len()]];
        let names: Vec<&str> =
            names.into_iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        title(&mut scene, &frame, &names.join(", "));
        let x = Scale::linear((0.0, high / divisor), (frame.left, frame.right));
        let y = Scale::linear(range, (frame.bottom, frame.top));
        frame.x_axis(&mut scene, &x, 5, &format!("Training tokens{unit}"));
        frame.y_axis(&mut scene, &y, 5, "Training loss (nats/token)");
        for curve in curves.iter().filter(|curve| curve.panel == panel) {
            draw(&mut scene, curve, (&x, &y), divisor);
        }
    }
    layout.legend(&mut scene);
    let crosses = match curves.iter().any(|curve| curve.diverged) {
        true => " A cross ends trainings of which every seed diverged.",
        false => "",
    };
    let caption = format!(
        "Training loss over tokens by {}, means over seeds and over {SPANS} equal spans of the \
         training. The start is cut where it would flatten the rest.{crosses}",
        grid.x
    );
    Some(Figure { name: "grid-curves".into(), caption, scene })
}

fn draw(scene: &mut Scene, curve: &Curve, (x, y): (&Scale, &Scale), divisor: f64) {
    let (colour, dash) = theme::series(curve.value);
    let points: Vec<(f64, f64)> =
        curve.line.points.iter().map(|p| (p.x / divisor, p.mean)).collect();
    for part in below(&points, y.ends().1) {
        let places: Vec<(f64, f64)> = part.iter().map(|p| (x.at(p.0), y.at(p.1))).collect();
        scene.dashed(&places, dash, colour, theme::CURVE);
        if points.len() == 1 {
            scene.dot(places[0], 4.0, colour);
        }
    }
    if let (true, Some(last)) = (curve.diverged, points.last()) {
        scene.cross((x.at(last.0), y.at(last.1)), 4.5, colour);
    }
}

/// The training losses of a variant, averaged over spans of tokens and over its seeds; seeds that
/// diverged are left out where others did not.
fn curve(analysis: &Analysis<'_>, row: &VariantRow) -> Option<Line> {
    let steps = || {
        let own = analysis.data.curves.iter().filter(|point| point.variant == row.name);
        let whole = own.filter(|point| row.is_whole(point.seed, &analysis.data.study.seeds));
        whole.filter(|point| point.split == "train" && point.loss.is_finite())
    };
    let last = steps().map(|point| point.tokens).max()?;
    let mut spans = vec![(0.0, 0.0, 0u64); SPANS];
    for point in steps() {
        // The last token belongs to the last span.
        let place = (point.tokens as f64 / last as f64 * SPANS as f64).ceil() as usize;
        let (tokens, loss, count) = &mut spans[place.clamp(1, SPANS) - 1];
        *tokens += point.tokens as f64;
        *loss += point.loss;
        *count += 1;
    }
    let points = spans.into_iter().filter(|span| span.2 > 0).map(|(tokens, loss, count)| {
        let (x, mean) = (tokens / count as f64, loss / count as f64);
        LinePoint { x, mean, low: mean, high: mean }
    });
    let variant = row.name.clone();
    Some(Line { variant, language: String::new(), points: points.collect() })
}
