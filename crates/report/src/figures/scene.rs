//! A figure as a list of shapes in CSS pixels: figures are laid out once here and drawn by [`super::draw`] for every format.

use super::axis::Scale;
use super::draw::text_width;
use super::theme::{self, Rgb};

/// A figure before it is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Width in CSS pixels.
    pub(crate) width: f64,
    /// Height in CSS pixels.
    pub(crate) height: f64,
    /// Shapes, back to front.
    pub(crate) shapes: Vec<Shape>,
}

/// One shape.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A filled rectangle by its corners.
    Rect { from: (f64, f64), to: (f64, f64), fill: Rgb, alpha: f64 },
    /// A line through points.
    Path { points: Vec<(f64, f64)>, stroke: Rgb, thickness: f64 },
    /// A filled outline.
    Polygon { points: Vec<(f64, f64)>, fill: Rgb, alpha: f64 },
    /// A filled circle.
    Circle { centre: (f64, f64), radius: f64, fill: Rgb },
    /// A line of text.
    Text(Text),
}

/// A line of text; `at` is on its baseline.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) at: (f64, f64),
    pub(crate) text: String,
    /// Em size in CSS pixels.
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    pub(crate) colour: Rgb,
    /// Reads from bottom to top.
    pub(crate) upward: bool,
}

/// Which part of a text its position names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Text {
    /// Text in the ink colour, starting at `at`.
    pub(crate) fn new(at: (f64, f64), text: impl Into<String>, size: f64) -> Self {
        Self {
            at,
            text: text.into(),
            size,
            bold: false,
            anchor: Anchor::Start,
            colour: theme::INK,
            upward: false,
        }
    }

    pub(crate) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(crate) fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    pub(crate) fn colour(mut self, colour: Rgb) -> Self {
        self.colour = colour;
        self
    }

    pub(crate) fn upward(mut self) -> Self {
        self.upward = true;
        self
    }

    /// Left, top, right, bottom of the ink, roughly: ascent 0.75 em, descent 0.2 em.
    #[cfg(test)]
    pub(crate) fn extent(&self) -> (f64, f64, f64, f64) {
        let width = text_width(&self.text, self.size, self.bold);
        let (x, y) = self.at;
        let start = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let (up, down) = (0.75 * self.size, 0.2 * self.size);
        if self.upward {
            (x - up, y - start - width, x + down, y - start)
        } else {
            (x + start, y - up, x + start + width, y + down)
        }
    }
}

impl Scene {
    /// An empty scene; its height is set when the layout is known.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    pub(crate) fn rect(&mut self, from: (f64, f64), to: (f64, f64), fill: Rgb, alpha: f64) {
        self.shapes.push(Shape::Rect { from, to, fill, alpha });
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Rgb, thickness: f64) {
        self.path(vec![from, to], stroke, thickness);
    }

    pub(crate) fn path(&mut self, points: Vec<(f64, f64)>, stroke: Rgb, thickness: f64) {
        if points.len() > 1 {
            self.shapes.push(Shape::Path { points, stroke, thickness });
        }
    }

    /// A line in a dash pattern (lengths of line and gap in turn); an empty pattern is a solid line.
    pub(crate) fn dashed(
        &mut self,
        points: &[(f64, f64)],
        pattern: &[f64],
        stroke: Rgb,
        thickness: f64,
    ) {
        if pattern.iter().sum::<f64>() <= 0.0 {
            self.path(points.to_vec(), stroke, thickness);
            return;
        }
        let mut part = 0;
        let mut left = pattern[0];
        let mut dash: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            let mut length = (to.0 - from.0).hypot(to.1 - from.1);
            while length > left {
                let share = left / length;
                from = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
                length -= left;
                if part % 2 == 0 {
                    dash.push(from);
                    self.path(std::mem::take(&mut dash), stroke, thickness);
                } else {
                    dash = vec![from];
                }
                part += 1;
                left = pattern[part % pattern.len()].max(0.5);
            }
            left -= length;
            if part % 2 == 0 {
                dash.push(to);
            }
        }
        if part % 2 == 0 {
            self.path(dash, stroke, thickness);
        }
    }

    pub(crate) fn polygon(&mut self, points: Vec<(f64, f64)>, fill: Rgb, alpha: f64) {
        if points.len() > 2 {
            self.shapes.push(Shape::Polygon { points, fill, alpha });
        }
    }

    /// A dot with a thin rim of paper, so that neighbours stay apart.
    pub(crate) fn dot(&mut self, centre: (f64, f64), radius: f64, fill: Rgb) {
        self.shapes.push(Shape::Circle { centre, radius: radius + 1.0, fill: theme::PAPER });
        self.shapes.push(Shape::Circle { centre, radius, fill });
    }

    /// A marker with a rim of paper; all outlines have about the same area.
    pub(crate) fn marker(&mut self, at: (f64, f64), size: f64, fill: Rgb, shape: theme::Shape) {
        let corners: &[(f64, f64)] = match shape {
            theme::Shape::Circle => return self.dot(at, size, fill),
            theme::Shape::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            theme::Shape::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            theme::Shape::Up => &[(0.0, -1.2), (1.25, 0.95), (-1.25, 0.95)],
            theme::Shape::Down => &[(0.0, 1.2), (1.25, -0.95), (-1.25, -0.95)],
        };
        for (size, fill) in [(size + 1.4, theme::PAPER), (size, fill)] {
            let outline = corners.iter().map(|c| (at.0 + c.0 * size, at.1 + c.1 * size)).collect();
            self.polygon(outline, fill, 1.0);
        }
    }

    /// A cross with a rim of paper: the place of something that failed.
    pub(crate) fn cross(&mut self, at: (f64, f64), size: f64, stroke: Rgb) {
        for (stroke, thickness) in [(theme::PAPER, 5.0), (stroke, 2.5)] {
            for turn in [1.0, -1.0] {
                let from = (at.0 - size, at.1 - turn * size);
                let to = (at.0 + size, at.1 + turn * size);
                self.line(from, to, stroke, thickness);
            }
        }
    }

    pub(crate) fn text(&mut self, text: Text) {
        if !text.text.is_empty() {
            self.shapes.push(Shape::Text(text));
        }
    }

    /// A horizontal interval with end caps; an end that lies off the scale has none.
    pub(crate) fn interval_h(&mut self, scale: &Scale, ends: (f64, f64), y: f64, cap: f64) {
        let (from, to) = (scale.at(ends.0), scale.at(ends.1));
        self.line((from, y), (to, y), theme::INK, theme::STROKE);
        for (end, x) in [(ends.0, from), (ends.1, to)] {
            if scale.contains(end) {
                self.line((x, y - cap), (x, y + cap), theme::INK, theme::STROKE);
            }
        }
    }

    /// A vertical interval with end caps; an end that lies off the scale has none.
    pub(crate) fn interval_v(
        &mut self,
        x: f64,
        scale: &Scale,
        ends: (f64, f64),
        cap: f64,
        stroke: Rgb,
    ) {
        let (from, to) = (scale.at(ends.0), scale.at(ends.1));
        self.line((x, from), (x, to), stroke, theme::STROKE);
        for (end, y) in [(ends.0, from), (ends.1, to)] {
            if scale.contains(end) {
                self.line((x - cap, y), (x + cap, y), stroke, theme::STROKE);
            }
        }
    }
}

/// Cuts a text to a width, with an ellipsis where something is lost.
pub(crate) fn fit(text: &str, size: f64, bold: bool, width: f64) -> String {
    if text_width(text, size, bold) <= width {
        return text.to_string();
    }
    let mut kept: String = text.to_string();
    while kept.pop().is_some() {
        let candidate = format!("{}…", kept.trim_end());
        if text_width(&candidate, size, bold) <= width {
            return candidate;
        }
    }
    String::new()
}

/// Breaks a text into at most `lines` lines of a width, at spaces; what does not fit ends in an ellipsis.
pub(crate) fn wrap(text: &str, size: f64, bold: bool, width: f64, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while words.peek().is_some() && out.len() < lines.max(1) {
        let last = out.len() + 1 == lines.max(1);
        let mut line = String::new();
        if last {
            let rest: Vec<&str> = words.by_ref().collect();
            line = rest.join(" ");
        } else {
            while let Some(word) = words.peek() {
                let longer =
                    if line.is_empty() { (*word).to_string() } else { format!("{line} {word}") };
                if !line.is_empty() && text_width(&longer, size, bold) > width {
                    break;
                }
                line = longer;
                words.next();
            }
        }
        out.push(fit(&line, size, bold, width));
    }
    out
}
