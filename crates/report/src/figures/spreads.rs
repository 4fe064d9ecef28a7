//! How widely the weights of every matrix spread over the layers: the paper's Figure 11.

use super::axis::{Frame, Range, Scale};
use super::layers::{draw, layer_scale, seeds_of};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Scene, Text};
use super::{Figure, theme};
use crate::analysis::{Analysis, LayerLine, spread_line};

/// Short names and titles of the matrices.
const MATRICES: [(&str, &str); 7] = [
    ("q", "Query"),
    ("k", "Key"),
    ("v", "Value"),
    ("o", "Attention output"),
    ("gate", "Gate"),
    ("up", "Up"),
    ("down", "Down"),
];
/// Panels side by side.
const COLUMNS: usize = 4;
const PANEL: f64 = 128.0;
const GAP: f64 = 46.0;

/// A panel for every matrix, a line for every variant.
pub(crate) fn panels(analysis: &Analysis<'_>) -> Option<Figure> {
    let variants = analysis.variants();
    let lines_of = |matrix: &str| -> Vec<(usize, LayerLine)> {
        let line = |v: usize| Some((v, spread_line(analysis.data, &variants[v].name, matrix)?));
        (0..variants.len()).filter_map(line).collect()
    };
    let panels: Vec<(&str, Vec<(usize, LayerLine)>)> = MATRICES
        .iter()
        .map(|(matrix, title)| (*title, lines_of(matrix)))
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    if panels.is_empty() {
        return None;
    }
    let entries = (0..variants.len())
        .filter(|v| panels.iter().any(|(_, lines)| lines.iter().any(|(of, _)| of == v)))
        .map(|v| {
            let (colour, dash) = theme::series(v);
            Entry { label: variants[v].title().to_string(), colour, sample: Sample::Line(dash) }
        })
        .collect();
    let legend = Legend::new(entries);
    let room = theme::WIDTH - 2.0 * theme::MARGIN - 8.0;
    let width = room / COLUMNS as f64 - GAP;
    let pitch = PANEL + 74.0;
    let end = theme::MARGIN + panels.len().div_ceil(COLUMNS) as f64 * pitch - 8.0;
    // Seven panels leave room for the legend in the last place of the last row.
    let free = theme::MARGIN + (panels.len() / COLUMNS) as f64 * pitch + 22.0;
    let height = end + legend.height_below(end - free) + theme::MARGIN;
    let mut scene = Scene::new(theme::WIDTH, height);
    // One scale for all panels.
    let points = || panels.iter().flat_map(|p| &p.1).flat_map(|(_, line)| &line.points);
    let high = Range::of(points().map(|p| p.high).chain([0.0])).padded(0.06).1;
    for (place, (title, lines)) in panels.iter().enumerate() {
        let left = theme::MARGIN + GAP + (place % COLUMNS) as f64 * (width + GAP);
        let top = theme::MARGIN + 22.0 + (place / COLUMNS) as f64 * pitch;
        let frame = Frame { left, top, right: left + width, bottom: top + PANEL };
        scene.text(Text::new((frame.left, frame.top - 8.0), *title, theme::LABEL).bold());
        let y = Scale::linear((0.0, high), (frame.bottom, frame.top));
        let layers = lines.iter().flat_map(|(_, line)| &line.points).map(|p| p.layer);
        let (x, ticks) = layer_scale(layers, &frame);
        frame.x_axis(&mut scene, &x, ticks.min(4), "Layer");
        let name = if place % COLUMNS == 0 { "Std" } else { "" };
        frame.y_axis(&mut scene, &y, 3, name);
        for (variant, line) in lines {
            draw(&mut scene, line, (&x, &y), *variant);
        }
    }
    legend.draw(&mut scene, free, end);
    let seeds = seeds_of(analysis.data.spreads.iter().map(|row| row.seed));
    Some(Figure {
        name: "weight-spreads".into(),
        caption: format!(
            "Standard deviation of the trained weights of every matrix, by layer, counted from 0.{seeds}"
        ),
        scene,
    })
}
