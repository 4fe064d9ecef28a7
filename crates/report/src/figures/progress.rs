//! Scores at points of the training, through all rounds, as in the paper's Figure 10.

use super::axis::{Frame, Range, Scale, prefix};
use super::draw::text_width;
use super::layout::{Grid, Wanted};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Scene, Text, fit};
use super::{Figure, theme};
use crate::analysis::{
    Analysis, Benchmark, Course, ProgressPoint, courses, progress, progress_benchmarks,
};

/// Lines with more points than this have no dots.
const DOTTED: usize = 40;

/// A panel for the average and for every benchmark, a line for every training that is not the beginning
/// of another.
pub(crate) fn scores(analysis: &Analysis<'_>) -> Option<Figure> {
    let courses = courses(analysis.data);
    if courses.is_empty() {
        return None;
    }
    let benchmarks = progress_benchmarks(analysis.data);
    let average = (benchmarks.len() > 1).then_some(None);
    let panels: Vec<Option<&Benchmark>> =
        average.into_iter().chain(benchmarks.iter().map(Some)).collect();
    let entry = |(i, course): (usize, &Course)| {
        let (colour, dash) = theme::series(i);
        let label = analysis.variants()[course.variant].title().to_string();
        Entry { label, colour, sample: Sample::Line(dash) }
    };
    let entries: Vec<Entry> = courses.iter().enumerate().map(entry).collect();
    let (columns, height) = match panels.len() {
        1 => (1, 270.0),
        2..=4 => (2, 230.0),
        _ => (3, 170.0),
    };
    let legend = if columns > 2 { Legend::below(entries) } else { Legend::new(entries) };
    let grid = Grid::new(&Wanted::rows(panels.len(), columns, height), legend);
    let mut scene = grid.scene();
    let points = || courses.iter().flat_map(|course| &course.points);
    let (divisor, unit) = prefix(points().map(|p| p.tokens as f64).fold(0.0, f64::max), true);
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    for (place, (of, frame)) in panels.iter().zip(&grid.frames).enumerate() {
        let lines: Vec<Vec<ProgressPoint>> = courses
            .iter()
            .map(|course| match of {
                None => course.points.clone(),
                Some(_) => progress(analysis.data, &analysis.variants()[course.variant].name, *of),
            })
            .collect();
        let title = of.map_or_else(|| "Average score".to_string(), Benchmark::title);
        let title = fit(&title, theme::LABEL, true, frame.right - frame.left);
        scene.text(Text::new((frame.left, frame.top - 8.0), title, theme::LABEL).bold());
        let named = columns <= 2 || place % columns == 0;
        let chance = of.and_then(|benchmark| benchmark.chance);
        let x = tokens_scale(&courses, divisor, frame);
        let y = Scale::linear(score_range(&lines, chance), (frame.bottom, frame.top));
        frame.x_axis(
            &mut scene,
            &x,
            if columns > 2 { 4 } else { 6 },
            &format!("Training tokens{unit}"),
        );
        frame.y_axis(&mut scene, &y, 5, if named { "Score (%)" } else { "" });
        marks(&mut scene, &courses, (&x, divisor), frame);
        if let Some(chance) = chance {
            let level = y.at(chance);
            let ends = [(frame.left, level), (frame.right, level)];
            scene.dashed(&ends, theme::DASHES[1], theme::LEVEL, 1.25);
        }
        for (index, points) in lines.iter().enumerate() {
            band(&mut scene, points, (&x, &y), divisor, theme::series(index).0);
        }
        for (index, points) in lines.iter().enumerate() {
            line(&mut scene, points, (&x, &y), divisor, index);
        }
    }
    grid.draw_legend(&mut scene);
    Some(Figure { name: "progress".into(), caption: caption(analysis, &courses), scene })
}

fn caption(analysis: &Analysis<'_>, courses: &[Course]) -> String {
    let seeds = courses.iter().flat_map(|c| &c.points).map(|p| p.score.seeds).max().unwrap_or(0);
    let band = match seeds {
        0 | 1 => "One seed: no bands.".to_string(),
        n => format!("Line: mean over {n} seeds; band: 95% interval (Student's t)."),
    };
    let rounds = match courses.iter().any(|course| !course.begins().is_empty()) {
        true => " Vertical lines: where a further round begins.",
        false => "",
    };
    let titles = |variants: &[usize]| {
        let titles = variants.iter().map(|v| format!("“{}”", analysis.variants()[*v].title()));
        titles.collect::<Vec<_>>().join(", ")
    };
    let beginnings = courses.iter().filter(|course| !course.beginnings.is_empty()).map(|course| {
        let verb = if course.beginnings.len() == 1 { "is" } else { "are" };
        let whole = titles(&[course.variant]);
        format!(" {} {verb} the beginning of {whole}, or all of it.", titles(&course.beginnings))
    });
    let chance = match analysis.benchmarks.iter().any(|benchmark| benchmark.chance.is_some()) {
        true => " Dashed: chance.",
        false => "",
    };
    format!(
        "Scores during the training, at even intervals of tokens. {band}{rounds}{chance}{}",
        beginnings.collect::<String>()
    )
}

fn tokens_scale(courses: &[Course], divisor: f64, frame: &Frame) -> Scale {
    let tokens = courses.iter().flat_map(|course| &course.points).map(|p| p.tokens as f64);
    let high = Range::of(tokens.chain([0.0])).padded(0.0).1 / divisor;
    Scale::linear((0.0, 1.015 * high), (frame.left, frame.right))
}

/// Scores with their intervals, and chance, within 0 and 100%.
fn score_range(lines: &[Vec<ProgressPoint>], chance: Option<f64>) -> (f64, f64) {
    let shown = lines.iter().flatten().flat_map(ProgressPoint::shown);
    let (low, high) = Range::of(shown.chain(chance)).padded(0.08);
    (low.max(0.0), high.min(100.0))
}

/// A line where a further round begins, named where there is room.
fn marks(scene: &mut Scene, courses: &[Course], (x, divisor): (&Scale, f64), frame: &Frame) {
    let mut begins: Vec<(u64, u32)> =
        courses.iter().flat_map(Course::begins).map(|(round, tokens)| (tokens, round)).collect();
    begins.sort_unstable();
    begins.dedup();
    let mut free = frame.left;
    for (tokens, round) in begins {
        let at = x.at(tokens as f64 / divisor);
        scene.dashed(&[(at, frame.top), (at, frame.bottom)], theme::DASHES[2], theme::MUTED, 1.25);
        let label = format!("round {round}");
        let width = text_width(&label, theme::SMALL, false);
        if at + 4.0 >= free && at + 4.0 + width <= frame.right {
            let text = Text::new((at + 4.0, frame.bottom - 7.0), label, theme::SMALL);
            scene.text(text.colour(theme::MUTED));
            free = at + 4.0 + width + 4.0;
        }
    }
}

fn band(
    scene: &mut Scene,
    points: &[ProgressPoint],
    (x, y): (&Scale, &Scale),
    divisor: f64,
    colour: theme::Rgb,
) {
    if points.iter().all(|point| point.score.interval.is_none()) {
        return;
    }
    let place =
        |point: &ProgressPoint, value: f64| (x.at(point.tokens as f64 / divisor), y.at(value));
    let upper = points.iter().map(|point| place(point, point.shown()[2]));
    let lower = points.iter().rev().map(|point| place(point, point.shown()[1]));
    scene.polygon(upper.chain(lower).collect(), colour, 0.16);
}

fn line(
    scene: &mut Scene,
    points: &[ProgressPoint],
    (x, y): (&Scale, &Scale),
    divisor: f64,
    index: usize,
) {
    let (colour, dash) = theme::series(index);
    let place = |p: &ProgressPoint| (x.at(p.tokens as f64 / divisor), y.at(p.score.mean));
    let places: Vec<(f64, f64)> = points.iter().map(place).collect();
    scene.dashed(&places, dash, colour, theme::CURVE);
    if places.len() <= DOTTED {
        places.iter().for_each(|place| scene.dot(*place, 2.6, colour));
    }
}
