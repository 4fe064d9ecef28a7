//! Share of the corpus that the most frequent pieces of a tokenizer cover, against the size of the vocabulary.

use super::axis::{Range, Scale, prefix};
use super::layout::{Grid, Wanted};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Anchor, Text};
use super::{Figure, theme};
use crate::analysis::Analysis;

/// Coverage that the paper asks for (more than 90%).
const RULE: f64 = 90.0;

/// The curve, where coverage was measured.
pub(crate) fn curve(analysis: &Analysis<'_>) -> Option<Figure> {
    let rows: Vec<_> = analysis.data.coverage.iter().filter(|r| r.coverage.is_finite()).collect();
    if rows.is_empty() {
        return None;
    }
    let mut tokenizers: Vec<&str> = Vec::new();
    for row in &rows {
        if !tokenizers.contains(&row.tokenizer.as_str()) {
            tokenizers.push(&row.tokenizer);
        }
    }
    let entries = tokenizers
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let (colour, dash) = theme::series(i);
            Entry { label: (*name).to_string(), colour, sample: Sample::Line(dash) }
        })
        .collect();
    let grid = Grid::new(&Wanted::one(300.0), Legend::new(entries));
    let frame = grid.frames[0];
    let mut scene = grid.scene();
    let sizes = Range::of(rows.iter().map(|r| r.vocabulary as f64));
    let (low, high) = sizes.ends().unwrap_or((0.0, 1.0));
    let wide = low > 0.0 && high / low > 12.0;
    let (divisor, unit) = prefix(high, true);
    let pixels = (frame.left, frame.right);
    let x = if wide {
        Scale::logarithmic((low / divisor, high / divisor), pixels)
    } else {
        Scale::linear((0.0, sizes.padded(0.03).1 / divisor), pixels)
    };
    let least = Range::of(rows.iter().map(|r| r.coverage * 100.0)).ends().map_or(0.0, |e| e.0);
    let bottom = ((least.min(RULE) - 2.0) / 10.0).floor() * 10.0;
    let y = Scale::linear((bottom.max(0.0), 100.0), (frame.bottom, frame.top));
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    frame.x_axis(&mut scene, &x, 6, &format!("Vocabulary, pieces{unit}"));
    frame.y_axis(&mut scene, &y, 6, "Coverage of the corpus (%)");
    let level = y.at(RULE);
    scene.dashed(&[(frame.left, level), (frame.right, level)], &[5.0, 4.0], theme::LEVEL, 1.25);
    scene.text(
        Text::new((frame.right - 4.0, level + 14.0), "90%, the paper's rule", theme::SMALL)
            .anchor(Anchor::End)
            .colour(theme::MUTED),
    );
    for (i, name) in tokenizers.iter().enumerate() {
        let (colour, dash) = theme::series(i);
        let mut points: Vec<(f64, f64)> = rows
            .iter()
            .filter(|r| r.tokenizer == *name)
            .map(|r| (r.vocabulary as f64, r.coverage * 100.0))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let places: Vec<(f64, f64)> =
            points.iter().map(|p| (x.at(p.0 / divisor), y.at(p.1))).collect();
        scene.dashed(&places, dash, colour, theme::CURVE);
        for place in places {
            scene.dot(place, 3.5, colour);
        }
    }
    grid.draw_legend(&mut scene);
    Some(Figure {
        name: "coverage".into(),
        caption: "Share of the corpus (%) that the most frequent pieces of a tokenizer account for, against how many are kept."
            .to_string(),
        scene,
    })
}
