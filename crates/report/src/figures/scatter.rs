//! Headline score against parameters, one dot per variant.

use super::axis::{Range, Scale, prefix};
use super::layout::{Grid, Wanted};
use super::legend::{Entry, Legend, Sample};
use super::{Figure, interval_words, padded, shown_ends, theme};
use crate::analysis::Analysis;

/// The scatter plot, where any variant has a headline number.
pub(crate) fn score_against_parameters(analysis: &Analysis<'_>) -> Option<Figure> {
    let measure = analysis.headline();
    let points: Vec<_> = (0..analysis.variants().len())
        .filter_map(|v| analysis.estimate(v, measure).map(|e| (v, e)))
        .collect();
    if points.is_empty() {
        return None;
    }
    let params = |v: usize| analysis.variants()[v].params.total as f64;
    let entries = points
        .iter()
        .map(|(v, _)| Entry {
            label: analysis.variants()[*v].title().to_string(),
            colour: theme::series(*v).0,
            sample: Sample::Marker(theme::shape(*v)),
        })
        .collect();
    let grid = Grid::new(&Wanted::one(320.0), Legend::new(entries));
    let frame = grid.frames[0];
    let mut scene = grid.scene();
    let (low, high) =
        Range::of(points.iter().map(|(v, _)| params(*v))).ends().unwrap_or((0.0, 1.0));
    let wide = low > 0.0 && high / low > 8.0;
    // Nearly equal sizes get a tenth of room on both sides, so that one percent does not look like a lot.
    let (from, to) = if wide {
        (low / 1.25, high * 1.25)
    } else {
        let pad = (0.08 * (high - low)).max(0.1 * high).max(0.5);
        ((low - pad).max(0.0), high + pad)
    };
    let (divisor, unit) = prefix(to, true);
    let ends = (from / divisor, to / divisor);
    let pixels = (frame.left, frame.right);
    let x = if wide { Scale::logarithmic(ends, pixels) } else { Scale::linear(ends, pixels) };
    let y = Scale::linear(
        padded(measure, Range::of(points.iter().flat_map(|(_, e)| shown_ends(measure, e))), 0.1),
        (frame.bottom, frame.top),
    );
    let (name, of) = analysis.name_of(measure);
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    frame.x_axis(&mut scene, &x, 6, &format!("Parameters{unit}"));
    frame.y_axis(&mut scene, &y, 6, &format!("{name} ({of})"));
    for (v, estimate) in &points {
        let place = x.at(params(*v) / divisor);
        let colour = theme::series(*v).0;
        if let Some((low, high)) = estimate.interval {
            scene.interval_v(place, &y, (low, high), 4.0, colour);
        }
    }
    for (v, estimate) in &points {
        let place = x.at(params(*v) / divisor);
        scene.marker((place, y.at(estimate.mean)), 5.5, theme::series(*v).0, theme::shape(*v));
    }
    grid.draw_legend(&mut scene);
    Some(Figure {
        name: "score-parameters".into(),
        caption: format!("{name} ({of}) against parameters. {}", interval_words(analysis)),
        scene,
    })
}
