//! Share of the corpus that the most frequent pieces of a tokenizer cover: the paper's Figure 2, a
//! panel of bars for every tokenizer.

use super::axis::{Frame, Range, Scale, prefix};
use super::draw::text_width;
use super::scene::{Anchor, Scene, Text};
use super::{Figure, theme};
use crate::analysis::{Analysis, vocabulary};
use crate::number::fixed;

const PANEL: f64 = 150.0;
const PITCH: f64 = PANEL + 78.0;
/// Tokenizers that have a panel; the rows have all of them.
const MOST: usize = 4;

/// Bars of one tokenizer: entries, and coverage in percent.
struct Panel {
    title: String,
    bars: Vec<(f64, f64)>,
}

/// The panels, where coverage was measured.
pub(crate) fn bars(analysis: &Analysis<'_>) -> Option<Figure> {
    let mut panels: Vec<Panel> = Vec::new();
    for row in analysis.data.coverage.iter().filter(|row| row.coverage.is_finite()) {
        let bar = (row.vocabulary as f64, row.coverage * 100.0);
        match panels.iter_mut().find(|panel| panel.title == row.tokenizer) {
            Some(panel) => panel.bars.push(bar),
            None => panels.push(Panel { title: row.tokenizer.clone(), bars: vec![bar] }),
        }
    }
    panels.truncate(MOST);
    if panels.is_empty() {
        return None;
    }
    let height = theme::MARGIN + panels.len() as f64 * PITCH;
    let mut scene = Scene::new(theme::WIDTH, height);
    // One scale for all, so that panels can be compared.
    let seen = Range::of(panels.iter().flat_map(|panel| &panel.bars).map(|bar| bar.1));
    let least = seen.ends().map_or(0.0, |ends| ends.0).min(100.0 * vocabulary::COVERAGE);
    let bottom = ((least - 2.0) / 10.0).floor() * 10.0;
    for (place, panel) in panels.iter_mut().enumerate() {
        panel.bars.sort_by(|a, b| a.0.total_cmp(&b.0));
        let top = theme::MARGIN + 22.0 + place as f64 * PITCH;
        let frame = Frame {
            left: theme::MARGIN + 62.0,
            top,
            right: theme::WIDTH - theme::MARGIN - 6.0,
            bottom: top + PANEL,
        };
        draw(&mut scene, &frame, panel, bottom.max(0.0));
    }
    Some(Figure {
        name: "coverage".into(),
        caption:
            "Share of the corpus (%) that the most frequent pieces of a tokenizer account for, \
             against how many are kept. Dashed: 90%, the paper's rule."
                .into(),
        scene,
    })
}

fn draw(scene: &mut Scene, frame: &Frame, panel: &Panel, bottom: f64) {
    let y = Scale::linear((bottom, 100.0), (frame.bottom, frame.top));
    frame.y_axis(scene, &y, 4, "Coverage (%)");
    let title = (frame.left, frame.top - 9.0);
    scene.text(Text::new(title, panel.title.clone(), theme::LABEL).bold());
    let pitch = (frame.right - frame.left) / panel.bars.len().max(1) as f64;
    let (divisor, unit) = prefix(panel.bars.last().map_or(1.0, |bar| bar.0), true);
    let digits = usize::from(panel.bars.iter().any(|bar| (bar.0 / divisor).fract() > 1e-9));
    let label = |size: f64| format!("{}{unit}", fixed(size / divisor, digits));
    let widest = panel.bars.iter().map(|bar| text_width(&label(bar.0), theme::SMALL, false));
    // As in the paper, every second bar is labelled, or fewer where they are close together.
    let every = (((widest.fold(0.0, f64::max) + 8.0) / pitch).ceil() as usize).max(2);
    let room = text_width("100.0", theme::SMALL, false) + 3.0;
    for (at, (size, share)) in panel.bars.iter().enumerate() {
        let left = frame.left + pitch * at as f64;
        let (middle, height) = (left + pitch / 2.0, y.at(*share));
        let (from, to) = (left + 0.12 * pitch, left + 0.88 * pitch);
        scene.rect((from, height), (to, frame.bottom), theme::PALETTE[0], 1.0);
        if (at + 1) % every == 0 {
            let place = (middle, frame.bottom + 16.0);
            scene.text(
                Text::new(place, label(*size), theme::SMALL)
                    .anchor(Anchor::Middle)
                    .colour(theme::MUTED),
            );
        }
        // Inside the bar, where it is high enough to be read.
        if pitch > room && frame.bottom - height > 18.0 {
            let text = fixed(*share, if *share >= 99.95 { 0 } else { 1 });
            scene.text(
                Text::new((middle, height + 13.0), text, theme::SMALL)
                    .anchor(Anchor::Middle)
                    .colour(theme::ON_BAR),
            );
        }
    }
    let level = y.at(100.0 * vocabulary::COVERAGE);
    scene.dashed(&[(frame.left, level), (frame.right, level)], &[5.0, 4.0], theme::LEVEL, 1.25);
    let middle = ((frame.left + frame.right) / 2.0, frame.bottom + 35.0);
    scene.text(Text::new(middle, "Most frequent pieces", theme::LABEL).anchor(Anchor::Middle));
}
