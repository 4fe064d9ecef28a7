//! Losses under the final weights by when the text was visited, as in the paper's Figure 9.

use super::axis::{Frame, Range, Scale};
use super::grid::{Layout, title};
use super::scene::Scene;
use super::{Figure, theme};
use crate::analysis::{Analysis, Remembered, remembered};
use crate::number::signed;

/// Most parts that have a tick each.
const MOST_TICKS: usize = 16;

/// Bars by part, a panel for every variant whose batches were scored.
pub(crate) fn parts(analysis: &Analysis<'_>) -> Option<Figure> {
    let found: Vec<(&str, Remembered)> = analysis
        .variants()
        .iter()
        .filter_map(|row| Some((row.title(), remembered(analysis.data, &row.name)?)))
        .filter(|(_, found)| !found.parts.is_empty())
        .collect();
    if found.is_empty() {
        return None;
    }
    let layout = Layout::of(found.len(), Vec::new());
    let mut scene = layout.scene();
    for (panel, (variant, remembered)) in found.iter().enumerate() {
        let frame = layout.frame(panel);
        let trend = remembered.trend.map_or_else(String::new, |t| {
            let digits = 4;
            format!(
                ": {} [{}, {}] from first to last",
                signed(t.slope, digits),
                signed(t.low, digits),
                signed(t.high, digits)
            )
        });
        title(&mut scene, &frame, &format!("{variant}{trend}"));
        bars(&mut scene, &frame, remembered);
    }
    let seeds = found.iter().map(|(_, found)| found.seeds).max().unwrap_or(1);
    let of = if seeds > 1 { format!(" of {seeds} seeds") } else { String::new() };
    Some(Figure {
        name: "forgetting".into(),
        caption: format!(
            "Mean batch loss under the final weights by part of the training, in the order of the \
             visits. Bars: 95% interval over the batches{of}. Above each panel: the change of a \
             straight line through all batches, with its 95% interval. The axes do not start at zero."
        ),
        scene,
    })
}

fn bars(scene: &mut Scene, frame: &Frame, found: &Remembered) {
    let count = found.parts.len();
    let x = Scale::linear((-0.5, count as f64 - 0.5), (frame.left, frame.right));
    let ends = found.parts.iter().flat_map(|part| [part.ends().0, part.ends().1, part.mean]);
    let y = Scale::linear(Range::of(ends).padded(0.25), (frame.bottom, frame.top));
    let step = count.div_ceil(MOST_TICKS);
    let ticks = (0..count).step_by(step.max(1)).map(|part| (part as f64, part.to_string()));
    frame.x_axis_at(scene, &x, ticks.collect(), "Part of the training");
    frame.y_axis(scene, &y, 5, "Loss (nats/token)");
    let half = 0.36 * (x.at(1.0) - x.at(0.0));
    for (part, estimate) in found.parts.iter().enumerate() {
        let middle = x.at(part as f64);
        let (top, bottom) = (y.at(estimate.mean), frame.bottom);
        scene.rect((middle - half, top), (middle + half, bottom), theme::PALETTE[0], 0.85);
        if let Some(ends) = estimate.interval {
            scene.interval_v(middle, &y, ends, 4.0, theme::INK);
        }
    }
}
