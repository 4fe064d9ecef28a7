//! Learning curves: held-out bits per byte against training tokens or text, one panel per language, the legend outside.

use polars::prelude::PolarsResult;

use super::axis::{Frame, Range, Scale, prefix};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Scene, Text};
use super::{Figure, theme};
use crate::analysis::{Analysis, Line, Over, curve_lines};

/// The curves, where any validation was logged.
pub(crate) fn learning(analysis: &Analysis<'_>, over: Over) -> PolarsResult<Option<Figure>> {
    let mut lines = curve_lines(&analysis.data.curves, over)?;
    lines.retain(|l| !l.points.is_empty());
    let names: Vec<&str> = analysis.variants().iter().map(|v| v.name.as_str()).collect();
    lines.retain(|l| names.contains(&l.variant.as_str()));
    if lines.is_empty() {
        return Ok(None);
    }
    let mut languages: Vec<&str> = Vec::new();
    for line in &lines {
        if !languages.contains(&line.language.as_str()) {
            languages.push(&line.language);
        }
    }
    let entries = names
        .iter()
        .enumerate()
        .filter(|(_, name)| lines.iter().any(|l| l.variant == **name))
        .map(|(v, _)| {
            let (colour, dash) = theme::series(v);
            Entry {
                label: analysis.variants()[v].title().to_string(),
                colour,
                sample: Sample::Line(dash),
            }
        })
        .collect();

    let legend = Legend::new(entries);
    let gap = 70.0;
    let columns = languages.len().min(2);
    let width = theme::WIDTH - 2.0 * theme::MARGIN - legend.width();
    let panel_width = (width - gap * columns as f64 + 8.0) / columns as f64;
    let panel_height = 300.0;
    let rows = languages.len().div_ceil(columns);
    let pitch = panel_height + 78.0;
    let end = theme::MARGIN + rows as f64 * pitch - 12.0;
    let mut scene = Scene::new(theme::WIDTH, end + legend.height_below(end) + theme::MARGIN);
    for (i, language) in languages.iter().enumerate() {
        let left = theme::MARGIN + 58.0 + (i % columns) as f64 * (panel_width + gap);
        let top = theme::MARGIN + 22.0 + (i / columns) as f64 * pitch;
        let frame = Frame { left, top, right: left + panel_width, bottom: top + panel_height };
        let own: Vec<&Line> = lines.iter().filter(|l| l.language == *language).collect();
        panel(&mut scene, &names, &own, language, &frame, over);
    }
    legend.draw(&mut scene, theme::MARGIN + 22.0, end);
    let (name, what) = match over {
        Over::Tokens => ("curves-tokens", "training tokens"),
        Over::Bytes => ("curves-bytes", "bytes of training text"),
    };
    let seeds =
        analysis.data.curves.iter().map(|c| c.seed).collect::<std::collections::BTreeSet<_>>();
    let band = if seeds.len() > 1 {
        format!(" Line: mean over {} seeds; band: their range.", seeds.len())
    } else {
        " One seed: no band.".to_string()
    };
    let caption = format!(
        "Bits per byte of held-out text against {what}.{band} The start is cut where it would flatten the rest."
    );
    Ok(Some(Figure { name, caption, scene }))
}

fn panel(
    scene: &mut Scene,
    names: &[&str],
    lines: &[&Line],
    language: &str,
    frame: &Frame,
    over: Over,
) {
    let xs = Range::of(lines.iter().flat_map(|l| l.points.iter().map(|p| p.x)).chain([0.0]));
    let (low, high) = xs.padded(0.0);
    let (divisor, unit) = prefix(high, over == Over::Tokens);
    let x = Scale::linear((low / divisor, high / divisor), (frame.left, frame.right));
    let y = Scale::linear(shown(lines, high), (frame.bottom, frame.top));
    let (name, unit) = match over {
        Over::Tokens if unit.is_empty() => ("Training tokens", String::new()),
        Over::Tokens => ("Training tokens", format!(" ({unit})")),
        Over::Bytes => ("Training text", format!(" ({unit}B)")),
    };
    frame.x_axis(scene, &x, 5, &format!("{name}{unit}"));
    frame.y_axis(scene, &y, 5, "Bits per byte");
    let title = if language.is_empty() {
        "Held-out text".to_string()
    } else {
        format!("Held-out text, {language}")
    };
    scene.text(Text::new((frame.left, frame.top - 8.0), title, theme::LABEL).bold());
    let order = |l: &Line| names.iter().position(|n| *n == l.variant).unwrap_or(0);
    for line in lines {
        let colour = theme::series(order(line)).0;
        let upper = line.points.iter().map(|p| (p.x / divisor, p.high));
        let lower = line.points.iter().rev().map(|p| (p.x / divisor, p.low));
        let outline = outline_below(&upper.chain(lower).collect::<Vec<_>>(), y.ends().1);
        let places = outline.into_iter().map(|(a, b)| (x.at(a), y.at(b))).collect();
        scene.polygon(places, colour, 0.18);
    }
    for line in lines {
        let (colour, dash) = theme::series(order(line));
        let points: Vec<(f64, f64)> = line.points.iter().map(|p| (p.x / divisor, p.mean)).collect();
        for part in below(&points, y.ends().1) {
            let places: Vec<(f64, f64)> = part.iter().map(|p| (x.at(p.0), y.at(p.1))).collect();
            scene.dashed(&places, dash, colour, theme::CURVE);
            if places.len() == 1 || line.points.len() == 1 {
                scene.dot(places[0], 4.0, colour);
            }
        }
    }
}

/// The range of the vertical axis. The first fifth of training may be several times higher than all that follows; then the axis ends a
/// little above the values after it.
pub(super) fn shown(lines: &[&Line], end: f64) -> (f64, f64) {
    let points = || lines.iter().flat_map(|l| &l.points);
    let whole = Range::of(points().flat_map(|p| [p.low, p.high]));
    let late = Range::of(points().filter(|p| p.x >= 0.2 * end).flat_map(|p| [p.low, p.high]));
    match (whole.ends(), late.ends()) {
        (Some((low, high)), Some((_, top))) if high - low > 1.6 * (top - low) && top > low => {
            (low - 0.04 * (top - low), top + 0.12 * (top - low))
        }
        _ => whole.padded(0.04),
    }
}

/// The parts of a line below a level, cut where it crosses.
pub(super) fn below(points: &[(f64, f64)], level: f64) -> Vec<Vec<(f64, f64)>> {
    let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut part: Vec<(f64, f64)> = Vec::new();
    for (i, point) in points.iter().enumerate() {
        let inside = point.1 <= level;
        if let Some(before) = i.checked_sub(1).map(|k| points[k])
            && (before.1 <= level) != inside
        {
            let share = (level - before.1) / (point.1 - before.1);
            let cut = (before.0 + share * (point.0 - before.0), level);
            part.push(cut);
            if !inside {
                parts.push(std::mem::take(&mut part));
            }
        }
        if inside {
            part.push(*point);
        }
    }
    parts.push(part);
    parts.retain(|p| !p.is_empty());
    parts
}

/// The part of an outline below a level (one side of Sutherland and Hodgman's clipping).
fn outline_below(points: &[(f64, f64)], level: f64) -> Vec<(f64, f64)> {
    let mut out = Vec::with_capacity(points.len() + 4);
    for (i, to) in points.iter().enumerate() {
        let from = points[(i + points.len() - 1) % points.len()];
        if (from.1 <= level) != (to.1 <= level) {
            let share = (level - from.1) / (to.1 - from.1);
            out.push((from.0 + share * (to.0 - from.0), level));
        }
        if to.1 <= level {
            out.push(*to);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{below, outline_below};

    #[test]
    fn an_outline_is_cut_at_the_level() {
        let square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)];
        let cut = outline_below(&square, 1.0);
        assert_eq!(cut, [(0.0, 1.0), (0.0, 0.0), (2.0, 0.0), (2.0, 1.0)]);
    }

    #[test]
    fn a_line_is_cut_where_it_crosses_the_level() {
        let points = [(0.0, 4.0), (1.0, 2.0), (2.0, 1.0), (3.0, 5.0)];
        let parts = below(&points, 3.0);
        assert_eq!(parts, [vec![(0.5, 3.0), (1.0, 2.0), (2.0, 1.0), (2.5, 3.0)]]);
        assert!(below(&points, 0.0).is_empty());
    }
}
