//! Learning curves: held-out bits per byte against training tokens or text, one panel per language, the legend outside.

use polars::prelude::PolarsResult;

use super::axis::{Frame, Range, Scale, prefix};
use super::clip::{below, outline_below, shown};
use super::layout::{Grid, Wanted};
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

    let grid = Grid::new(&Wanted::rows(languages.len(), 2, 300.0), Legend::new(entries));
    let mut scene = grid.scene();
    for (language, frame) in languages.iter().zip(&grid.frames) {
        let own: Vec<&Line> = lines.iter().filter(|l| l.language == *language).collect();
        panel(&mut scene, &names, &own, language, frame, over);
    }
    grid.draw_legend(&mut scene);
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
    Ok(Some(Figure { name: name.into(), caption, scene }))
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
    let points: Vec<(f64, f64, f64)> =
        lines.iter().flat_map(|l| &l.points).map(|p| (p.x, p.low, p.high)).collect();
    let y = Scale::linear(shown(&points, high), (frame.bottom, frame.top));
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
