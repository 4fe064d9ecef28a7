//! Panels of lines, markers or bars in groups, each group with a heading and a legend of its own: the
//! paper's figures, and what is laid beside them.

use super::axis::{Frame, Range, Scale};
use super::clip;
use super::draw::text_width;
use super::layout::{Grid, Wanted};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Anchor, Scene, Text, fit, wrap};
use super::theme;
use crate::number::fixed;
use crate::paper::Form;

/// Height of a group's heading.
const HEADING: f64 = 34.0;
/// Between two groups.
const BETWEEN: f64 = 26.0;
/// Lines with more points than this have no dots.
const DOTTED: usize = 24;
/// Most bars that have their value above them.
const VALUES: usize = 16;

/// Panels of one origin.
pub(super) struct Group {
    pub(super) heading: String,
    /// Model size and training tokens.
    pub(super) scale: String,
    pub(super) panels: Vec<Panel>,
}

pub(super) struct Panel {
    pub(super) title: String,
    pub(super) form: Form,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

#[derive(Default)]
pub(super) struct Axis {
    /// Name and unit.
    pub(super) name: String,
    pub(super) log: bool,
    /// What stands at 0, 1, 2, ... instead of numbers.
    pub(super) categories: Vec<String>,
    /// Where the axis starts.
    pub(super) low: Option<f64>,
    /// Whether the start of curves may be cut off where it flattens the rest.
    pub(super) cut: bool,
}

pub(super) struct Series {
    /// Empty where it is the only one.
    pub(super) label: String,
    pub(super) points: Vec<Point>,
}

#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Ends of its interval or range; both `y` where there is none.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Point {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Self { x, y, low: y, high: y }
    }
}

impl Axis {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// The groups below each other.
pub(super) fn draw(groups: &[Group]) -> Scene {
    let mut scene = Scene::new(theme::WIDTH, theme::MARGIN);
    let mut top = theme::MARGIN;
    for group in groups.iter().filter(|group| !group.panels.is_empty()) {
        top = draw_group(&mut scene, group, top) + BETWEEN;
    }
    scene.height = top - BETWEEN + theme::MARGIN;
    scene
}

/// Draws a group from `top` on; returns where it ends.
fn draw_group(scene: &mut Scene, group: &Group, mut top: f64) -> f64 {
    if !group.heading.is_empty() {
        let at = (theme::MARGIN, top + 14.0);
        scene.text(Text::new(at, &group.heading, theme::TITLE).bold());
        let after = theme::MARGIN + text_width(&group.heading, theme::TITLE, true) + 12.0;
        let room = theme::WIDTH - theme::MARGIN - after;
        let scale = fit(&group.scale, theme::SMALL, false, room);
        scene.text(Text::new((after, top + 14.0), scale, theme::SMALL).colour(theme::MUTED));
        top += HEADING;
    }
    let labels = labels(group);
    let count = group.panels.len();
    let (columns, height) = match count {
        1 => (1, 270.0),
        2 => (2, 230.0),
        3 => (3, 190.0),
        4 => (2, 180.0),
        _ => (4, 130.0),
    };
    let entries = entries(group, &labels);
    let legend = if columns > 2 { Legend::below(entries) } else { Legend::new(entries) };
    let wanted = Wanted {
        titled: group.panels.iter().any(|panel| !panel.title.is_empty()),
        top,
        ..Wanted::rows(count, columns, height)
    };
    // How wide panels are does not depend on the room below them.
    let plain = Grid::new(&wanted, Legend::new(Vec::new()));
    let lines = |panel: &Panel, frame: &Frame| {
        category_lines(panel, frame).iter().map(Vec::len).max().unwrap_or(1)
    };
    let most = group.panels.iter().zip(&plain.frames).map(|(p, f)| lines(p, f)).max().unwrap_or(1);
    let wanted = Wanted { foot: 13.0 * (most.max(1) - 1) as f64, ..wanted };
    let grid = Grid::new(&wanted, legend);
    let together = group.panels.iter().all(|panel| panel.y.name == group.panels[0].y.name);
    for (place, (panel, frame)) in group.panels.iter().zip(&grid.frames).enumerate() {
        let shared: Vec<&Panel> =
            if together { group.panels.iter().collect() } else { vec![panel] };
        let named = columns <= 2 || place % columns == 0 || !together;
        draw_panel(scene, panel, frame, &shared, &labels, named);
    }
    grid.draw_legend(scene);
    grid.bottom()
}

/// Labels of all series in the order in which they first appear.
fn labels(group: &Group) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for series in group.panels.iter().flat_map(|panel| &panel.series) {
        if !labels.contains(&series.label.as_str()) {
            labels.push(&series.label);
        }
    }
    labels
}

fn entries(group: &Group, labels: &[&str]) -> Vec<Entry> {
    let form = group.panels[0].form;
    let named = labels.iter().enumerate().filter(|(_, label)| !label.is_empty());
    named
        .map(|(i, label)| {
            let (colour, dash) = theme::series(i);
            let sample = match form {
                Form::Line => Sample::Line(dash),
                Form::Dots => Sample::Marker(theme::shape(i)),
                Form::Bars => Sample::Marker(theme::Shape::Square),
            };
            Entry { label: (*label).to_string(), colour, sample }
        })
        .collect()
}

/// The labels below a panel's bars, in lines; none where the axis has numbers.
fn category_lines(panel: &Panel, frame: &Frame) -> Vec<Vec<String>> {
    let pitch = (frame.right - frame.left) / panel.x.categories.len().max(1) as f64;
    let lines = |label: &String| wrap(label, theme::SMALL, false, pitch - 8.0, 3);
    panel.x.categories.iter().map(lines).collect()
}

fn draw_panel(
    scene: &mut Scene,
    panel: &Panel,
    frame: &Frame,
    shared: &[&Panel],
    labels: &[&str],
    named: bool,
) {
    let title = fit(&panel.title, theme::LABEL, true, frame.right - frame.left);
    scene.text(Text::new((frame.left, frame.top - 8.0), title, theme::LABEL).bold());
    let x = x_scale(panel, frame);
    let y = Scale::linear(y_range(shared), (frame.bottom, frame.top));
    let wide = frame.right - frame.left > 300.0;
    if panel.x.categories.is_empty() {
        let ticks = if wide { 8 } else { 4 };
        let mut values = panel.series.iter().flat_map(|series| &series.points).map(|point| point.x);
        let ticks = match values.all(|x| x.fract() == 0.0) {
            true => x.whole_ticks(ticks),
            false => x.ticks(ticks),
        };
        frame.x_axis_at(scene, &x, ticks, &panel.x.name);
    } else {
        categories(scene, panel, frame, &x);
    }
    let ticks = if frame.bottom - frame.top > 150.0 { 6 } else { 4 };
    frame.y_axis(scene, &y, ticks, if named { &panel.y.name } else { "" });
    let bars: usize = panel.series.iter().map(|s| s.points.len()).sum();
    for (place, series) in panel.series.iter().enumerate() {
        let index = labels.iter().position(|label| *label == series.label).unwrap_or(0);
        match panel.form {
            Form::Line => line(scene, series, (&x, &y), index),
            Form::Dots => {
                for point in series.points.iter().filter(|p| p.low < p.high) {
                    let ends = (point.low, point.high);
                    scene.interval_v(x.at(point.x), &y, ends, 3.0, theme::series(index).0);
                }
                for point in &series.points {
                    let at = (x.at(point.x), y.at(point.y));
                    scene.marker(at, 4.0, theme::series(index).0, theme::shape(index));
                }
            }
            Form::Bars => {
                let slot = Slot { place, of: panel.series.len(), step: step(panel) };
                draw_bars(scene, series, (&x, &y), index, (&slot, bars <= VALUES));
            }
        }
    }
}

/// Numbers from edge to edge, or categories in equal slots.
fn x_scale(panel: &Panel, frame: &Frame) -> Scale {
    let pixels = (frame.left, frame.right);
    if !panel.x.categories.is_empty() {
        return Scale::linear((-0.5, panel.x.categories.len() as f64 - 0.5), pixels);
    }
    let range = Range::of(panel.series.iter().flat_map(|s| &s.points).map(|p| p.x));
    let (low, high) = range.ends().unwrap_or((0.0, 1.0));
    match panel.form {
        Form::Bars => {
            let half = 0.5 * step(panel);
            Scale::linear((low - half, high + half), pixels)
        }
        _ if panel.x.log && low > 0.0 => Scale::logarithmic((low / 1.08, high * 1.08), pixels),
        // Curves over tokens begin at nothing.
        Form::Line if low >= 0.0 && low < 0.15 * high => {
            Scale::linear((-0.01 * high, 1.01 * high), pixels)
        }
        _ => Scale::linear(range.padded(0.05), pixels),
    }
}

fn y_range(panels: &[&Panel]) -> (f64, f64) {
    let points = || panels.iter().flat_map(|p| &p.series).flat_map(|s| &s.points);
    let range = Range::of(points().flat_map(|p| [p.low, p.high]));
    let ends = if panels.iter().any(|panel| panel.y.cut) {
        let end = Range::of(points().map(|p| p.x)).ends().map_or(1.0, |ends| ends.1);
        let seen: Vec<(f64, f64, f64)> = points().map(|p| (p.x, p.low, p.high)).collect();
        clip::shown(&seen, end)
    } else {
        range.padded(0.08)
    };
    match panels.iter().find_map(|panel| panel.y.low) {
        // A share ends at the whole.
        Some(low) => (low, if range.ends().is_some_and(|e| e.1 == 100.0) { 100.0 } else { ends.1 }),
        None => ends,
    }
}

/// The least distance of two bars.
fn step(panel: &Panel) -> f64 {
    let mut places: Vec<f64> = panel.series.iter().flat_map(|s| &s.points).map(|p| p.x).collect();
    places.sort_by(f64::total_cmp);
    let least = places.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0);
    least.min_by(f64::total_cmp).unwrap_or(1.0)
}

fn categories(scene: &mut Scene, panel: &Panel, frame: &Frame, x: &Scale) {
    let lines = category_lines(panel, frame);
    for (place, lines) in lines.iter().enumerate() {
        for (i, line) in lines.iter().enumerate() {
            let at = (x.at(place as f64), frame.bottom + 16.0 + 13.0 * i as f64);
            let text = Text::new(at, line, theme::SMALL).anchor(Anchor::Middle);
            scene.text(text.colour(theme::MUTED));
        }
    }
    let most = lines.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let at = ((frame.left + frame.right) / 2.0, frame.bottom + 35.0 + 13.0 * (most - 1) as f64);
    scene.text(Text::new(at, &panel.x.name, theme::LABEL).anchor(Anchor::Middle));
    scene.line((frame.left, frame.bottom), (frame.right, frame.bottom), theme::INK, theme::HAIR);
}

fn line(scene: &mut Scene, series: &Series, (x, y): (&Scale, &Scale), index: usize) {
    let (colour, dash) = theme::series(index);
    let top = y.ends().1;
    if series.points.iter().any(|p| p.low < p.high) {
        let upper = series.points.iter().map(|p| (p.x, p.high));
        let lower = series.points.iter().rev().map(|p| (p.x, p.low));
        let outline = clip::outline_below(&upper.chain(lower).collect::<Vec<_>>(), top);
        let places = outline.into_iter().map(|p| (x.at(p.0), y.at(p.1))).collect();
        scene.polygon(places, colour, 0.16);
    }
    let points: Vec<(f64, f64)> = series.points.iter().map(|p| (p.x, p.y)).collect();
    for part in clip::below(&points, top) {
        let places: Vec<(f64, f64)> = part.iter().map(|p| (x.at(p.0), y.at(p.1))).collect();
        scene.dashed(&places, dash, colour, theme::CURVE);
        if places.len() == 1 {
            scene.dot(places[0], 3.5, colour);
        }
    }
    if points.len() <= DOTTED {
        for point in points.iter().filter(|p| p.1 <= top) {
            scene.dot((x.at(point.0), y.at(point.1)), 2.6, colour);
        }
    }
}

/// Which of several bars at the same place.
struct Slot {
    place: usize,
    of: usize,
    step: f64,
}

fn draw_bars(
    scene: &mut Scene,
    series: &Series,
    (x, y): (&Scale, &Scale),
    index: usize,
    (slot, valued): (&Slot, bool),
) {
    let whole = 0.72 * (x.at(x.ends().0 + slot.step) - x.at(x.ends().0));
    let width = (whole / slot.of as f64).min(90.0);
    let (floor, colour) = (y.ends().0, theme::series(index).0);
    for point in &series.points {
        let middle = x.at(point.x) + width * (slot.place as f64 - (slot.of as f64 - 1.0) / 2.0);
        let (left, right) = (middle - 0.47 * width, middle + 0.47 * width);
        scene.rect((left, y.at(floor)), (right, y.at(point.y)), colour, 1.0);
        if point.low < point.high {
            scene.interval_v(middle, y, (point.low, point.high), 3.0, theme::INK);
        }
        let text = fixed(point.y, if point.y.abs() < 10.0 { 3 } else { 2 });
        if valued && text_width(&text, theme::SMALL, false) < whole / slot.of as f64 {
            let at = (middle, y.at(point.high) - 5.0);
            scene.text(Text::new(at, text, theme::SMALL).anchor(Anchor::Middle));
        }
    }
}
