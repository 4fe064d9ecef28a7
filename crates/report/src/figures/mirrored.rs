//! The paper's figures, and beside them what a study that mirrors them has measured.

mod training;

use std::collections::BTreeMap;

use super::plot::{Axis, Group, Panel, Point, Series, draw};
use super::{Figure, our_scale, shown_ends};
use crate::analysis::{Analysis, LayerLine, skip_lines, skip_lines_of, spread_line};
use crate::number::signed;
use crate::paper::{Element, Form, Paper};

/// A figure for every element with panels that the study mirrors: ours above, the paper's below.
pub(crate) fn beside(analysis: &Analysis<'_>, paper: &Paper) -> Vec<Figure> {
    let all = paper.beside(analysis);
    // A ladder whose steps are the paper's has them on its rows already.
    let elements = all.iter().filter(|b| !b.element.panels.is_empty() && !b.is_complete());
    elements.filter_map(|b| beside_element(analysis, paper, b.element)).collect()
}

fn beside_element(analysis: &Analysis<'_>, paper: &Paper, element: &Element) -> Option<Figure> {
    let panels = ours(&element.id, analysis);
    if panels.is_empty() {
        let figure = of_paper(element)?;
        let caption = format!("{} Of this the study has measured nothing.", figure.caption);
        return Some(Figure { name: format!("paper-{}", element.id).into(), caption, ..figure });
    }
    let ours = Group { heading: "This study".into(), scale: our_scale(analysis), panels };
    let caption = format!(
        "{}, here and in {} of {}. Scales differ, so only shapes and orderings can be compared. \
         {}{}",
        element.title,
        element.place,
        paper.citation(),
        spread_words(analysis),
        note(element),
    );
    Some(Figure {
        name: format!("paper-{}", element.id).into(),
        caption,
        scene: draw(&[ours, theirs(element, &format!("The paper, {}", element.place))]),
    })
}

/// What the study has of a figure, without the paper's own; none where it measured nothing of the
/// kind.
pub(crate) fn here(analysis: &Analysis<'_>, element: &Element) -> Option<Figure> {
    let panels = ours(&element.id, analysis);
    if panels.is_empty() {
        return None;
    }
    let scale = our_scale(analysis);
    let caption = format!("{}, here: {scale}. {}", element.place, spread_words(analysis));
    let group = Group { heading: String::new(), scale, panels };
    Some(Figure { name: element.id.clone().into(), caption, scene: draw(&[group]) })
}

fn spread_words(analysis: &Analysis<'_>) -> String {
    match analysis.seeds().len() {
        0 | 1 => "One seed: no bands.".to_string(),
        n => format!("Over {n} seeds: means, with 95% intervals of scores and ranges of the rest."),
    }
}

/// A figure of the paper by itself, where the element is one.
pub(crate) fn of_paper(element: &Element) -> Option<Figure> {
    if element.panels.is_empty() {
        return None;
    }
    let average = element.average.as_ref().map(|a| format!(" Average: {a}.")).unwrap_or_default();
    let caption =
        format!("{}: {}.{average}{}", element.place, element.title.to_lowercase(), note(element));
    Some(Figure { name: element.id.clone().into(), caption, scene: draw(&[theirs(element, "")]) })
}

/// What is to be known of a figure; a note on an element's rows is none.
fn note(element: &Element) -> String {
    let of_figure = element.note.as_ref().filter(|_| element.rows.is_empty());
    of_figure.map(|note| format!(" {note}")).unwrap_or_default()
}

fn theirs(element: &Element, heading: &str) -> Group {
    let named = |title: &str, unit: &Option<String>| match unit {
        Some(unit) => format!("{title} ({unit})"),
        None => title.to_string(),
    };
    let panel = |panel: &crate::paper::PaperPanel| Panel {
        title: match panel.spearman {
            Some(rho) => format!("Spearman {} as printed", signed(rho, 3)),
            None => panel.title.clone(),
        },
        form: panel.form,
        x: Axis {
            name: named(&panel.x.title, &panel.x.unit),
            log: panel.x.log,
            categories: element.categories(panel),
            ..Axis::default()
        },
        y: Axis { low: panel.y.low, ..Axis::new(named(&panel.y.title, &panel.y.unit)) },
        series: panel
            .series
            .iter()
            .map(|series| Series {
                label: series.label.clone(),
                points: element.points(series).into_iter().map(|p| Point::new(p.0, p.1)).collect(),
            })
            .collect(),
    };
    Group {
        heading: heading.to_string(),
        scale: element.scale.clone(),
        panels: element.panels.iter().map(panel).collect(),
    }
}

/// What the study has of a figure; empty where it measured nothing of the kind.
fn ours(id: &str, analysis: &Analysis<'_>) -> Vec<Panel> {
    let mut panels = match id {
        "figure-2" => coverage(analysis),
        "figure-3" => shares(analysis),
        "figure-4" => shapes(analysis),
        "figure-5" => skips(analysis),
        "figure-6" | "figure-7" => training::losses(analysis),
        "figure-8" => training::batches(analysis),
        "figure-9" => training::parts(analysis),
        "figure-10" => training::progress(analysis),
        "figure-11" => spreads(analysis),
        "figure-12" => task_skips(analysis),
        _ => Vec::new(),
    };
    for panel in &mut panels {
        panel.series.retain(|series| !series.points.is_empty());
    }
    panels.retain(|panel| !panel.series.is_empty());
    panels
}

fn title(analysis: &Analysis<'_>, variant: usize) -> String {
    analysis.variants()[variant].title().to_string()
}

/// Coverage by vocabulary, a line for every tokenizer.
fn coverage(analysis: &Analysis<'_>) -> Vec<Panel> {
    let mut lines: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for row in analysis.data.coverage.iter().filter(|row| row.coverage.is_finite()) {
        let point = Point::new(row.vocabulary as f64, 100.0 * row.coverage);
        lines.entry(&row.tokenizer).or_default().push(point);
    }
    for points in lines.values_mut() {
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    vec![Panel {
        title: String::new(),
        form: Form::Line,
        x: Axis::new("Most frequent pieces kept"),
        y: Axis::new("Share of the corpus (%)"),
        series: lines
            .into_iter()
            .map(|(label, points)| Series { label: label.to_string(), points })
            .collect(),
    }]
}

/// Main body against embedding and head of every variant.
fn shares(analysis: &Analysis<'_>) -> Vec<Panel> {
    let variants = analysis.variants();
    let bars = |label: &str, of: fn(f64) -> f64| Series {
        label: label.to_string(),
        points: variants
            .iter()
            .enumerate()
            .map(|(v, variant)| Point::new(v as f64, 100.0 * of(variant.share)))
            .collect(),
    };
    vec![Panel {
        title: String::new(),
        form: Form::Bars,
        x: Axis {
            categories: (0..variants.len()).map(|v| title(analysis, v)).collect(),
            ..Axis::default()
        },
        y: Axis { low: Some(0.0), ..Axis::new("Share of the parameters (%)") },
        series: vec![bars("Main body", |s| 1.0 - s), bars("Embedding and head", |s| s)],
    }]
}

/// The headline score against depth, width and expansion rate.
fn shapes(analysis: &Analysis<'_>) -> Vec<Panel> {
    let measure = analysis.headline();
    let (name, unit) = analysis.name_of(measure);
    let variants = analysis.variants();
    let panel = |x: &str, of: fn(&crate::rows::VariantRow) -> f64| {
        let points: Vec<Point> = (0..variants.len())
            .filter_map(|v| {
                let estimate = analysis.estimate(v, measure)?;
                let [y, low, high] = shown_ends(measure, &estimate);
                Some(Point { x: of(&variants[v]), y, low, high })
            })
            .collect();
        let (sizes, scores): (Vec<f64>, Vec<f64>) = points.iter().map(|p| (p.x, p.y)).unzip();
        let rho = ablate_stats::spearman(&sizes, &scores).ok();
        Panel {
            title: rho.map(|rho| format!("Spearman {}", signed(rho.value, 3))).unwrap_or_default(),
            form: Form::Dots,
            x: Axis::new(x),
            y: Axis::new(format!("{name} ({unit})")),
            series: vec![Series { label: String::new(), points }],
        }
    };
    vec![
        panel("Depth", |v| v.depth as f64),
        panel("Width", |v| v.width as f64),
        panel("Expansion rate", |v| v.ffn as f64 / v.width.max(1) as f64),
    ]
}

fn layer_series(lines: &[LayerLine]) -> Vec<Series> {
    let label = |count: u64| format!("{count} layer{}", if count == 1 { "" } else { "s" });
    let counted = lines.iter().filter(|line| line.count > 0);
    counted.map(|line| Series { label: label(line.count), points: layer_points(line) }).collect()
}

fn layer_points(line: &LayerLine) -> Vec<Point> {
    let point = |p: &crate::analysis::LayerPoint| Point {
        x: p.layer as f64,
        y: p.mean,
        low: p.low,
        high: p.high,
    };
    line.points.iter().map(point).collect()
}

/// Average scores without layers, a panel for every variant.
fn skips(analysis: &Analysis<'_>) -> Vec<Panel> {
    let panel = |v: usize| Panel {
        title: title(analysis, v),
        form: Form::Line,
        x: Axis::new("First layer left out"),
        y: Axis::new("Average score (%)"),
        series: layer_series(&skip_lines(analysis.data, &analysis.variants()[v].name)),
    };
    (0..analysis.variants().len()).map(panel).collect()
}

/// Scores of each benchmark without layers: those of the paper's tasks where there are any.
fn task_skips(analysis: &Analysis<'_>) -> Vec<Panel> {
    let mut benchmarks: Vec<(&str, &str)> = Vec::new();
    for row in &analysis.data.skips {
        let benchmark = (row.benchmark.as_str(), row.language.as_str());
        if !benchmarks.contains(&benchmark) {
            benchmarks.push(benchmark);
        }
    }
    let paper = Paper::embedded().ok();
    let is_task = |name: &str| paper.as_ref().is_some_and(|paper| is_task(paper, name, None));
    if benchmarks.iter().any(|(name, _)| is_task(name)) {
        benchmarks.retain(|(name, _)| is_task(name));
    }
    let variants = analysis.variants();
    let mut panels = Vec::new();
    for (name, language) in benchmarks {
        for (v, variant) in variants.iter().enumerate() {
            let lines = skip_lines_of(analysis.data, &variant.name, (name, language));
            panels.push(Panel {
                title: if variants.len() == 1 {
                    name.to_string()
                } else {
                    format!("{name}, {}", title(analysis, v))
                },
                form: Form::Line,
                x: Axis::new("First layer left out"),
                y: Axis::new("Score (%)"),
                series: layer_series(&lines),
            });
        }
    }
    panels
}

/// Whether a benchmark of ours is one of the three tasks of the paper's ablations, or the one that is
/// wanted of these.
fn is_task(paper: &Paper, name: &str, wanted: Option<&str>) -> bool {
    let mut tasks = paper.element("table-5").into_iter().flat_map(Element::tasks);
    tasks.any(|task| task.is_benchmark(name) && wanted.is_none_or(|wanted| task.key == wanted))
}

/// Standard deviations of the trained weights, a panel for every variant.
fn spreads(analysis: &Analysis<'_>) -> Vec<Panel> {
    const MATRICES: [(&str, &str); 7] = [
        ("q", "q_proj"),
        ("k", "k_proj"),
        ("v", "v_proj"),
        ("o", "o_proj"),
        ("gate", "mlp.gate_proj"),
        ("up", "mlp.up_proj"),
        ("down", "mlp.down_proj"),
    ];
    let panel = |v: usize| {
        let line = |(matrix, label): &(&str, &str)| {
            let line = spread_line(analysis.data, &analysis.variants()[v].name, matrix)?;
            Some(Series { label: (*label).to_string(), points: layer_points(&line) })
        };
        Panel {
            title: title(analysis, v),
            form: Form::Line,
            x: Axis::new("Layer"),
            y: Axis::new("Std"),
            series: MATRICES.iter().filter_map(line).collect(),
        }
    };
    (0..analysis.variants().len()).map(panel).collect()
}
