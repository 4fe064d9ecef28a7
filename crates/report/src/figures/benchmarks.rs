//! One panel per benchmark: a bar per variant with its interval, and a line at chance.

use super::axis::{Frame, Range, Scale};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Scene, Text, fit};
use super::{Figure, interval_words, theme};
use crate::analysis::{Analysis, Measure};

const COLUMNS: usize = 3;
const GAP: f64 = 34.0;

/// The panels, where anything was scored.
pub(crate) fn panels(analysis: &Analysis<'_>) -> Option<Figure> {
    let count = analysis.variants().len();
    let benchmarks = analysis.benchmarks.len();
    if benchmarks == 0 || count == 0 {
        return None;
    }
    let entries = (0..count)
        .map(|v| Entry {
            label: analysis.variants()[v].title().to_string(),
            colour: theme::series(v).0,
            sample: Sample::Marker(theme::Shape::Circle),
        })
        .collect();
    let legend = Legend::new(entries);
    let columns = COLUMNS.min(benchmarks);
    let rows = benchmarks.div_ceil(columns);
    let bar = if count <= 8 { 15.0 } else { 11.0 };
    let panel_height = 30.0 + bar * count as f64 + 8.0 + 26.0;
    let width = theme::WIDTH - 2.0 * theme::MARGIN - legend.width() - 4.0;
    let panel_width = (width - GAP * (columns - 1) as f64) / columns as f64;
    let height = rows as f64 * panel_height + 18.0;
    let below = legend.height_below(height);
    let mut scene = Scene::new(theme::WIDTH, height + below + 2.0 * theme::MARGIN);
    for b in 0..benchmarks {
        let left = theme::MARGIN + (b % columns) as f64 * (panel_width + GAP);
        let top = theme::MARGIN + (b / columns) as f64 * panel_height + 30.0;
        let frame =
            Frame { left, top, right: left + panel_width, bottom: top + bar * count as f64 + 8.0 };
        panel(&mut scene, analysis, b, &frame, bar);
    }
    let end = theme::MARGIN + height;
    legend.draw(&mut scene, theme::MARGIN + 30.0, end);
    scene.text(Text::new((theme::MARGIN, end - 6.0), "Score (%)", theme::LABEL));
    let metrics: Vec<&str> = {
        let mut seen: Vec<&str> = Vec::new();
        for b in &analysis.benchmarks {
            if !seen.contains(&b.metric.as_str()) {
                seen.push(&b.metric);
            }
        }
        seen
    };
    Some(Figure {
        name: "benchmarks".into(),
        caption: format!(
            "Score (%) on each benchmark ({}). {} Dashed line: chance.",
            metrics.join(", "),
            interval_words(analysis)
        ),
        scene,
    })
}

fn panel(scene: &mut Scene, analysis: &Analysis<'_>, b: usize, frame: &Frame, bar: f64) {
    let benchmark = &analysis.benchmarks[b];
    let count = analysis.variants().len();
    let mut range = Range::of([0.0]);
    range.extend(benchmark.chance);
    for v in 0..count {
        if let Some(estimate) = analysis.estimate(v, Measure::Benchmark(b)) {
            range.extend(super::shown_ends(Measure::Benchmark(b), &estimate));
        }
    }
    let high = range.ends().map_or(1.0, |(_, high)| high * 1.04).max(1e-3);
    let scale = Scale::linear((0.0, high), (frame.left, frame.right));
    let title = fit(&benchmark.title(), theme::LABEL, true, frame.right - frame.left);
    scene.text(Text::new((frame.left, frame.top - 8.0), title, theme::LABEL).bold());
    frame.x_axis(scene, &scale, 4, "");
    scene.line((frame.left, frame.top), (frame.left, frame.bottom), theme::INK, theme::HAIR);
    for v in 0..count {
        let y = frame.top + 4.0 + bar * (v as f64 + 0.5);
        let Some(estimate) = analysis.estimate(v, Measure::Benchmark(b)) else { continue };
        let half = bar / 2.0 - 1.5;
        scene.rect(
            (frame.left, y - half),
            (scale.at(estimate.mean), y + half),
            theme::series(v).0,
            1.0,
        );
        if let Some((low, high)) = estimate.interval {
            scene.interval_h(&scale, (low, high), y, 3.0);
        }
    }
    if let Some(chance) = benchmark.chance {
        let x = scale.at(chance);
        scene.dashed(&[(x, frame.top - 2.0), (x, frame.bottom)], &[4.0, 3.0], theme::INK, 1.25);
    }
}
