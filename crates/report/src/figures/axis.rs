//! Scales, ticks and the frame of a plot. Odd data (nothing, one point, equal values, not-a-number) gives a usable scale, never a panic.

use super::scene::{Anchor, Scene, Text};
use super::theme;
use crate::number::fixed;

/// Smallest and largest of the finite values seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Range(Option<(f64, f64)>);

impl Range {
    /// The range of some values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut range = Self::default();
        range.extend(values);
        range
    }

    /// Takes more values in.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        for value in values.into_iter().filter(|v| v.is_finite() && v.abs() < 1e300) {
            let (low, high) = self.0.unwrap_or((value, value));
            self.0 = Some((low.min(value), high.max(value)));
        }
    }

    /// Low and high, where anything was seen.
    pub(crate) fn ends(self) -> Option<(f64, f64)> {
        self.0
    }

    /// Low and high with a share of their distance added at both ends; never empty.
    pub(crate) fn padded(self, share: f64) -> (f64, f64) {
        let (low, high) = self.0.unwrap_or((0.0, 1.0));
        let distance = high - low;
        let pad = if distance > 1e-9 * low.abs().max(high.abs()) {
            distance * share
        } else {
            (low.abs() * 0.05).max(0.5e-3)
        };
        (low - pad, high + pad)
    }
}

/// A map from values to CSS pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// A linear scale from `(low, high)` to the pixels `(from, to)`.
    pub(crate) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, from, to, log: false }
    }

    /// A logarithmic scale; falls back to a linear one where a value is not positive.
    pub(crate) fn logarithmic(range: (f64, f64), pixels: (f64, f64)) -> Self {
        Self { log: range.0 > 0.0 && range.1 > range.0, ..Self::linear(range, pixels) }
    }

    /// The pixel of a value, kept on the scale.
    pub(crate) fn at(&self, value: f64) -> f64 {
        if !value.is_finite() {
            return self.from;
        }
        let value = value.clamp(self.low, self.high);
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Whether a value lies on the scale.
    pub(crate) fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The ends of the scale in values.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// About `count` round values inside the scale with their labels.
    pub(crate) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        if self.log {
            let ticks = log_ticks(self.low, self.high);
            if ticks.len() >= 2 {
                return ticks;
            }
        }
        self.steps(nice_step((self.high - self.low) / count.max(1) as f64))
    }

    /// About `count` whole numbers inside the scale, for what is counted, with their labels.
    pub(crate) fn whole_ticks(&self, count: usize) -> Vec<(f64, String)> {
        if self.log {
            return self.ticks(count);
        }
        self.steps(nice_step((self.high - self.low) / count.max(1) as f64).floor().max(1.0))
    }

    fn steps(&self, step: f64) -> Vec<(f64, String)> {
        let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        // 2.5 and 0.25 need a digit more than their size says.
        let digits =
            if ((step * 10f64.powi(digits as i32)).fract()) > 1e-6 { digits + 1 } else { digits };
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last.min(first + 40))
            .map(|k| (k as f64 * step, fixed(k as f64 * step, digits)))
            .collect()
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `raw`.
fn nice_step(raw: f64) -> f64 {
    if !raw.is_finite() || raw <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .iter()
        .map(|m| m * power)
        .find(|s| *s >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let decades = (high / low).log10();
    let steps: &[f64] = if decades < 1.5 { &[1.0, 2.0, 3.0, 5.0] } else { &[1.0, 2.0, 5.0] };
    let mut ticks = Vec::new();
    let mut power = 10f64.powf(low.log10().floor());
    while power <= high && ticks.len() < 40 {
        for step in steps {
            let value = step * power;
            if value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9) {
                let digits = (-value.log10().floor()).clamp(0.0, 6.0) as usize;
                ticks.push((value, fixed(value, digits)));
            }
        }
        power *= 10.0;
    }
    ticks
}

/// Divisor and prefix that bring large values down to at most a few digits: `(1e6, "M")`. Counts have billions, bytes have giga.
pub(crate) fn prefix(largest: f64, counts: bool) -> (f64, &'static str) {
    match largest.abs() {
        v if v >= 1e12 => (1e12, "T"),
        v if v >= 1e9 => (1e9, if counts { "B" } else { "G" }),
        v if v >= 1e6 => (1e6, "M"),
        v if v >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// The rectangle that data is drawn in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    /// Vertical grid lines with tick labels below, and the name of the axis.
    pub(crate) fn x_axis(&self, scene: &mut Scene, scale: &Scale, ticks: usize, name: &str) {
        self.x_axis_at(scene, scale, scale.ticks(ticks), name);
    }

    /// The same with ticks of one's own: values with their labels, ascending.
    pub(crate) fn x_axis_at(
        &self,
        scene: &mut Scene,
        scale: &Scale,
        ticks: Vec<(f64, String)>,
        name: &str,
    ) {
        let mut free = f64::NEG_INFINITY;
        for (value, label) in ticks {
            let x = scale.at(value);
            scene.line((x, self.top), (x, self.bottom), theme::GRID, theme::HAIR);
            let half = super::draw::text_width(&label, theme::SMALL, false) / 2.0;
            if x - half > free {
                scene.text(
                    Text::new((x, self.bottom + 16.0), label, theme::SMALL)
                        .anchor(Anchor::Middle)
                        .colour(theme::MUTED),
                );
                free = x + half + 6.0;
            }
        }
        scene.line((self.left, self.bottom), (self.right, self.bottom), theme::INK, theme::HAIR);
        let middle = (self.left + self.right) / 2.0;
        scene.text(
            Text::new((middle, self.bottom + 35.0), name, theme::LABEL).anchor(Anchor::Middle),
        );
    }

    /// Horizontal grid lines with tick labels on the left, and the name of the axis reading upwards.
    pub(crate) fn y_axis(&self, scene: &mut Scene, scale: &Scale, ticks: usize, name: &str) {
        let mut widest: f64 = 0.0;
        for (value, label) in scale.ticks(ticks) {
            let y = scale.at(value);
            scene.line((self.left, y), (self.right, y), theme::GRID, theme::HAIR);
            widest = widest.max(super::draw::text_width(&label, theme::SMALL, false));
            scene.text(
                Text::new((self.left - 7.0, y + 4.0), label, theme::SMALL)
                    .anchor(Anchor::End)
                    .colour(theme::MUTED),
            );
        }
        scene.line((self.left, self.top), (self.left, self.bottom), theme::INK, theme::HAIR);
        scene.line((self.left, self.bottom), (self.right, self.bottom), theme::INK, theme::HAIR);
        let middle = (self.top + self.bottom) / 2.0;
        scene.text(
            Text::new((self.left - 17.0 - widest, middle), name, theme::LABEL)
                .anchor(Anchor::Middle)
                .upward(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |low, high| -> Vec<String> {
            Scale::linear((low, high), (0.0, 100.0)).ticks(5).into_iter().map(|t| t.1).collect()
        };
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.0, 8.0), ["−2.5", "0.0", "2.5", "5.0", "7.5"]);
        assert_eq!(labels(40.0, 52.0), ["40.0", "42.5", "45.0", "47.5", "50.0"]);
        assert_eq!(labels(0.0, 50_000.0), ["0", "10000", "20000", "30000", "40000", "50000"]);
    }

    #[test]
    fn what_is_counted_has_whole_ticks() {
        let labels = |high| -> Vec<String> {
            let scale = Scale::linear((0.0, high), (0.0, 100.0));
            scale.whole_ticks(4).into_iter().map(|t| t.1).collect()
        };
        assert_eq!(labels(9.0), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(2.0), ["0", "1", "2"]);
        assert_eq!(labels(39.0), ["0", "10", "20", "30"]);
    }

    #[test]
    fn odd_ranges_give_usable_scales() {
        for range in [
            Range::default(),
            Range::of([f64::NAN, f64::INFINITY]),
            Range::of([3.0]),
            Range::of([0.0, 0.0]),
            Range::of([-1e12, -1e12]),
        ] {
            let (low, high) = range.padded(0.1);
            assert!(low < high, "{range:?}");
            let scale = Scale::linear((low, high), (0.0, 100.0));
            assert!((0.0..=100.0).contains(&scale.at(f64::NAN)));
            assert!(scale.ticks(5).len() <= 41);
        }
    }

    #[test]
    fn logarithmic_scale_is_even_in_ratio() {
        let scale = Scale::logarithmic((1.0, 100.0), (0.0, 200.0));
        assert!((scale.at(10.0) - 100.0).abs() < 1e-9);
        assert!(scale.ticks(5).iter().any(|t| t.1 == "10"));
    }
}
