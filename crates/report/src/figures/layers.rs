//! How much each layer matters: scores with consecutive layers left out, and Block Influence.

use super::axis::{Frame, Range, Scale};
use super::layout::{Grid, Wanted};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Scene, Text};
use super::{Figure, theme};
use crate::analysis::{Analysis, LayerLine, influence_lines, skip_lines};

/// Panels side by side.
const COLUMNS: usize = 2;
const PANEL: f64 = 240.0;

/// Average scores by the first layer that is left out: a panel for every variant, a line for every
/// number of layers.
pub(crate) fn skips(analysis: &Analysis<'_>) -> Option<Figure> {
    let panels: Vec<(usize, Vec<LayerLine>)> = (0..analysis.variants().len())
        .map(|v| (v, skip_lines(analysis.data, &analysis.variants()[v].name)))
        .filter(|(_, lines)| lines.iter().any(|line| line.count > 0))
        .collect();
    let counts = {
        let mut counts: Vec<u64> =
            panels.iter().flat_map(|p| &p.1).map(|line| line.count).filter(|c| *c > 0).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    };
    if panels.is_empty() {
        return None;
    }
    let entries = counts.iter().enumerate().map(|(i, count)| {
        let (colour, dash) = theme::series(i);
        let label =
            if *count == 1 { "1 layer left out".to_string() } else { format!("{count} layers") };
        Entry { label, colour, sample: Sample::Line(dash) }
    });
    let whole = Entry {
        label: "whole model".to_string(),
        colour: theme::LEVEL,
        sample: Sample::Line(theme::DASHES[1]),
    };
    let legend = Legend::new(entries.chain([whole]).collect());
    let grid = Grid::new(&Wanted::rows(panels.len(), COLUMNS, PANEL), legend);
    let mut scene = grid.scene();
    // One scale for all panels.
    let all = || panels.iter().flat_map(|p| &p.1).flat_map(|line| &line.points);
    let (low, high) = Range::of(all().flat_map(|p| [p.low, p.high])).padded(0.06);
    for ((variant, lines), frame) in panels.iter().zip(&grid.frames) {
        let title = analysis.variants()[*variant].title().to_string();
        scene.text(Text::new((frame.left, frame.top - 8.0), title, theme::LABEL).bold());
        let y = Scale::linear((low.max(0.0), high.min(100.0)), (frame.bottom, frame.top));
        let layers = lines.iter().flat_map(|line| &line.points).map(|p| p.layer);
        let (x, ticks) = layer_scale(layers, frame);
        frame.x_axis(&mut scene, &x, ticks, "First layer left out");
        frame.y_axis(&mut scene, &y, 5, "Average score (%)");
        for line in lines {
            match counts.iter().position(|count| *count == line.count) {
                Some(index) => draw(&mut scene, line, (&x, &y), index),
                // The whole model has one point: a level.
                None => {
                    let Some(point) = line.points.first() else { continue };
                    let level = y.at(point.mean);
                    let ends = [(frame.left, level), (frame.right, level)];
                    scene.dashed(&ends, theme::DASHES[1], theme::LEVEL, 1.25);
                }
            }
        }
    }
    grid.draw_legend(&mut scene);
    let seeds = seeds_of(analysis.data.skips.iter().map(|row| row.seed));
    Some(Figure {
        name: "layer-skips".into(),
        caption: format!(
            "Average score (mean over choice benchmarks) with consecutive layers left out, by the \
             first of them, counted from 0.{seeds}"
        ),
        scene,
    })
}

/// Block Influence of every layer, a line for every variant.
pub(crate) fn influence(analysis: &Analysis<'_>) -> Option<Figure> {
    let lines: Vec<(usize, LayerLine)> = (0..analysis.variants().len())
        .filter_map(|v| Some((v, influence_lines(analysis.data, &analysis.variants()[v].name)?)))
        .collect();
    if lines.is_empty() {
        return None;
    }
    let entry = |(v, _): &(usize, LayerLine)| {
        let (colour, dash) = theme::series(*v);
        let label = analysis.variants()[*v].title().to_string();
        Entry { label, colour, sample: Sample::Line(dash) }
    };
    let legend = Legend::new(lines.iter().map(entry).collect());
    let grid = Grid::new(&Wanted::one(PANEL), legend);
    let frame = grid.frames[0];
    let mut scene = grid.scene();
    let points = || lines.iter().flat_map(|(_, line)| &line.points);
    let high = Range::of(points().map(|p| p.high).chain([0.0])).padded(0.06).1;
    let (x, ticks) = layer_scale(points().map(|p| p.layer), &frame);
    let y = Scale::linear((0.0, high), (frame.bottom, frame.top));
    frame.x_axis(&mut scene, &x, ticks, "Layer");
    frame.y_axis(&mut scene, &y, 5, "Block Influence");
    for (variant, line) in &lines {
        draw(&mut scene, line, (&x, &y), *variant);
    }
    grid.draw_legend(&mut scene);
    let seeds = seeds_of(analysis.data.influence.iter().map(|row| row.seed));
    Some(Figure {
        name: "block-influence".into(),
        caption: format!(
            "Block Influence of every layer, counted from 0: one minus the mean cosine between the \
             residual stream before and after it (Men et al. 2024).{seeds}"
        ),
        scene,
    })
}

/// Layers from the left edge to the right one, and how many ticks: no more than layers.
pub(super) fn layer_scale(layers: impl Iterator<Item = u64>, frame: &Frame) -> (Scale, usize) {
    let last = layers.max().unwrap_or(0).max(1);
    let scale = Scale::linear((-0.25, last as f64 + 0.25), (frame.left, frame.right));
    (scale, last.min(6) as usize + 1)
}

pub(super) fn draw(scene: &mut Scene, line: &LayerLine, (x, y): (&Scale, &Scale), series: usize) {
    let (colour, dash) = theme::series(series);
    let place = |layer: u64, value: f64| (x.at(layer as f64), y.at(value));
    if line.points.iter().any(|p| p.low < p.high) {
        let upper = line.points.iter().map(|p| place(p.layer, p.high));
        let lower = line.points.iter().rev().map(|p| place(p.layer, p.low));
        scene.polygon(upper.chain(lower).collect(), colour, 0.16);
    }
    let places: Vec<(f64, f64)> = line.points.iter().map(|p| place(p.layer, p.mean)).collect();
    scene.dashed(&places, dash, colour, theme::CURVE);
    for place in places {
        scene.dot(place, 3.0, colour);
    }
}

pub(super) fn seeds_of(seeds: impl Iterator<Item = u64>) -> String {
    match seeds.collect::<std::collections::BTreeSet<_>>().len() {
        0 | 1 => " One seed: no band.".to_string(),
        n => format!(" Line: mean over {n} seeds; band: their range."),
    }
}
