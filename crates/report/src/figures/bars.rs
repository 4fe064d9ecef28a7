//! The headline figure: one bar per variant with its interval. In a ladder the part that a rung adds is set off in a darker shade and its
//! gain stands beside it, with the paper's own ladder on the same rows when the study mirrors it.

use super::axis::{Frame, Range, Scale};
use super::draw::text_width;
use super::scene::{Anchor, Scene, Text, wrap};
use super::{Figure, interval_words, padded, shown_ends, theme};
use crate::analysis::{Analysis, Difference, Estimate, Measure, Verdict};
use crate::number::{MISSING, count, fixed, signed};
use crate::paper::{Beside, Paper};
use crate::render::INDISTINCT_SIGN;

const LABELS: f64 = 186.0;
const PARAMETERS: f64 = 78.0;
const GAINS: f64 = 64.0;
const HEAD: f64 = 44.0;

/// Where the rows are.
#[derive(Clone, Copy)]
struct Rows {
    frame: Frame,
    pitch: f64,
}

impl Rows {
    fn middle(&self, row: usize) -> f64 {
        self.frame.top + self.pitch * (row as f64 + 0.5)
    }

    /// Half the thickness of a bar.
    fn half(&self) -> f64 {
        if self.pitch > 35.0 { 11.0 } else { 8.0 }
    }
}

/// The headline figure, where any variant has a headline number.
pub(crate) fn headline(analysis: &Analysis<'_>, paper: &Paper) -> Option<Figure> {
    let measure = analysis.headline();
    let variants = analysis.variants();
    if !(0..variants.len()).any(|v| analysis.estimate(v, measure).is_some()) {
        return None;
    }
    let beside = paper.main_beside(analysis).filter(Beside::is_complete);
    let pitch = if variants.len() <= 12 { 40.0 } else { 30.0 };
    let top = theme::MARGIN + HEAD;
    let bottom = top + pitch * variants.len() as f64 + 6.0;
    let mut scene = Scene::new(theme::WIDTH, bottom + 46.0);
    let left = theme::MARGIN + LABELS;
    let right = match beside {
        Some(_) => left + 282.0,
        None => theme::WIDTH - theme::MARGIN - PARAMETERS - GAINS,
    };
    let rows = Rows { frame: Frame { left, top, right, bottom }, pitch };
    ours(&mut scene, analysis, measure, &rows);
    for (v, variant) in variants.iter().enumerate() {
        label(&mut scene, variant.title(), rows.middle(v), pitch);
    }
    if let Some(beside) = &beside {
        let left = right + PARAMETERS + GAINS + 24.0;
        let right = theme::WIDTH - theme::MARGIN - GAINS;
        theirs(
            &mut scene,
            analysis,
            beside,
            &Rows { frame: Frame { left, right, ..rows.frame }, pitch },
        );
    }
    let ladder = analysis.data.study.is_ladder();
    Some(Figure {
        name: if ladder { "ladder" } else { "variants" }.into(),
        caption: caption(analysis, measure, beside.as_ref(), paper),
        scene,
    })
}

fn caption(
    analysis: &Analysis<'_>,
    measure: Measure,
    beside: Option<&Beside<'_>>,
    paper: &Paper,
) -> String {
    let (name, unit) = analysis.name_of(measure);
    let mut caption = format!("{name} ({unit}), every variant. {}", interval_words(analysis));
    let scored = measure == Measure::Average;
    if scored && analysis.average_chance() > 0.0 {
        caption += " Bars start at the mean chance level.";
    }
    if analysis.variants().len() > 1 {
        let tested = if analysis.seeds().len() > 1 {
            " (bold: distinguishable from zero; ~: not)"
        } else {
            " (not tested)"
        };
        caption += &if analysis.data.study.is_ladder() {
            if scored {
                format!(
                    " Strong colour: what a rung adds. Gain: difference to the rung below{tested}."
                )
            } else {
                format!(" Lower is better. Δ: difference to the rung below{tested}.")
            }
        } else {
            let lower = if scored { "" } else { " Lower is better." };
            format!("{lower} Δ: difference to the first variant{tested}.")
        };
    }
    if let Some(beside) = beside {
        caption += &format!(
            " Right: {} of {}, {}; its axis starts at {}.",
            beside.element.place,
            paper.citation(),
            beside.element.scale,
            fixed(paper_axis(beside).0, 0),
        );
    }
    caption
}

fn label(scene: &mut Scene, text: &str, y: f64, pitch: f64) {
    let (size, leading) = if pitch > 35.0 { (theme::LABEL, 15.0) } else { (theme::SMALL, 12.5) };
    let lines = wrap(text, size, false, LABELS - 12.0, 2);
    let first = y + 4.5 - leading / 2.0 * (lines.len().max(1) - 1) as f64;
    for (i, line) in lines.iter().enumerate() {
        let at = (theme::MARGIN + LABELS - 10.0, first + leading * i as f64);
        scene.text(Text::new(at, line, size).anchor(Anchor::End));
    }
}

/// Our own bars, gains and parameter counts.
fn ours(scene: &mut Scene, analysis: &Analysis<'_>, measure: Measure, rows: &Rows) {
    let variants = analysis.variants();
    let frame = &rows.frame;
    let estimates: Vec<Option<Estimate>> =
        (0..variants.len()).map(|v| analysis.estimate(v, measure)).collect();
    let seen = Range::of(estimates.iter().flatten().flat_map(|e| shown_ends(measure, e)));
    // Bars need a start that means something: chance for scores; bits per byte have none, so they get dots.
    let start = (measure == Measure::Average).then(|| analysis.average_chance());
    let (mut low, high) = padded(measure, seen, 0.06);
    if let (Some(start), Some((least, _))) = (start, seen.ends())
        && least >= start
    {
        low = start;
    }
    let scale = Scale::linear((low, high.max(low + 1e-3)), (frame.left, frame.right));
    let (name, unit) = analysis.name_of(measure);
    let from = match start {
        Some(level) if level > 0.0 && level == low => {
            format!(", from chance at {}", fixed(level, 1))
        }
        _ => String::new(),
    };
    frame.x_axis(scene, &scale, 5, &format!("{name} ({unit}){from}"));
    heading(scene, frame.left, frame.top, "This study", &our_scale(analysis));
    let parameters = frame.right + PARAMETERS - 4.0;
    let gains = parameters + GAINS;
    column_head(scene, parameters, frame.top, "parameters");
    if variants.len() > 1 {
        column_head(scene, gains, frame.top, change(analysis, measure));
    }
    for v in 0..variants.len() {
        let y = rows.middle(v);
        let total = count(variants[v].params.total as f64);
        scene.text(Text::new((parameters, y + 4.0), total, theme::SMALL).anchor(Anchor::End));
        let Some(estimate) = estimates[v] else {
            let text = if variants[v].failed.is_empty() { MISSING } else { "failed" };
            let at = (frame.left + 8.0, y + 4.0);
            scene.text(Text::new(at, text, theme::SMALL).colour(theme::MUTED));
            continue;
        };
        match start {
            Some(start) => {
                let rung = analysis.data.study.is_ladder().then(|| analysis.reference(v));
                let below = match rung {
                    None => Some(start),
                    Some(None) => None,
                    Some(Some(r)) => estimates[r].map(|e| e.mean),
                };
                bar(scene, &scale, start, below, &estimate, rows.half(), y);
                value_of_bar(scene, &scale, start, below, &estimate, (y, rows.half(), frame.right));
            }
            None => dot(scene, &scale, &estimate, y, measure),
        }
        if let Some(reference) = analysis.reference(v) {
            let found = analysis.difference(v, reference, measure);
            gain(scene, found.as_ref(), measure, (gains, y + 4.0));
        }
    }
}

/// What the column of differences is called.
fn change(analysis: &Analysis<'_>, measure: Measure) -> &'static str {
    // Bits per byte fall when a variant is better, so their change is no gain.
    match (analysis.data.study.is_ladder(), measure.higher_is_better()) {
        (true, true) => "gain",
        (true, false) => "Δ to below",
        (false, _) => "Δ to first",
    }
}

/// A bar from `start` to the mean. The part above `below`, where the rung below ends, is dark; with no rung below it is all light.
fn bar(
    scene: &mut Scene,
    scale: &Scale,
    start: f64,
    below: Option<f64>,
    estimate: &Estimate,
    half: f64,
    y: f64,
) {
    let (x, from) = (scale.at(estimate.mean), scale.at(start));
    // Below the start the whole bar, which then grows to the left, is light.
    let split = if x < from { x } else { below.map_or(x, |b| scale.at(b).clamp(from, x)) };
    scene.rect((from, y - half), (split, y + half), theme::BAR_BASE, 1.0);
    if x > split {
        scene.rect((split, y - half), (x, y + half), theme::PALETTE[0], 1.0);
    }
    if let Some(ends) = estimate.interval {
        scene.interval_h(scale, ends, y, 5.0);
    }
}

/// The value, inside the bar where there is room before the interval, otherwise after the interval.
fn value_of_bar(
    scene: &mut Scene,
    scale: &Scale,
    start: f64,
    below: Option<f64>,
    estimate: &Estimate,
    (y, half, right): (f64, f64, f64),
) {
    let text = fixed(estimate.mean, Measure::Average.digits());
    let (low, high) = estimate.ends();
    let from = scale.at(start);
    let free = scale.at(low).min(scale.at(estimate.mean)) - from;
    let width = text_width(&text, theme::SMALL, true) + 7.0;
    if free > width + 5.0 {
        // On the light part the text is dark, on the dark part white; across the seam it would be neither.
        let light = below.map_or(f64::INFINITY, |b| scale.at(b) - from);
        let at = if light >= width { from + 7.0 } else { from + light.max(0.0) + 7.0 };
        let on_light = light >= width;
        if on_light || at + width - 7.0 < from + free {
            let colour = if on_light { theme::ON_REFERENCE } else { theme::ON_BAR };
            scene.text(Text::new((at, y + 4.0), text, theme::SMALL).bold().colour(colour));
            return;
        }
    }
    let at = scale.at(high).max(scale.at(estimate.mean)) + 7.0;
    if at + width <= right + 18.0 {
        scene.text(Text::new((at, y + 4.0), text, theme::SMALL));
    } else {
        // An interval that reaches the end of the axis leaves room only above the bar.
        let at = (scale.at(estimate.mean), y - half - 1.5);
        scene.text(Text::new(at, text, theme::SMALL).anchor(Anchor::Middle));
    }
}

fn dot(scene: &mut Scene, scale: &Scale, estimate: &Estimate, y: f64, measure: Measure) {
    if let Some(ends) = estimate.interval {
        scene.interval_h(scale, ends, y, 4.0);
    }
    let x = scale.at(estimate.mean);
    scene.dot((x, y), 5.0, theme::PALETTE[0]);
    let text = fixed(estimate.mean, measure.digits());
    scene.text(Text::new((x, y - 8.5), text, theme::SMALL).anchor(Anchor::Middle));
}

fn gain(scene: &mut Scene, found: Option<&Difference>, measure: Measure, at: (f64, f64)) {
    let Some(found) = found else { return };
    let text = signed(found.mean, measure.digits());
    let entry = match found.verdict {
        Verdict::Better | Verdict::Worse => Text::new(at, text, theme::SMALL).bold(),
        Verdict::Untested => Text::new(at, text, theme::SMALL),
        Verdict::Indistinct => {
            Text::new(at, format!("{INDISTINCT_SIGN} {text}"), theme::SMALL).colour(theme::MUTED)
        }
    };
    scene.text(entry.anchor(Anchor::End));
}

/// The paper's bars on the same rows, with differences to the same rows as ours.
fn theirs(scene: &mut Scene, analysis: &Analysis<'_>, beside: &Beside<'_>, rows: &Rows) {
    let frame = &rows.frame;
    let scale = Scale::linear(paper_axis(beside), (frame.left, frame.right));
    frame.x_axis(scene, &scale, 3, "Average score (%)");
    let title = format!("The paper, {}", beside.element.place);
    let gains = frame.right + GAINS - 4.0;
    let head = change(analysis, Measure::Average);
    column_head(scene, gains, frame.top, head);
    // The whole scale is in the caption.
    let room = gains - text_width(head, theme::SMALL, false) - 8.0 - frame.left;
    let scale_text = wrap(&beside.element.scale, theme::SMALL, false, room, 1);
    heading(scene, frame.left, frame.top, &title, &scale_text.concat());
    for v in 0..beside.rows.len() {
        let Some(average) = beside.average(v) else { continue };
        let y = rows.middle(v);
        let x = scale.at(average);
        let half = rows.half();
        scene.rect((frame.left, y - half), (x, y + half), theme::REFERENCE, 1.0);
        let text = fixed(average, 2);
        if x - frame.left > text_width(&text, theme::SMALL, true) + 14.0 {
            let at = (frame.left + 7.0, y + 4.0);
            scene.text(Text::new(at, text, theme::SMALL).bold().colour(theme::ON_REFERENCE));
        } else {
            scene.text(Text::new((x + 7.0, y + 4.0), text, theme::SMALL));
        }
        if let Some(gain) = analysis.reference(v).and_then(|r| beside.gain(v, r)) {
            let text = signed(gain, 2);
            scene.text(Text::new((gains, y + 4.0), text, theme::SMALL).anchor(Anchor::End));
        }
    }
}

/// Round ends around the paper's averages.
fn paper_axis(beside: &Beside<'_>) -> (f64, f64) {
    let averages = (0..beside.rows.len()).filter_map(|v| beside.average(v));
    let (low, high) = Range::of(averages).ends().unwrap_or((0.0, 100.0));
    ((((low - 1.0) / 5.0).floor() * 5.0).max(0.0), ((high + 0.5) / 2.0).ceil() * 2.0)
}

fn heading(scene: &mut Scene, x: f64, top: f64, title: &str, scale: &str) {
    scene.text(Text::new((x, top - 25.0), title, theme::TITLE).bold());
    scene.text(Text::new((x, top - 8.0), scale, theme::SMALL).colour(theme::MUTED));
}

fn column_head(scene: &mut Scene, right: f64, top: f64, text: &str) {
    let at = (right, top - 8.0);
    scene.text(Text::new(at, text, theme::SMALL).anchor(Anchor::End).colour(theme::MUTED));
}

/// `1.62 M parameters, 410 k tokens`, with the range where variants differ.
pub(crate) fn our_scale(analysis: &Analysis<'_>) -> String {
    let span = |values: Vec<u64>| {
        let range = Range::of(values.into_iter().map(|value| value as f64));
        let (low, high) = range.ends().unwrap_or((0.0, 0.0));
        if high <= low * 1.1 { count(high) } else { format!("{} to {}", count(low), count(high)) }
    };
    let variants = analysis.variants();
    if variants.is_empty() {
        // What models of others were trained on is not known.
        let shapes = analysis.data.externals.iter().filter_map(|model| model.shape);
        return format!("{} parameters", span(shapes.map(|s| s.params.total).collect()));
    }
    format!(
        "{} parameters, {} tokens",
        span(variants.iter().map(|v| v.params.total).collect()),
        span(variants.iter().map(|v| v.train_tokens).collect())
    )
}
